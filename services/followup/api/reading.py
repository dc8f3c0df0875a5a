"""Reads over HTTP: lists, one matter, its history, the wall chart, the rates."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from services.followup.api import answers
from services.followup.api.edge import (
    PROBLEMS,
    STAFF,
    Edge,
    edge_of,
    explainer,
    problem_of,
)
from services.followup.api.named import check_parties
from services.followup.api.patience import attempt_patiently
from services.followup.api.views import chart_view, details_view, found_view, rated_view
from services.followup.domain.moment import ActingParty
from services.followup.domain.rates import GroupBy
from services.followup.domain.steps.chart import SOON
from services.followup.handlers import names as names_of
from services.followup.handlers import queries
from services.followup.handlers.queries import Details, Wanted
from services.followup.handlers.steps import Missing
from services.followup.store.history import RecordedChange
from services.followup.store.requests import terms_of
from shared.auth.tokens import Principal
from shared.contracts.fields.types import (
    VISIBLE,
    WHOLE,
    CategoryPath,
    PartyId,
    QueryMoment,
    QueryMomentOrDay,
    Uscc,
    sized,
)
from shared.contracts.vocabulary import MatterState, Role
from shared.http import cursors
from shared.http.problems import language
from shared.http.responses import Page, as_json
from shared.http.routes import CheckedRoute
from shared.messages.catalogue import text
from shared.runtime.errors import FieldError, Problem, invalid_because

router = APIRouter(
    route_class=CheckedRoute, prefix="/followup", tags=["reading"], responses=PROBLEMS
)

Caller = Annotated[Principal, Depends(STAFF)]
Limit = Annotated[int, Query(ge=1, le=200), WHOLE]
Cursor = Annotated[str | None, Query(max_length=200)]
Park = Annotated[str, sized(200), VISIBLE]

USUAL_PERIOD = timedelta(days=30)

ME: Final = "me"
"""The caller, where a party is named; no party's id."""

Read = TypeVar("Read")


def _actor(caller: Principal) -> ActingParty:
    return ActingParty(caller.role, caller.party)


class Filters(BaseModel):
    """The filters of a list of matters, its length and where it goes on. `q` is looked for in the summaries.

    `owner=me` is the caller, a liaison or a department; a coordinator's is the fallback desk.
    """

    state: MatterState | None = None
    owner: PartyId | None = None
    department: PartyId | None = None
    uscc: Uscc | None = None
    category: CategoryPath | None = None
    park: Park | None = None
    q: Annotated[str | None, Field(min_length=2, max_length=100), VISIBLE] = None
    due_before: QueryMoment | None = None
    overdue: bool = False
    limit: Annotated[int, Field(ge=1, le=200), WHOLE] = 50
    cursor: Annotated[str | None, Field(max_length=200)] = None

    def wanted(self, edge: Edge, caller: Principal, lang: str) -> Wanted:
        """Return the filters as the query takes them.

        Raises Problem 422 for words that are too short to be found, and for `me` of a caller who owns no matter.
        """
        if self.q is not None and not terms_of(self.q):
            raise Problem(422, "search_too_short")
        return Wanted(
            self.state,
            _owner(self.owner, caller, edge.office.desk, lang),
            self.department,
            self.uscc,
            self.category,
            self.park,
            self.q,
            self._due_before(edge.clock()),
        )

    def named(self, desk: str) -> dict[str, str | None]:
        """Return the parties that the filters name, by parameter, except the caller and the desk."""
        owner = None if self.owner in (ME, desk) else self.owner
        return {"owner": owner, "department": self.department}

    def _due_before(self, now: datetime) -> datetime | None:
        if not self.overdue:
            return self.due_before
        return now if self.due_before is None else min(now, self.due_before)


def _owner(owner: str | None, caller: Principal, desk: str, lang: str) -> str | None:
    if owner != ME:
        return owner
    if caller.role is Role.COORDINATOR:
        return desk
    if caller.role not in (Role.LIAISON, Role.DEPARTMENT):
        words = text("field.me_owns_nothing", lang)
        raise invalid_because([FieldError("/query/owner", "me_owns_nothing", words)])
    return caller.party


@router.get(
    "/matters",
    responses={200: {"model": Page[answers.MatterInList]}},
    operation_id="listMatters",
    summary="Search and filter",
)
async def list_matters(
    request: Request, caller: Caller, filters: Annotated[Filters, Query()]
) -> Response:
    """Newest first. With `due_before` or `overdue`: open ones alone, the promise that is due first leads.

    A page looks through a limited number of matters, so one that is not full, or empty, may go on: follow `next` until
    it is null.
    """
    edge, actor, lang = edge_of(request), _actor(caller), language(request)
    wanted = filters.wanted(edge, caller, lang)
    async with edge.db.reading() as conn:
        await check_parties(conn, filters.named(edge.office.desk), lang)
        if wanted.due_before is None:
            before = None if filters.cursor is None else cursors.read_id(filters.cursor)
            items, older = await queries.find_newest(conn, actor, wanted, before, filters.limit)
            position = cursors.write_cursor(str(older)) if older else None
        else:
            after = None if filters.cursor is None else cursors.read_place(filters.cursor)
            items, later = await queries.find_due(conn, actor, wanted, after, filters.limit)
            position = cursors.write_cursor(*later) if later else None
        names = await names_of.names_in_list(conn, items)
    shown = [found_view(each, edge.office, names) for each in items]
    return as_json({"items": shown, "next": position})


@router.get(
    "/matters/{matter_id}",
    responses={200: {"model": answers.MatterWhole}},
    operation_id="getMatter",
    summary="One matter whole",
)
async def show_matter(request: Request, matter_id: UUID, caller: Caller) -> Response:
    """With its clocks, milestones, tasks, requests, and the steps that the caller may take now."""
    edge, actor = edge_of(request), _actor(caller)

    async def read() -> Details | Missing:
        async with edge.db.reading() as conn:
            return await queries.show(conn, actor, matter_id)

    details = await _patiently(request, edge, matter_id, read)
    explain = explainer(edge, language(request))
    view = details_view(details, actor, edge.clock(), edge.office, explain)
    return as_json(view, headers={"etag": f'"{details.matter.version}"'})


@router.get(
    "/matters/{matter_id}/history",
    responses={200: {"model": Page[answers.HistoryEntry]}},
    operation_id="listMatterHistory",
    summary="Every change of a matter",
)
async def show_history(
    request: Request,
    matter_id: UUID,
    caller: Caller,
    limit: Annotated[int, Query(ge=1, le=500), WHOLE] = 200,
    cursor: Cursor = None,
) -> Response:
    """In order, each with its version, who caused it and what it followed from."""
    edge, actor, lang = edge_of(request), _actor(caller), language(request)
    after = 0 if cursor is None else cursors.read_number(cursor)

    async def read() -> list[RecordedChange] | Missing:
        async with edge.db.reading() as conn:
            return await queries.show_history(conn, actor, matter_id, after, limit)

    entries = await _patiently(request, edge, matter_id, read)
    position = cursors.write_cursor(entries[-1].version) if len(entries) == limit else None
    return as_json({"items": [_entry(entry, lang) for entry in entries], "next": position})


async def _patiently(
    request: Request,
    edge: Edge,
    matter_id: UUID,
    read: Callable[[], Awaitable[Read | Missing]],
) -> Read:
    """Return the result of `read`; a matter whose id is a moment old may appear up to 2 s late."""
    found = await attempt_patiently(edge.db, edge.news, matter_id, read)
    if isinstance(found, Missing):
        raise problem_of(found, edge, language(request))
    return found


def _entry(entry: RecordedChange, lang: str) -> dict[str, Any]:
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
    operation_id="getWallChart",
    summary="The wall chart",
)
async def show_chart(
    request: Request,
    caller: Caller,
    department: PartyId | None = None,
    park: Annotated[Park | None, Query()] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """挂图作战: milestones of open matters that are not settled, the earliest due first, with their lights."""
    edge, after = edge_of(request), None if cursor is None else cursors.read_place(cursor)
    async with edge.db.reading() as conn:
        await check_parties(conn, {"department": department}, language(request))
        chart = await queries.show_chart(conn, _actor(caller), department, park, after, limit)
        names = await names_of.names_on_chart(conn, chart)
    now = edge.clock()
    items = chart_view(chart.milestones, now, edge.office.calendar.add(now, SOON), names)
    position = cursors.write_cursor(*chart.further) if chart.further else None
    return as_json({"items": items, "next": position})


@router.get(
    "/rates",
    responses={200: {"model": answers.RatesOfPeriod}},
    operation_id="getRates",
    summary="The rates of a period",
)
async def show_rates(
    request: Request,
    caller: Caller,
    since: Annotated[QueryMomentOrDay | None, Query(alias="from")] = None,
    until: Annotated[QueryMomentOrDay | None, Query(alias="to")] = None,
    by: GroupBy | None = None,
) -> Response:
    """三率: numerator, denominator and what was left out. Dates count whole days of the town, `to` included."""
    edge = edge_of(request)
    end = edge.clock() if until is None else _moment(edge, until, ends=True)
    start = end - USUAL_PERIOD if since is None else _moment(edge, since, ends=False)
    if start >= end:
        raise Problem(422, "empty_period")
    async with edge.db.reading() as conn:
        whole, groups = await queries.show_rates(conn, start, end, by)
    return as_json(
        rated_view(whole)
        | {"from": start, "to": end, "by": by, "items": [rated_view(each) for each in groups]}
    )


def _moment(edge: Edge, given: date, *, ends: bool) -> datetime:
    """Return a moment as it is, and of a day its beginning or end in the town's zone."""
    if isinstance(given, datetime):
        return given
    return datetime.combine(given + timedelta(days=ends), time(), edge.office.calendar.zone)
