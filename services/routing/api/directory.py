"""The directory over HTTP, one entry at a time: each write is idempotent. It holds no rule and no SQL."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, TypeAlias
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Request, Response
from pydantic import AwareDatetime, Field, StringConstraints

from services.routing.api.edge import (
    PROBLEMS,
    Answerer,
    Body,
    Coordinator,
    Name,
    PartyId,
    Words,
    actor,
    edge_of,
)
from services.routing.handlers import directory, due
from services.routing.handlers.directory import BadDates, IdTaken, Missing, PrimaryOverlap
from services.routing.store.directory import (
    Absence,
    Department,
    EnterpriseEntry,
    LiaisonEntry,
    Put,
    Tie,
)
from shared.contracts import uscc as uscc_code
from shared.contracts.vocabulary import Role, Tier, TieRole
from shared.kit import commands
from shared.kit.auth import Principal
from shared.kit.commands import Answer
from shared.kit.db import Connection
from shared.kit.messages import text
from shared.kit.problems import FieldError, Problem, language

router = APIRouter(prefix="/routing", tags=["directory"])

EntryId = Annotated[
    str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$")
]
Uscc = Annotated[str, StringConstraints(min_length=18, max_length=18)]
PhoneLine = Annotated[str, StringConstraints(pattern=r"^[0-9+][0-9 ()\-]{2,30}$")]

# In this order: midnight with its zone is a moment, though it could be read as a day.
Moment = Annotated[AwareDatetime | date, Field(union_mode="left_to_right")]

Write: TypeAlias = Put | IdTaken | Missing | PrimaryOverlap | BadDates
RESERVED = ("me",)


class DepartmentBody(Body):
    """A department. `phone_desk` is the number of its desk."""

    name: Name
    phone_desk: PhoneLine | None = None


class LiaisonBody(Body):
    """A liaison. `capacity`: how many matters they may hold at once, offered and accepted; 0 is none."""

    name: Name
    department_id: PartyId
    capacity: int = Field(20, ge=0, le=1_000_000)


class EnterpriseBody(Body):
    """An enterprise: its park, what it does, and its weight in the town (重点, 规上, 一般)."""

    name: Name
    park: Name | None = None
    industry: Name | None = None
    tier: Tier = Tier.GENERAL


class TieBody(Body):
    """Who looks after an enterprise, from the first day to the last, both included; without `until`, further notice."""

    uscc: Uscc
    liaison_id: PartyId
    role: TieRole = TieRole.PRIMARY
    since: date = Field(alias="from")
    until: date | None = None
    reason: Words = "结对"


class AbsenceBody(Body):
    """Away from `from` to `until`: moments, or days, which count from their first to their last minute."""

    since: Moment = Field(alias="from")
    until: Moment | None = None
    deputy_id: PartyId | None = None


@router.put("/departments/{department_id}", responses=PROBLEMS, summary="Enter a department")
async def put_department(
    request: Request, department_id: EntryId, body: DepartmentBody, caller: Coordinator
) -> Response:
    """Its desk is offered matters under the department's id."""
    entry = Department(_free(department_id), body.name, body.phone_desk)
    shown = {"id": entry.id, "name": entry.name, "phone_desk": entry.phone_desk}
    return await _write(request, caller, lambda conn: directory.put_department(conn, entry), shown)


@router.put("/liaisons/{liaison_id}", responses=PROBLEMS, summary="Enter a liaison")
async def put_liaison(
    request: Request, liaison_id: EntryId, body: LiaisonBody, caller: Coordinator
) -> Response:
    """A person who is tied to enterprises and offered their matters."""
    entry = LiaisonEntry(_free(liaison_id), body.name, body.department_id, body.capacity)
    shown = {
        "id": entry.id,
        "name": entry.name,
        "department_id": entry.department_id,
        "capacity": entry.capacity,
    }
    return await _write(request, caller, lambda conn: directory.put_liaison(conn, entry), shown)


def _free(party_id: str) -> str:
    if party_id in RESERVED:
        raise Problem(422, "reserved_id", params={"id": party_id})
    return party_id


@router.put("/enterprises/{uscc}", responses=PROBLEMS, summary="Enter an enterprise")
async def put_enterprise(
    request: Request, uscc: str, body: EnterpriseBody, caller: Coordinator
) -> Response:
    """Under its unified social credit code (GB 32100-2015)."""
    if not uscc_code.is_valid(uscc):
        detail = text("field.uscc", language(request))
        raise Problem(422, "invalid", errors=[FieldError("/path/uscc", "uscc", detail)])
    entry = EnterpriseEntry(uscc, body.name, body.park, body.industry, body.tier)
    shown = {"uscc": uscc} | body.model_dump()
    return await _write(request, caller, lambda conn: directory.put_enterprise(conn, entry), shown)


@router.put("/ties/{tie_id}", responses=PROBLEMS, summary="Enter a tie (结对)")
async def put_tie(
    request: Request, tie_id: EntryId, body: TieBody, caller: Coordinator
) -> Response:
    """Of an enterprise's primaries no two hold on one day. Offers that are open stay with whom they were made to."""
    edge = edge_of(request)
    entry = Tie(tie_id, body.uscc, body.liaison_id, body.role, body.since, body.until, body.reason)

    async def put(conn: Connection) -> Write:
        return await directory.put_tie(conn, entry, actor(caller), edge.clock())

    shown = {"id": tie_id} | body.model_dump(by_alias=True)
    return await _write(request, caller, put, shown)


@router.put(
    "/liaisons/{liaison_id}/absences/{absence_id}",
    responses=PROBLEMS,
    summary="Enter an absence",
)
async def put_absence(
    request: Request,
    liaison_id: EntryId,
    absence_id: EntryId,
    body: AbsenceBody,
    caller: Answerer,
) -> Response:
    """A liaison enters their own. When it covers now, what is offered to them goes to the next at once."""
    if caller.role is not Role.COORDINATOR and (
        caller.role is not Role.LIAISON or caller.party != liaison_id
    ):
        raise Problem(403, "not_yourself")
    edge = edge_of(request)
    zone = edge.office.calendar.zone
    entry = Absence(
        liaison_id,
        absence_id,
        _beginning(body.since, zone),
        None if body.until is None else _end(body.until, zone),
        body.deputy_id,
    )
    shown = {
        "id": absence_id,
        "liaison_id": liaison_id,
        "from": entry.from_at,
        "until": entry.until_at,
        "deputy_id": entry.deputy_id,
    }
    answer = await _write(request, caller, lambda conn: directory.put_absence(conn, entry), shown)
    # A transaction of its own, after the absence can be seen; the sweep does it should this process end here.
    async with edge.db.transaction() as conn:
        await due.begin_absences(conn, edge.office, edge.clock(), actor(caller))
    return answer


def _beginning(given: date | datetime, zone: ZoneInfo) -> datetime:
    moment = given if isinstance(given, datetime) else datetime.combine(given, time.min, zone)
    return moment.astimezone(UTC)


def _end(given: date | datetime, zone: ZoneInfo) -> datetime:
    return _beginning(given if isinstance(given, datetime) else given + timedelta(days=1), zone)


async def _write(
    request: Request,
    caller: Principal,
    put: Callable[[Connection], Awaitable[Write]],
    shown: dict[str, Any],
) -> Response:
    async def work(conn: Connection) -> Answer:
        done = await put(conn)
        if not isinstance(done, Put):
            raise _refusal(done, language(request))
        return Answer(201 if done is Put.CREATED else 200, shown)

    return await commands.run(request, edge_of(request).db, caller, work)


def _refusal(refused: IdTaken | Missing | PrimaryOverlap | BadDates, lang: str) -> Problem:
    match refused:
        case IdTaken(party_id=party_id):
            return Problem(409, "party_of_another_kind", params={"id": party_id})
        case PrimaryOverlap(tie_id=tie_id):
            return Problem(
                409, "primary_overlap", params={"tie": tie_id}, members={"tie_id": tie_id}
            )
        case Missing(what=what, id=missing):
            params = {"what": what, "id": missing}
            return _field("unknown_reference", what, lang, params)
        case BadDates(what=what):
            return _field("bad_dates", what, lang, {})


def _field(code: str, what: str, lang: str, params: dict[str, str]) -> Problem:
    detail = text(f"problem.{code}.detail", lang, **params)
    return Problem(422, code, params=params, errors=[FieldError(f"/body/{what}", code, detail)])
