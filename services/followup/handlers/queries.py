"""Queries: lists, one matter, its history, the wall chart, the rates."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.followup.domain.access import SEES_ALL, may_see, named_parties
from services.followup.domain.matter import Matter
from services.followup.domain.moment import ActingParty
from services.followup.domain.rates import Counted, GroupBy, Rate, rates_of
from services.followup.handlers.independence import workers_of
from services.followup.handlers.steps import Missing, missing
from services.followup.store import (
    chart,
    finding,
    history,
    listing,
    matters,
    parties,
    promised,
    rates,
    requests,
)
from services.followup.store.chart import Chart, ChartFilter
from services.followup.store.finding import NEWEST, Ids, Search
from services.followup.store.history import RecordedChange, Words
from services.followup.store.promised import BEGINNING, FOREVER, Place
from services.followup.store.rates import Period, Spread
from services.followup.store.requests import Request
from shared.contracts.fields import uscc
from shared.contracts.vocabulary import MatterState
from shared.runtime.database import Connection

MOST_SPELLINGS: Final = 8
"""So many ways to write one park or category are looked for together."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters of a list of matters; None matches everything. `due_before` orders the list by limit."""

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
    """A matter in a list, with its request."""

    matter: Matter
    request: Request


async def find_newest(
    conn: Connection, caller: ActingParty, wanted: Wanted, before: UUID | None, limit: int
) -> tuple[list[Found], UUID | None]:
    """Return matching matters that the caller may see, newest first, older than `before`, and the next position if any.

    A page looks at so many matters and no more: one that is not full may go on.
    """
    start = before or NEWEST
    pages = [
        await _newest(conn, search, start, limit)
        for search in await _searches(conn, caller, wanted)
    ]
    ids = pages[0] if len(pages) == 1 else finding.merged(pages, limit)
    return await found(conn, ids.found), ids.further


async def _newest(conn: Connection, search: Search, start: UUID, limit: int) -> Ids:
    if search.lists:
        return await finding.newest_in_list(conn, search, start, limit)
    if search.words:
        return await finding.newest_with_words(conn, search, start, limit)
    if search.state is not None:
        return await finding.newest_in_state(conn, search.state, start, limit)
    return await finding.newest_of_all(conn, start, limit)


async def find_due(
    conn: Connection, caller: ActingParty, wanted: Wanted, after: Place | None, limit: int
) -> tuple[list[Found], Place | None]:
    """Return matching open matters by next limit, following `after`, and the next position if any."""
    until = wanted.due_before or FOREVER
    start = after or BEGINNING
    pages = [
        await promised.due_before(conn, search, until, start, limit)
        for search in await _searches(conn, caller, wanted)
    ]
    ids = pages[0] if len(pages) == 1 else promised.merged(pages, limit)
    return await found(conn, ids.found), ids.further


async def _searches(conn: Connection, caller: ActingParty, wanted: Wanted) -> list[Search]:
    """Return one search for each stored spelling of the filters; usually one."""
    requesters = _requesters(wanted.requester)
    categories = await _written(conn, wanted.category, listing.of_category)
    parks = await _written(conn, wanted.park, listing.of_park)
    return [
        _search(caller, replace(wanted, requester=requester, category=category, park=park))
        for requester in requesters
        for category in categories
        for park in parks
    ]


def _requesters(asked: str | None) -> list[str | None]:
    """Return the enterprise code that was meant and the id as given: a person's id may have any form."""
    if asked is None:
        return [None]
    code = uscc.canonical(asked)
    return list(dict.fromkeys([code, asked] if uscc.is_valid(code) else [asked]))


async def _written(
    conn: Connection, asked: str | None, list_of: Callable[[str], str]
) -> Sequence[str | None]:
    if asked is None:
        return [None]
    found = await listing.spellings(conn, list_of(asked))
    return [name.removeprefix(list_of("")) for name in found][:MOST_SPELLINGS]


def _search(caller: ActingParty, wanted: Wanted) -> Search:
    """Return the lists that must contain a matter, the shortest first."""
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
    """Return the matters with these ids and their requests, in the same order."""
    if not ids:
        return []
    loaded = await matters.load(conn, ids)
    asked = {request.matter_id: request for request in await requests.load_requests(conn, ids)}
    return [Found(loaded[str(each)], asked[str(each)]) for each in ids]


@dataclass(frozen=True, slots=True)
class Details:
    """A whole matter: its own request first, then those merged into it, and the matters it is joined with.

    `words` are what the holders of these requests' receipts added, `names` those of its
    parties by id. While its return visit is due, `workers` are those who cannot make it.
    """

    matter: Matter
    requests: Sequence[Request]
    merged: Sequence[str]
    joined: Sequence[str]
    words: Sequence[Words]
    workers: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)


async def show(conn: Connection, caller: ActingParty, matter_id: UUID) -> Details | Missing:
    """Return one matter; None unless the caller may see it."""
    matter = (await matters.load(conn, [matter_id])).get(str(matter_id))
    if matter is None or not may_see(matter, caller):
        return missing(matter_id, matter)
    merged = await matters.merged_into(conn, matter_id)
    joined = await matters.joined_in(conn, UUID(matter.joint.joint_id)) if matter.joint else []
    asked = await requests.load_requests(conn, [matter_id, *merged])
    asked.sort(key=lambda request: (request.matter_id != matter.id, request.matter_id))
    words = await history.load_words(conn, [matter.id, *merged])
    waits = matter.state is MatterState.HANDLED
    workers = await workers_of(conn, matter_id) if waits else frozenset()
    others = [each for each in joined if each != matter.id]
    names = await parties.load_names(conn, named_parties(matter))
    return Details(matter, asked, merged, others, words, workers, names)


async def show_history(
    conn: Connection, caller: ActingParty, matter_id: UUID, after: int, limit: int
) -> list[RecordedChange] | Missing:
    """Return the changes of one matter after a version, in order; None unless the caller may see it."""
    matter = (await matters.load(conn, [matter_id])).get(str(matter_id))
    if matter is None or not may_see(matter, caller):
        return missing(matter_id, matter)
    return await history.load_history(conn, matter_id, after, limit)


async def show_chart(
    conn: Connection,
    caller: ActingParty,
    department: str | None,
    park: str | None,
    after: Place | None,
    limit: int,
) -> Chart:
    """Return the milestones on the wall chart that the caller may see, the earliest due first."""
    own = None if caller.role in SEES_ALL else listing.of_party(caller.party)
    pages = []
    for name in await _written(conn, park, listing.of_park):
        lists = (own, listing.of_park(name) if name else None)
        wanted = ChartFilter(department, tuple(each for each in lists if each))
        pages.append(await chart.load_chart(conn, wanted, after or BEGINNING, limit))
    return pages[0] if len(pages) == 1 else chart.merged(pages, limit)


@dataclass(frozen=True, slots=True)
class Rated:
    """The rates and the times of a group, or of the whole."""

    key: str | None
    rates: Mapping[str, Rate]
    times: Mapping[str, Spread]


async def show_rates(
    conn: Connection, since: datetime, until: datetime, by: GroupBy | None
) -> tuple[Rated, list[Rated]]:
    """Return the rates of a period in total and by group."""
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
COUNTED: Final = tuple(
    each.value
    for each in (
        Counted.VISITED,
        Counted.CLOSED,
        Counted.MERGED,
        Counted.UNMERGED,
        Counted.WITHDRAWN,
        Counted.REJECTED,
    )
)
"""What 三率 are made of, with what they leave out."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The newest matters, the open ones with the earliest limits, and 三率 of the last 30 days."""

    arrivals: Sequence[Found]
    due: Sequence[Found]
    rates: Mapping[str, Rate]


async def overview(conn: Connection, now: datetime, limit: int, caller: ActingParty) -> Overview:
    """Return at most `limit` arrivals, newest first, and as many limits, earliest first.

    Those that the caller may see. The rates are the town's. Whom a matter went to and why is in its `offer` until it
    is taken, then in its `owner`.
    """
    search = _search(caller, Wanted())
    if search.lists:
        newest = await finding.newest_in_list(conn, search, NEWEST, limit)
    else:
        newest = await finding.newest_of_all(conn, NEWEST, limit)
    due = await promised.due_before(conn, search, FOREVER, BEGINNING, limit)
    whole, *_ = await rates.sum_period(conn, now - RECENT, now, None, COUNTED)
    every = rates_of(whole.counts)
    return Overview(
        await found(conn, newest.found),
        await found(conn, due.found),
        {name: every[name] for name in THREE_RATES},
    )
