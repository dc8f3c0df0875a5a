"""The directory over HTTP, one entry at a time; each write is idempotent."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Path, Request, Response

from services.routing.api.directory import answers
from services.routing.api.directory.absences import pass_on_offers
from services.routing.api.directory.answers import entered
from services.routing.api.directory.entries import (
    AbsenceBody,
    DepartmentBody,
    EnterpriseBody,
    LiaisonBody,
    NewPartyId,
    Refused,
    TieBody,
    absence_of,
    department_of,
    enterprise_of,
    liaison_of,
    problem_of,
    tie_of,
)
from services.routing.api.edge import PROBLEMS, Answerer, Coordinator, actor, edge_of
from services.routing.handlers.commands import directory
from services.routing.store.directory.entries import Put
from shared.auth.tokens import Principal
from shared.contracts.events.event import Actor
from shared.contracts.fields.types import PartyId, Uscc
from shared.contracts.vocabulary import Role
from shared.http.problems import language
from shared.http.routes import CheckedRoute
from shared.http.writes import idempotency
from shared.http.writes.idempotency import WriteResponse
from shared.runtime.database import Connection
from shared.runtime.errors import Problem

router = APIRouter(
    route_class=CheckedRoute,
    prefix="/routing",
    tags=["directory"],
    dependencies=[idempotency.KEYED],
)

EntryId = Annotated[PartyId, Path()]
Write: TypeAlias = Put | Refused


@router.put(
    "/departments/{department_id}",
    responses={**entered(answers.DepartmentShown), **PROBLEMS},
    operation_id="putDepartment",
    summary="Enter a department",
)
async def put_department(
    request: Request,
    department_id: Annotated[NewPartyId, Path()],
    body: DepartmentBody,
    caller: Coordinator,
) -> Response:
    """Its desk is offered matters under the department's id."""
    entry = department_of(department_id, body)
    shown = {"id": department_id} | body.model_dump()

    async def put(conn: Connection, by: Actor, now: datetime) -> Write:
        return await directory.put_department(conn, entry, by, now)

    return await _write(request, caller, put, shown)


@router.put(
    "/liaisons/{liaison_id}",
    responses={**entered(answers.LiaisonShown), **PROBLEMS},
    operation_id="putLiaison",
    summary="Enter a liaison",
)
async def put_liaison(
    request: Request,
    liaison_id: Annotated[NewPartyId, Path()],
    body: LiaisonBody,
    caller: Coordinator,
) -> Response:
    """A person who is tied to enterprises and offered their matters."""
    entry = liaison_of(liaison_id, body)
    shown = {"id": liaison_id} | body.model_dump()

    async def put(conn: Connection, by: Actor, now: datetime) -> Write:
        return await directory.put_liaison(conn, entry, by, now)

    return await _write(request, caller, put, shown)


@router.put(
    "/enterprises/{uscc}",
    responses={**entered(answers.EnterpriseShown), **PROBLEMS},
    operation_id="putEnterprise",
    summary="Enter an enterprise",
)
async def put_enterprise(
    request: Request, uscc: Annotated[Uscc, Path()], body: EnterpriseBody, caller: Coordinator
) -> Response:
    """Under its unified social credit code (GB 32100-2015)."""
    entry = enterprise_of(uscc, body)
    shown = {"uscc": uscc} | body.model_dump()

    async def put(conn: Connection, by: Actor, now: datetime) -> Write:
        return await directory.put_enterprise(conn, entry, by, now)

    return await _write(request, caller, put, shown)


@router.put(
    "/ties/{tie_id}",
    responses={**entered(answers.TieShown), **PROBLEMS},
    operation_id="putTie",
    summary="Enter a tie (结对)",
)
async def put_tie(
    request: Request, tie_id: EntryId, body: TieBody, caller: Coordinator
) -> Response:
    """Of an enterprise's primaries no two hold on one day. Offers that are open stay with whom they were made to."""
    entry = tie_of(tie_id, body)

    async def put(conn: Connection, by: Actor, now: datetime) -> Write:
        return await directory.put_tie(conn, entry, by, now)

    shown = {"id": tie_id} | body.model_dump(by_alias=True)
    return await _write(request, caller, put, shown)


@router.put(
    "/liaisons/{liaison_id}/absences/{absence_id}",
    responses={**entered(answers.AbsenceShown), **PROBLEMS},
    operation_id="putAbsence",
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
    entry = absence_of(liaison_id, absence_id, body, edge.office.calendar.zone)
    shown = {
        "id": absence_id,
        "liaison_id": liaison_id,
        "from": entry.from_at,
        "until": entry.until_at,
        "deputy_id": entry.deputy_id,
    }

    async def put(conn: Connection, by: Actor, now: datetime) -> Write:
        done = await directory.put_absence(conn, entry, by, now)
        await directory.hold_offers(conn, [liaison_id])
        return done

    answer = await _write(request, caller, put, shown)
    await pass_on_offers(edge, actor(caller), liaison_id)
    return answer


async def _write(
    request: Request,
    caller: Principal,
    put: Callable[[Connection, Actor, datetime], Awaitable[Write]],
    shown: dict[str, Any],
) -> Response:
    edge = edge_of(request)

    async def work(conn: Connection) -> WriteResponse:
        done = await put(conn, actor(caller), edge.clock())
        if not isinstance(done, Put):
            raise problem_of(done, language(request))
        return WriteResponse(201 if done is Put.CREATED else 200, shown)

    return await idempotency.run(request, edge.db, caller, work)
