"""The directory over HTTP, one entry at a time: each write is idempotent. It holds no rule and no SQL."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Path, Request, Response

from services.routing.api import kept
from services.routing.api.edge import PROBLEMS, Answerer, Coordinator, actor, edge_of
from services.routing.api.entries import (
    AbsenceBody,
    DepartmentBody,
    EnterpriseBody,
    LiaisonBody,
    NewPartyId,
    Refused,
    TieBody,
    Uscc,
    absence_of,
    department_of,
    enterprise_of,
    liaison_of,
    problem_of,
    tie_of,
)
from services.routing.api.kept import entered
from services.routing.handlers import directory, due
from services.routing.store.directory import Put
from shared.contracts.vocabulary import Role
from shared.kit import commands
from shared.kit.auth import Principal
from shared.kit.commands import Answer
from shared.kit.db import Connection
from shared.kit.problems import Problem, language

router = APIRouter(prefix="/routing", tags=["directory"], dependencies=[commands.KEYED])

EntryId = Annotated[
    str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$")
]
Write: TypeAlias = Put | Refused


@router.put(
    "/departments/{department_id}",
    responses={**entered(kept.DepartmentShown), **PROBLEMS},
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
    return await _write(request, caller, lambda conn: directory.put_department(conn, entry), shown)


@router.put(
    "/liaisons/{liaison_id}",
    responses={**entered(kept.LiaisonShown), **PROBLEMS},
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
    return await _write(request, caller, lambda conn: directory.put_liaison(conn, entry), shown)


@router.put(
    "/enterprises/{uscc}",
    responses={**entered(kept.EnterpriseShown), **PROBLEMS},
    summary="Enter an enterprise",
)
async def put_enterprise(
    request: Request, uscc: Annotated[Uscc, Path()], body: EnterpriseBody, caller: Coordinator
) -> Response:
    """Under its unified social credit code (GB 32100-2015)."""
    entry = enterprise_of(uscc, body)
    shown = {"uscc": uscc} | body.model_dump()
    return await _write(request, caller, lambda conn: directory.put_enterprise(conn, entry), shown)


@router.put(
    "/ties/{tie_id}",
    responses={**entered(kept.TieShown), **PROBLEMS},
    summary="Enter a tie (结对)",
)
async def put_tie(
    request: Request, tie_id: EntryId, body: TieBody, caller: Coordinator
) -> Response:
    """Of an enterprise's primaries no two hold on one day. Offers that are open stay with whom they were made to."""
    edge, entry = edge_of(request), tie_of(tie_id, body)

    async def put(conn: Connection) -> Write:
        return await directory.put_tie(conn, entry, actor(caller), edge.clock())

    shown = {"id": tie_id} | body.model_dump(by_alias=True)
    return await _write(request, caller, put, shown)


@router.put(
    "/liaisons/{liaison_id}/absences/{absence_id}",
    responses={**entered(kept.AbsenceShown), **PROBLEMS},
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
    answer = await _write(request, caller, lambda conn: directory.put_absence(conn, entry), shown)
    # A transaction of its own, after the absence can be seen; the sweep does it should this process end here.
    async with edge.db.transaction() as conn:
        await due.begin_absences(conn, edge.office, edge.clock(), actor(caller), liaison_id)
    return answer


async def _write(
    request: Request,
    caller: Principal,
    put: Callable[[Connection], Awaitable[Write]],
    shown: dict[str, Any],
) -> Response:
    async def work(conn: Connection) -> Answer:
        done = await put(conn)
        if not isinstance(done, Put):
            raise problem_of(done, language(request))
        return Answer(201 if done is Put.CREATED else 200, shown)

    return await commands.run(request, edge_of(request).db, caller, work)
