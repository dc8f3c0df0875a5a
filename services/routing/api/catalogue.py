"""The dispatch catalogue over HTTP: upload a draft, activate a version, try one."""

from collections.abc import Iterable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response

from services.routing.api import catalogue_answers
from services.routing.api.edge import (
    PROBLEMS,
    Coordinator,
    Overseer,
    PageCursor,
    PageSize,
    edge_of,
)
from services.routing.api.paging import after_number, page
from services.routing.api.views import dispatch_view
from services.routing.catalogue.sheet import LARGEST_BYTES, MOST_ROWS, Faulty, Remark
from services.routing.handlers.commands import catalogue
from services.routing.handlers.commands.catalogue import CatalogueFile, Difference, changes_of
from services.routing.store import catalogues
from services.routing.store.catalogues import Version
from shared.contracts.fields.types import WHOLE
from shared.http.problems import language
from shared.http.responses import Page, as_json
from shared.http.routes import CheckedRoute
from shared.http.writes import idempotency
from shared.http.writes.idempotency import WriteResponse
from shared.messages.catalogue import text
from shared.runtime.database import Connection
from shared.runtime.errors import FieldError, Problem
from shared.tables.table import FAULT_CODES
from shared.tables.upload import FILE_BODY, NOT_READ, read_upload

router = APIRouter(
    route_class=CheckedRoute, prefix="/routing/catalogue/versions", tags=["catalogue"]
)

MOST_FAULTS: Final = 200
Number = Annotated[int, Path(ge=1, le=2_000_000_000), WHOLE]


@router.post(
    "",
    status_code=201,
    responses={201: {"model": catalogue_answers.DraftUploaded}, **PROBLEMS, **NOT_READ},
    openapi_extra=FILE_BODY,
    operation_id="uploadCatalogueVersion",
    summary="Upload a draft",
    dependencies=[idempotency.KEYED],
)
async def add(request: Request, caller: Coordinator) -> Response:
    """The catalogue as a CSV or XLSX file of 1 MiB at most, with the header of the sample town's.

    422 lists every fault with the row and column that a spreadsheet shows. Files are read as those of
    `POST /intake/imports` are; a CSV is kept as it was sent, any other file as a CSV of the same cells.
    """
    edge, lang = edge_of(request), language(request)
    raw = await request.body()
    if len(raw) > LARGEST_BYTES:
        too_large = [Remark("too_large", found=str(LARGEST_BYTES))]
        raise Problem(422, "catalogue_faulty", errors=_errors(too_large, lang))
    table = await read_upload(request, MOST_ROWS, "catalogue_faulty")
    file = CatalogueFile(raw, table)

    async def work(conn: Connection) -> WriteResponse:
        added = await catalogue.add_version(conn, file, caller.party, edge.clock())
        if isinstance(added, Faulty):
            raise Problem(422, "catalogue_faulty", errors=_errors(added.faults, lang))
        return WriteResponse(
            201,
            {
                "version": added.version,
                "state": "draft",
                "rules": added.rules,
                "warnings": [
                    _warning(catalogue.remark_fields(remark), lang) for remark in added.warnings
                ],
                "sheet": table.sheet or None,
                "hidden_sheets": table.hidden_sheets,
            },
            {"location": f"/routing/catalogue/versions/{added.version}"},
        )

    return await idempotency.run(request, edge.db, caller, work)


def _errors(faults: Iterable[Remark], lang: str) -> list[FieldError]:
    return [
        FieldError(
            "/" + "/".join(str(part) for part in (fault.row, fault.column) if part is not None),
            fault.code,
            _words(catalogue.remark_fields(fault), lang),
        )
        for fault in list(faults)[:MOST_FAULTS]
    ]


def _warning(kept: dict[str, Any], lang: str) -> dict[str, Any]:
    return kept | {"detail": _words(kept, lang)}


def _words(kept: dict[str, Any], lang: str) -> str:
    named = {"row": kept["row"], "column": kept["column"], "found": kept["found"]}
    area = "table" if kept["code"] in FAULT_CODES else "routing.sheet"
    return text(f"{area}.{kept['code']}", lang, **named)


@router.get(
    "",
    responses={200: {"model": Page[catalogue_answers.VersionInList]}, **PROBLEMS},
    operation_id="listCatalogueVersions",
    summary="All versions, the newest first",
)
async def list_versions(
    request: Request, caller: Overseer, limit: PageSize = 50, cursor: PageCursor = None
) -> Response:
    """Drafts, the version in force (`active`), and those that were (`retired`)."""
    lang = language(request)
    async with edge_of(request).db.reading() as conn:
        found = await catalogues.list_versions(conn, after_number(cursor), limit + 1)
    return page(
        found, limit, lambda version: (str(version.version),), lambda one: _version(one, lang)
    )


@router.get(
    "/{version}",
    responses={200: {"model": catalogue_answers.VersionWhole}, **PROBLEMS},
    operation_id="getCatalogueVersion",
    summary="One version",
)
async def show_version(request: Request, version: Number, caller: Overseer) -> Response:
    """With its file as it was uploaded."""
    async with edge_of(request).db.reading() as conn:
        found = await catalogues.load_version(conn, version)
        source = await catalogues.load_source(conn, version)
    if found is None:
        raise Problem(404, "no_such_version", params={"version": version})
    return as_json(_version(found, language(request)) | {"source": source})


def _version(version: Version, lang: str) -> dict[str, Any]:
    return {
        "version": version.version,
        "state": version.state,
        "rules": version.rules,
        "warnings": [_warning(dict(kept), lang) for kept in version.warnings],
        "created_at": version.created_at,
        "created_by": version.created_by,
        "activated_at": version.activated_at,
        "activated_by": version.activated_by,
    }


@router.post(
    "/{version}/activate",
    responses={200: {"model": catalogue_answers.VersionActivated}, **PROBLEMS},
    operation_id="activateCatalogueVersion",
    summary="Put a version in force",
    dependencies=[idempotency.KEYED],
)
async def activate(request: Request, version: Number, caller: Coordinator) -> Response:
    """From the next request on; the version before is retired. A retired version can be put in force again."""
    edge = edge_of(request)

    async def work(conn: Connection) -> WriteResponse:
        if not await catalogue.activate_version(conn, version, caller.party, edge.clock()):
            raise Problem(404, "no_such_version", params={"version": version})
        return WriteResponse(200, {"version": version, "state": "active"})

    return await idempotency.run(request, edge.db, caller, work)


@router.post(
    "/{version}/trial",
    responses={200: {"model": catalogue_answers.TrialDone}, **PROBLEMS},
    operation_id="tryCatalogueVersion",
    summary="Try a version on past requests",
    dependencies=[idempotency.KEYED],
)
async def run_trial(request: Request, version: Number, caller: Coordinator) -> Response:
    """What it would have decided otherwise for the newest 10,000 requests; nothing is changed.

    `changes` has the newest 200 that would differ, field by field, before and after. With an Idempotency-Key the first
    result is given again, though requests came meanwhile.
    """
    edge = edge_of(request)
    idempotency.idempotency_key(request)
    trial = await catalogue.try_version(edge.db, edge.office, version)
    if trial is None:
        raise Problem(404, "no_such_version", params={"version": version})
    result = {
        "version": version,
        "tried": trial.tried,
        "changed": trial.changed,
        "unchanged": trial.tried - trial.changed,
        "without_rule": trial.unruled,
        "by_rule": trial.by_rule,
        "changes": [_difference(difference) for difference in trial.differences],
    }

    async def answer(conn: Connection) -> WriteResponse:
        return WriteResponse(200, result)

    # Tried before the transaction begins, which may not be idle for as long.
    return await idempotency.run(request, edge.db, caller, answer)


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "request_id": difference.past.matter_id,
        "summary": difference.past.summary,
        "changed": {
            name: {"before": before, "after": after}
            for name, (before, after) in changes_of(difference).items()
        },
        "before": dispatch_view(difference.past.dispatched),
        "after": dispatch_view(difference.after),
    }
