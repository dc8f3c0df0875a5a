"""The directory over HTTP, page by page, for all staff."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.routing.api.directory import answers
from services.routing.api.edge import PROBLEMS, PageCursor, PageSize, Staff, edge_of
from services.routing.api.paging import after_id, page
from services.routing.store.directory import listing
from shared.contracts.fields.types import Name, PartyNamed, Uscc
from shared.contracts.vocabulary import Tier
from shared.http.problems import language
from shared.http.responses import Page
from shared.http.routes import CheckedRoute
from shared.messages.catalogue import text
from shared.runtime.database import Connection
from shared.runtime.errors import FieldError, invalid_because

router = APIRouter(route_class=CheckedRoute, prefix="/routing", tags=["directory"])


async def _check_party(conn: Connection, name: str, party: str | None, lang: str) -> None:
    """Raises Problem 422 for a filter whose party is not in the directory: it would match nothing."""
    if party is not None and not await listing.has_party(conn, party):
        words = text("field.unknown_party", lang, party=party)
        raise invalid_because([FieldError(f"/query/{name}", "unknown_party", words)])


Wanted = Annotated[Name | None, Query()]
WantedParty = Annotated[PartyNamed | None, Query()]


@router.get(
    "/departments",
    responses={200: {"model": Page[answers.DepartmentShown]}, **PROBLEMS},
    operation_id="listDepartments",
    summary="Departments",
)
async def departments(
    request: Request, caller: Staff, limit: PageSize = 50, cursor: PageCursor = None
) -> Response:
    """In the order of their ids."""
    async with edge_of(request).db.reading() as conn:
        found = await listing.list_departments(conn, after_id(cursor), limit + 1)
    return page(found, limit, lambda row: (row["id"],), dict)


@router.get(
    "/liaisons",
    responses={200: {"model": Page[answers.LiaisonInList]}, **PROBLEMS},
    operation_id="listLiaisons",
    summary="Liaisons",
)
async def liaisons(
    request: Request,
    caller: Staff,
    department_id: WantedParty = None,
    limit: PageSize = 50,
    cursor: PageCursor = None,
) -> Response:
    """With how many matters they hold (`load`) and whether they are away."""
    edge = edge_of(request)
    async with edge.db.reading() as conn:
        await _check_party(conn, "department_id", department_id, language(request))
        found = await listing.list_liaisons(
            conn, after_id(cursor), limit + 1, department_id, edge.clock()
        )
    return page(found, limit, lambda row: (row["id"],), dict)


@router.get(
    "/enterprises",
    responses={200: {"model": Page[answers.EnterpriseShown]}, **PROBLEMS},
    operation_id="listEnterprises",
    summary="Enterprises",
)
async def enterprises(
    request: Request,
    caller: Staff,
    park: Wanted = None,
    tier: Tier | None = None,
    limit: PageSize = 50,
    cursor: PageCursor = None,
) -> Response:
    """In the order of their codes; of one park or tier when asked so."""
    async with edge_of(request).db.reading() as conn:
        found = await listing.list_enterprises(conn, after_id(cursor), limit + 1, park, tier)
    return page(found, limit, lambda row: (row["uscc"],), dict)


@router.get(
    "/ties",
    responses={200: {"model": Page[answers.TieShown]}, **PROBLEMS},
    operation_id="listTies",
    summary="Ties",
)
async def ties(
    request: Request,
    caller: Staff,
    uscc: Uscc | None = None,
    liaison_id: WantedParty = None,
    limit: PageSize = 50,
    cursor: PageCursor = None,
) -> Response:
    """Past, present and future ones; of one enterprise or liaison when asked so."""
    async with edge_of(request).db.reading() as conn:
        await _check_party(conn, "liaison_id", liaison_id, language(request))
        found = await listing.list_ties(conn, after_id(cursor), limit + 1, uscc, liaison_id)
    return page(found, limit, lambda row: (row["id"],), dict)


@router.get(
    "/liaisons/{liaison_id}/absences",
    responses={200: {"model": Page[answers.AbsenceShown]}, **PROBLEMS},
    operation_id="listAbsences",
    summary="A liaison's absences",
)
async def absences(
    request: Request,
    liaison_id: str,
    caller: Staff,
    limit: PageSize = 50,
    cursor: PageCursor = None,
) -> Response:
    """Past, present and future ones."""
    async with edge_of(request).db.reading() as conn:
        found = await listing.list_absences(conn, liaison_id, after_id(cursor), limit + 1)
    return page(found, limit, lambda row: (row["id"],), dict)
