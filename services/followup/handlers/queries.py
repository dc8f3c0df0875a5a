"""What can be asked: lists, one matter whole, its history, the wall chart, the rates. Nothing here changes anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.followup.domain.access import SEES_ALL, may_see
from services.followup.domain.matter import Matter
from services.followup.domain.moment import Actor
from services.followup.domain.rates import Counted, GroupBy, Rate, rates_of
from services.followup.handlers.steps import Missing, missing
from services.followup.store import (
    chart,
    finding,
    history,
    listing,
    matters,
    promised,
    rates,
    requests,
)
from services.followup.store.chart import Chart, ChartFilter
from services.followup.store.finding import NEWEST, Search
from services.followup.store.history import Entry
from services.followup.store.promised import BEGINNING, FOREVER, Place
from services.followup.store.rates import Period, Spread
from services.followup.store.requests import Request
from shared.contracts.vocabulary import MatterState
from shared.kit.db import Connection


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters of a list of matters; None asks for nothing. `due_before` makes it a list by promise."""

    state: MatterState | None = None
    owner: str | None = None
    department: str | None = None
    requester: str | None = None
    category: str | None = None
    park: str | None = None
    words: str | None = None
    due_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A matter in a list, and the request that opened it."""

    matter: Matter
    request: Request


async def find_newest(
    conn: Connection, caller: Actor, wanted: Wanted, before: UUID | None, limit: int
) -> tuple[list[Found], UUID | None]:
    """Matters that fit and that the caller may see, newest first, older than `before`; and where to go on, if at all.

    A page looks at so many matters and no more: one that is not full may go on.
    """
    search, start = _search(caller, wanted), before or NEWEST
    if search.lists:
        ids = await finding.newest_in_list(conn, search, start, limit)
    elif search.words:
        ids = await finding.newest_with_words(conn, search, start, limit)
    elif search.state is not None:
        ids = await finding.newest_in_state(conn, search.state, start, limit)
    else:
        ids = await finding.newest_of_all(conn, start, limit)
    return await found(conn, ids.found), ids.further


async def find_due(
    conn: Connection, caller: Actor, wanted: Wanted, after: Place | None, limit: int
) -> tuple[list[Found], Place | None]:
    """Open matters that fit, the next promise that is due first, following `after`; and where to go on, if at all."""
    until = wanted.due_before or FOREVER
    search = _search(caller, wanted)
    ids = await promised.due_before(conn, search, until, after or BEGINNING, limit)
    return await found(conn, ids.found), ids.further


def _search(caller: Actor, wanted: Wanted) -> Search:
    """The lists that must hold a matter, those that hold the fewest first."""
    lists = [
        listing.of_requester(wanted.requester) if wanted.requester else None,
        listing.of_party(caller.party) if caller.role not in SEES_ALL else None,
        listing.of_party(wanted.owner) if wanted.owner else None,
        listing.of_party(wanted.department) if wanted.department else None,
        listing.of_park(wanted.park) if wanted.park else None,
        listing.of_category(wanted.category) if wanted.category else None,
    ]
    return Search(
        tuple(dict.fromkeys(name for name in lists if name)),
        wanted.state,
        wanted.owner,
        wanted.category,
        wanted.park,
        wanted.words,
    )


async def found(conn: Connection, ids: Sequence[UUID]) -> list[Found]:
    """The matters with these ids and their requests, in the same order."""
    if not ids:
        return []
    loaded = await matters.load(conn, ids)
    asked = {request.matter_id: request for request in await requests.load_requests(conn, ids)}
    return [Found(loaded[str(each)], asked[str(each)]) for each in ids]


@dataclass(frozen=True, slots=True)
class Details:
    """A matter whole: its own request first, then those of the matters merged into it, and what it is joined with."""

    matter: Matter
    requests: Sequence[Request]
    merged: Sequence[str]
    joined: Sequence[str]


async def show(conn: Connection, caller: Actor, matter_id: UUID) -> Details | Missing:
    """One matter, where the caller may see it."""
    matter = (await matters.load(conn, [matter_id])).get(str(matter_id))
    if matter is None or not may_see(matter, caller):
        return missing(matter_id, matter)
    merged = await matters.merged_into(conn, matter_id)
    joined = await matters.joined_in(conn, UUID(matter.joint.joint_id)) if matter.joint else []
    asked = await requests.load_requests(conn, [matter_id, *merged])
    asked.sort(key=lambda request: (request.matter_id != matter.id, request.matter_id))
    return Details(matter, asked, merged, [each for each in joined if each != matter.id])


async def show_history(
    conn: Connection, caller: Actor, matter_id: UUID, after: int, limit: int
) -> list[Entry] | Missing:
    """The changes of one matter after a version, in order, where the caller may see it."""
    matter = (await matters.load(conn, [matter_id])).get(str(matter_id))
    if matter is None or not may_see(matter, caller):
        return missing(matter_id, matter)
    return await history.load_history(conn, matter_id, after, limit)


async def show_chart(
    conn: Connection,
    caller: Actor,
    department: str | None,
    park: str | None,
    after: Place | None,
    limit: int,
) -> Chart:
    """The milestones on the wall that the caller may see, the earliest due first."""
    lists = (
        None if caller.role in SEES_ALL else listing.of_party(caller.party),
        listing.of_park(park) if park else None,
    )
    wanted = ChartFilter(department, tuple(name for name in lists if name))
    return await chart.load_chart(conn, wanted, after or BEGINNING, limit)


@dataclass(frozen=True, slots=True)
class Rated:
    """The rates and the times of a group, or of the whole."""

    key: str | None
    rates: Mapping[str, Rate]
    times: Mapping[str, Spread]


async def show_rates(
    conn: Connection, since: datetime, until: datetime, by: GroupBy | None
) -> tuple[Rated, list[Rated]]:
    """The rates of a period as a whole, and by group."""
    periods = await rates.sum_period(conn, since, until, by, [each.value for each in Counted])
    whole, *groups = (_rated(period) for period in periods)
    return whole, groups


def _rated(period: Period) -> Rated:
    times = {
        "to_accept": period.to_accept,
        "to_first_contact": period.to_first_contact,
        "to_closure": period.to_closure,
    }
    return Rated(period.key, rates_of(period.counts), times)


THREE_RATES: Final = ("response", "resolution", "satisfaction")
RECENT: Final = timedelta(days=30)
COUNTED: Final = (Counted.VISITED.value, Counted.CLOSED.value)


@dataclass(frozen=True, slots=True)
class Overview:
    """The newest matters, the open ones whose promise is due first, and 三率 of the last 30 days."""

    arrivals: Sequence[Found]
    due: Sequence[Found]
    rates: Mapping[str, Rate]


async def overview(conn: Connection, now: datetime, limit: int) -> Overview:
    """At most `limit` arrivals, newest first, and as many promises, the earliest first.

    Whom a matter went to and why is in its `offer` until it is taken, then in its `owner`.
    """
    newest = await finding.newest_of_all(conn, NEWEST, limit)
    due = await promised.due_before(conn, Search(), FOREVER, BEGINNING, limit)
    whole, *_ = await rates.sum_period(conn, now - RECENT, now, None, COUNTED)
    every = rates_of(whole.counts)
    return Overview(
        await found(conn, newest.found),
        await found(conn, due.found),
        {name: every[name] for name in THREE_RATES},
    )
