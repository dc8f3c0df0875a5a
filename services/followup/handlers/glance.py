"""Query of the overview: the newest matters, the earliest limits, counts by state and the three rates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.followup.domain.access import SEES_ALL
from services.followup.domain.clocks import Clock
from services.followup.domain.matter import Matter, Party
from services.followup.domain.moment import ActingParty
from services.followup.domain.rates import Rate
from services.followup.handlers import queries
from services.followup.handlers.names import names_in_list
from services.followup.handlers.queries import Found
from services.followup.store import glance as store
from services.followup.store.glance import LastOffer
from services.followup.store.requests import Request
from shared.contracts.vocabulary import ClockKind, MatterState
from shared.runtime.database import Connection


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request, its matter, and the party that it was last offered to; None before the first offer."""

    request: Request
    matter: Matter
    offer: LastOffer | None


@dataclass(frozen=True, slots=True)
class Due:
    """The next limit of a matter. `whose` is the responsible party; None is the town's desk."""

    request: Request
    matter: Matter
    clock: Clock
    whose: Party | None


@dataclass(frozen=True, slots=True)
class Glance:
    """The overview at `now`. `names` are those of lead departments of the arrivals, by id."""

    now: datetime
    arrivals: Sequence[Arrival]
    due: Sequence[Due]
    rates: Mapping[str, Rate]
    counts: Mapping[MatterState, int]
    names: Mapping[str, str]


async def load_glance(conn: Connection, now: datetime, limit: int, caller: ActingParty) -> Glance:
    """Return the newest `limit` requests, the `limit` earliest limits, the rates and the counts.

    Of the matters that the caller may see, as in the lists; the rates are the town's.
    """
    overview = await queries.overview(conn, now, limit, caller)
    if caller.role in SEES_ALL:
        counts = await store.count_states(conn)
    else:
        counts = await store.count_states_of(conn, caller.party)
    names = await names_in_list(conn, overview.arrivals)
    offers = await store.last_offers(conn, [found.matter.id for found in overview.arrivals])
    return Glance(
        now,
        [
            Arrival(found.request, found.matter, offers.get(found.matter.id))
            for found in overview.arrivals
        ],
        [due for found in overview.due if (due := _due(found))],
        overview.rates,
        counts,
        names,
    )


def _due(found: Found) -> Due | None:
    """Return the earliest running limit; paused clocks do not count."""
    running = [clock for clock in found.matter.clocks if clock.paused_at is None]
    if not running:
        return None
    clock = min(running, key=lambda each: each.due_at)
    return Due(found.request, found.matter, clock, whose(found.matter, clock.kind))


def whose(matter: Matter, kind: ClockKind) -> Party | None:
    """Return who must act before this limit: the offer's party, the owner, else the desk, as for a return visit."""
    if kind is ClockKind.ACCEPT and matter.offer is not None:
        return matter.offer.party
    if kind is ClockKind.RETURN_VISIT or matter.responsible is None:
        return None
    return matter.responsible
