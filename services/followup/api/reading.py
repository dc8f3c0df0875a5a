"""What can be read over HTTP: lists, one matter, its history, the wall chart and the rates."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from services.followup.api import answers, cursors
from services.followup.api.edge import (
    BREATH_SECONDS,
    PATIENCE_SECONDS,
    POLL_SECONDS,
    PROBLEMS,
    STAFF,
    Edge,
    edge_of,
    problem_of,
)
from services.followup.api.views import chart_view, details_view, found_view, rated_view
from services.followup.domain.chart import SOON
from services.followup.domain.moment import Actor
from services.followup.domain.rates import GroupBy
from services.followup.handlers import queries
from services.followup.handlers.queries import Details, Wanted
from services.followup.handlers.steps import Missing, may_yet_come
from services.followup.store.history import Entry
from services.followup.store.requests import terms_of
from shared.contracts.event import Instant
from shared.contracts.vocabulary import MatterState
from shared.kit.answers import Page, as_json
from shared.kit.auth import Principal
from shared.kit.clock import system_clock
from shared.kit.messages import text
from shared.kit.problems import Problem, language

router = APIRouter(prefix="/followup", tags=["reading"], responses=PROBLEMS)

Caller = Annotated[Principal, Depends(STAFF)]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=200)]
Filter = Annotated[str | None, Field(min_length=1, max_length=200)]

Named = Annotated[str | None, Query(min_length=1, max_length=200)]

USUAL_PERIOD = timedelta(days=30)

Read = TypeVar("Read")


def _actor(caller: Principal) -> Actor:
    return Actor(caller.role, caller.party)


class Filters(BaseModel):
    """The filters of a list of matters, its length and where it goes on. `q` is looked for in the summaries."""

    state: MatterState | None = None
    owner: Filter = None
    department: Filter = None
    uscc: Filter = None
    category: Filter = None
    park: Filter = None
    q: Annotated[str | None, Field(min_length=2, max_length=100)] = None
    due_before: Instant | None = None
    overdue: bool = False
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str | None, Field(max_length=200)] = None

    def wanted(self, now: datetime) -> Wanted:
        """What the rules of the lists are asked for. Raises Problem 422 for words that are too short to be found."""
        if self.q is not None and not terms_of(self.q):
            raise Problem(422, "search_too_short")
        return Wanted(
            self.state,
            self.owner,
            self.department,
            self.uscc,
            self.category,
            self.park,
            self.q,
            now if self.overdue else self.due_before,
        )


@router.get(
    "/matters", responses={200: {"model": Page[answers.MatterInList]}}, summary="Search and filter"
)
async def list_matters(
    request: Request, caller: Caller, filters: Annotated[Filters, Query()]
) -> Response:
    """Newest first. With `due_before` or `overdue`: open ones alone, the promise that is due first leads.

    A page looks through a limited number of matters, so one that is not full, or empty, may go on: follow `next` until
    it is null.
    """
    edge, actor = edge_of(request), _actor(caller)
    wanted = filters.wanted(edge.clock())
    async with edge.db.reading() as conn:
        if wanted.due_before is None:
            before = cursors.read_id(filters.cursor)
            items, older = await queries.find_newest(conn, actor, wanted, before, filters.limit)
            position = cursors.of_id(str(older)) if older else None
        else:
            after = cursors.read_place(filters.cursor)
            items, later = await queries.find_due(conn, actor, wanted, after, filters.limit)
            position = cursors.of_place(later) if later else None
    return as_json({"items": [found_view(each, edge.office) for each in items], "next": position})


@router.get(
    "/matters/{matter_id}",
    responses={200: {"model": answers.MatterWhole}},
    summary="One matter whole",
)
async def show_matter(request: Request, matter_id: UUID, caller: Caller) -> Response:
    """With its clocks, milestones, tasks, requests, and the steps that the caller may take now."""
    edge, actor = edge_of(request), _actor(caller)

    async def read() -> Details | Missing:
        async with edge.db.reading() as conn:
            return await queries.show(conn, actor, matter_id)

    details = await _patiently(request, edge, read)
    view = details_view(details, actor, edge.clock(), edge.office)
    return as_json(view, headers={"etag": f'"{details.matter.version}"'})


@router.get(
    "/matters/{matter_id}/history",
    responses={200: {"model": Page[answers.HistoryEntry]}},
    summary="Every change of a matter",
)
async def show_history(
    request: Request,
    matter_id: UUID,
    caller: Caller,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
    cursor: Cursor = None,
) -> Response:
    """In order, each with its version, who caused it and what it followed from."""
    edge, actor, lang = edge_of(request), _actor(caller), language(request)
    after = cursors.read_version(cursor)

    async def read() -> list[Entry] | Missing:
        async with edge.db.reading() as conn:
            return await queries.show_history(conn, actor, matter_id, after, limit)

    entries = await _patiently(request, edge, read)
    position = cursors.of_version(entries[-1].version) if len(entries) == limit else None
    return as_json({"items": [_entry(entry, lang) for entry in entries], "next": position})


async def _patiently(
    request: Request, edge: Edge, read: Callable[[], Awaitable[Read | Missing]]
) -> Read:
    """What `read` finds; a matter whose id was drawn a moment ago may be 2 s late."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_SECONDS
    while True:
        before = edge.db.committed.count
        found = await read()
        if not isinstance(found, Missing):
            return found
        left = deadline - loop.time()
        if left <= 0 or not may_yet_come(found, system_clock()):
            raise problem_of(found, edge, language(request))
        await asyncio.sleep(BREATH_SECONDS)
        await edge.db.committed.wait(min(POLL_SECONDS, left), before)


def _entry(entry: Entry, lang: str) -> dict[str, Any]:
    name = entry.type.removeprefix("liaison.").rpartition(".")[0]
    actor = entry.data.get("actor", {})
    if entry.causation_id is not None:
        cause = {"kind": "event", "id": entry.causation_id}
    elif actor.get("role") == "clock":
        cause = {"kind": "clock", "id": entry.data.get("clock", "resume")}
    else:
        cause = {"kind": "step", "id": name}
    return {
        "version": entry.version,
        "event_id": str(entry.event_id),
        "type": name,
        "label": text(f"timeline.{name}", lang),
        "at": entry.at,
        "actor": actor,
        "cause": cause,
        "state": entry.data.get("state"),
        "round": entry.data.get("round"),
        "data": entry.data,
    }


@router.get(
    "/wall-chart",
    responses={200: {"model": Page[answers.ChartedMilestone]}},
    summary="The wall chart",
)
async def show_chart(
    request: Request,
    caller: Caller,
    department: Named = None,
    park: Named = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """挂图作战: milestones of open matters that are not settled, the earliest due first, with their lights."""
    edge, after = edge_of(request), cursors.read_place(cursor)
    async with edge.db.reading() as conn:
        chart = await queries.show_chart(conn, _actor(caller), department, park, after, limit)
    now = edge.clock()
    items = chart_view(chart.milestones, now, edge.office.calendar.add(now, SOON))
    position = cursors.of_place(chart.further) if chart.further else None
    return as_json({"items": items, "next": position})


@router.get(
    "/rates", responses={200: {"model": answers.RatesOfPeriod}}, summary="The rates of a period"
)
async def show_rates(
    request: Request,
    caller: Caller,
    since: Annotated[str | None, Query(alias="from", max_length=40)] = None,
    until: Annotated[str | None, Query(alias="to", max_length=40)] = None,
    by: GroupBy | None = None,
) -> Response:
    """三率: numerator, denominator and what was left out. Dates count whole days of the town, `to` included."""
    edge = edge_of(request)
    end = _instant(edge, "to", until, ends=True) or edge.clock()
    start = _instant(edge, "from", since, ends=False) or end - USUAL_PERIOD
    if start >= end:
        raise Problem(422, "empty_period")
    async with edge.db.reading() as conn:
        whole, groups = await queries.show_rates(conn, start, end, by)
    return as_json(
        rated_view(whole)
        | {"from": start, "to": end, "by": by, "items": [rated_view(each) for each in groups]}
    )


def _instant(edge: Edge, name: str, given: str | None, *, ends: bool) -> datetime | None:
    if given is None:
        return None
    try:
        if len(given) == len("2026-03-02"):
            day = date.fromisoformat(given) + timedelta(days=ends)
            return datetime.combine(day, time(), edge.office.calendar.zone)
        at = datetime.fromisoformat(given)
    except (ValueError, OverflowError):
        raise Problem(422, "no_date", params={"name": name}) from None
    if at.tzinfo is None:
        raise Problem(422, "no_time_zone", params={"name": name})
    return at
