"""Imported files over HTTP: accepted whole or refused, then listed row by row."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.intake.api import answers, sheet
from services.intake.api.edge import PROBLEMS, edge_of
from services.intake.api.senders import foreign, is_for_staff
from services.intake.domain import NotTheirs, RowOutcome
from services.intake.handlers import imports
from services.intake.handlers.imports import ImportProgress
from services.intake.store.imports import Import, NewImport, Row
from shared.auth.tokens import Principal, require, tokens_of
from shared.contracts.fields.types import WHOLE, SourceUri
from shared.contracts.vocabulary import Role
from shared.http.problems import language
from shared.http.responses import as_json
from shared.http.routes import CheckedRoute
from shared.http.writes import idempotency
from shared.http.writes.idempotency import WriteResponse
from shared.messages.catalogue import text
from shared.runtime.database import Connection
from shared.runtime.errors import Problem
from shared.runtime.ids import new_id
from shared.tables.slices import collect_in_slices
from shared.tables.table import TableData
from shared.tables.upload import FILE_BODY, NOT_READ, read_upload
from shared.tables.writing import as_csv, escape_formula

router = APIRouter(route_class=CheckedRoute, prefix="/intake/imports")

Importer = Annotated[Principal, Depends(require(Role.SYSTEM, Role.COORDINATOR))]

READER_VERSION: Final = "2"
MENDED: Final = (RowOutcome.FAULTY, RowOutcome.CONFLICTING)


@router.post(
    "",
    status_code=202,
    responses={
        202: {"model": answers.ImportEntered},
        200: {"model": answers.ImportEntered},
        **PROBLEMS,
        **NOT_READ,
    },
    openapi_extra=FILE_BODY,
    operation_id="importRequests",
    summary="Submit a file of requests",
    dependencies=[idempotency.KEYED],
)
async def enter(
    request: Request,
    caller: Importer,
    source: Annotated[SourceUri | None, Query(description="stands in for the column")] = None,
) -> Response:
    """CSV or XLSX: a header row, a submission in each row below it, 10,000 rows at most.

    The file is read whole or refused. Of a workbook the one visible sheet with data is read; the answer names it, and
    hidden sheets with data. .xls, .ods and forms are 415, with what to do instead. A cell without a usable value (a
    formula without a result, an error, a number of more than 15 digits) or heading makes its row one to be mended.

    Columns are named as the fields of a submission (`requester.name`) or in words (诉求方名称). Valid rows are taken
    within moments, by the rules of every submission, so that a file sent again takes only what is new in it.
    A row under a `source` that the system's token does not have is one to be mended.
    202 when the file was kept now; 200 when the same file was kept before.
    """
    edge = edge_of(request)
    edge.refuse_when_full()
    if source is not None and caller.sources and source not in caller.sources:
        raise foreign(NotTheirs.SOURCE, caller)
    table = await read_upload(request, sheet.MOST_ROWS, "import_unusable")
    made = sheet.read_rows(table, source, language(request), caller.sources)
    rows = await collect_in_slices(made)
    digest = await _digest(request, source, table)
    new = NewImport(
        UUID(new_id()), caller.role, caller.party, digest, table.header, edge.clock(), rows
    )

    async def work(conn: Connection) -> WriteResponse:
        entered = await imports.enter(conn, new)
        body = {
            "import_id": str(entered.import_id),
            "status_url": f"/intake/imports/{entered.import_id}",
            "rows": len(rows),
            "sheet": table.sheet or None,
            "hidden_sheets": table.hidden_sheets,
        }
        return WriteResponse(202 if entered.fresh else 200, body)

    return await idempotency.run(request, edge.db, caller, work)


async def _digest(request: Request, source: str | None, table: TableData) -> bytes:
    """Return a digest that identifies a file sent again: its bytes, and the options of its reading."""
    # A file that an earlier reader took in part is read anew.
    parts = (READER_VERSION, source or "", table.encoding, "")
    raw = await request.body()
    return await asyncio.to_thread(_sha256, "\0".join(parts).encode(), raw)


def _sha256(*parts: bytes) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()


@router.get(
    "/{import_id}",
    responses={200: {"model": answers.ImportStatus}, **PROBLEMS},
    operation_id="getImport",
    summary="How far a file has come",
)
async def show(
    request: Request,
    import_id: UUID,
    caller: Importer,
    cursor: Annotated[int, Query(ge=0, le=10**9), WHOLE] = 0,
    limit: Annotated[int, Query(ge=1, le=1000), WHOLE] = 100,
) -> Response:
    """Progress, and what became of each row; for coordinators and for the sender, who alone sees receipts."""
    async with edge_of(request).db.reading() as conn:
        standing = await imports.load_status(conn, import_id, cursor, limit + 1)
    sees = partial(_may_hold, caller, is_for_staff(caller, tokens_of(request)))
    return as_json(_status(_visible_to(caller, standing), limit, sees))


@router.get(
    "/{import_id}/faulty",
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "the rows"},
        **PROBLEMS,
    },
    response_class=Response,
    operation_id="getFaultyRows",
    summary="The rows to be mended, as a file",
)
async def give_back(request: Request, import_id: UUID, caller: Importer) -> Response:
    """CSV: the rows that could not be taken, as they were sent, with a last column that says what to do.

    A cell that a spreadsheet program might run as a formula has an apostrophe before it, which is taken away again when
    the file is sent with its last column. Cells that stood under no heading still do.
    """
    async with edge_of(request).db.reading() as conn:
        standing = await imports.load_status(conn, import_id, 0, sheet.MOST_ROWS, MENDED)
    found, lang = _visible_to(caller, standing), language(request)
    header = found.file.header
    width = max(len(header), *(len(row.cells or ()) for row in found.rows), 0)
    rows = [
        tuple(map(escape_formula, (*_padded(row.cells or (), width), _problem(row, lang))))
        for row in found.rows
    ]
    return Response(
        as_csv((*_padded(header, width), text("import.problem", lang)), rows),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="faulty-{import_id}.csv"'},
    )


def _padded(cells: Sequence[str], width: int) -> tuple[str, ...]:
    return (*cells, *("",) * (width - len(cells)))


def _visible_to(caller: Principal, standing: ImportProgress | None) -> ImportProgress:
    if standing is not None and (
        caller.role is Role.COORDINATOR or caller.party == standing.file.party
    ):
        return standing
    raise Problem(404, "no_such_import")


def _may_hold(caller: Principal, for_staff: bool, file: Import, row: Row) -> bool:
    """Return whether the caller may see a row's receipt: it sent the file and, for staff, holds the receipt."""
    return caller.party == file.party and (not for_staff or row.issued_to == caller.party)


def _status(
    standing: ImportProgress, limit: int, sees: Callable[[Import, Row], bool]
) -> dict[str, Any]:
    file, counts = standing.file, standing.file.counts
    shown = standing.rows[:limit]
    to_mend = any(counts.get(outcome) for outcome in MENDED)
    return {
        "import_id": str(file.id),
        "state": "running" if counts.get(RowOutcome.PENDING) else "done",
        "created_at": file.created_at,
        "rows": sum(counts.values()),
        "counts": {outcome: counts.get(outcome, 0) for outcome in RowOutcome},
        "faulty_url": f"/intake/imports/{file.id}/faulty" if to_mend else None,
        "items": [_item(row, row.receipt if sees(file, row) else None) for row in shown],
        "next": str(shown[-1].number) if len(standing.rows) > limit else None,
    }


def _item(row: Row, receipt: str | None) -> dict[str, Any]:
    return {
        "row": row.number,
        "outcome": row.outcome,
        "request_id": str(row.request_id) if row.request_id else None,
        "receipt": receipt,
        "status_url": f"/intake/receipts/{receipt}" if receipt else None,
        "errors": row.errors,
    }


def _problem(row: Row, lang: str) -> str:
    if row.outcome is RowOutcome.CONFLICTING:
        return text("import.conflicting", lang, request_id=row.request_id)
    return "; ".join(f"{error['pointer']}: {error['detail']}" for error in row.errors)
