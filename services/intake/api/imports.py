"""Files of submissions over HTTP: kept whole or refused, then followed row by row. It holds no rule and no SQL."""

import asyncio
import hashlib
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.intake.api import answers, sheet
from services.intake.api.edge import PROBLEMS, edge_of
from services.intake.api.senders import foreign
from services.intake.domain import NotTheirs, RowOutcome
from services.intake.handlers import imports
from services.intake.handlers.imports import Standing
from services.intake.store.imports import NewImport, Row
from shared.contracts.submission import SourceUri
from shared.contracts.vocabulary import Role
from shared.kit import commands
from shared.kit.answers import as_json
from shared.kit.auth import Principal, require
from shared.kit.commands import Answer
from shared.kit.db import Connection
from shared.kit.ids import new_id
from shared.kit.messages import text
from shared.kit.problems import Problem, language
from shared.kit.tables import FILE_BODY, as_csv

router = APIRouter(prefix="/intake/imports")

Importer = Annotated[Principal, Depends(require(Role.SYSTEM, Role.COORDINATOR))]

MENDED: Final = (RowOutcome.FAULTY, RowOutcome.CONFLICTING)


@router.post(
    "",
    status_code=202,
    responses={
        202: {"model": answers.ImportEntered},
        200: {"model": answers.ImportEntered},
        **PROBLEMS,
    },
    openapi_extra=FILE_BODY,
    summary="Submit a file of requests",
    dependencies=[commands.KEYED],
)
async def enter(
    request: Request,
    caller: Importer,
    source: Annotated[SourceUri | None, Query(description="stands in for the column")] = None,
) -> Response:
    """CSV in UTF-8 or GB18030, or XLSX: a header row, a submission in each row below it, 10,000 rows at most.

    Columns are named as the fields of a submission (`requester.name`) or in words (诉求方名称). Valid rows are taken
    within moments, by the rules of every submission, so that a file sent again takes only what is new in it.
    A row under a `source` that the system's token does not have is one to be mended.
    202 when the file was kept now; 200 when the same file was kept before.
    """
    edge = edge_of(request)
    edge.refuse_when_full()
    if source is not None and caller.sources and source not in caller.sources:
        raise foreign(NotTheirs.SOURCE, caller)
    raw, lang = await request.body(), language(request)
    table, rows = await asyncio.to_thread(sheet.read_rows, raw, source, lang, caller.sources)
    digest = hashlib.sha256(f"{source or ''}\0".encode() + raw).digest()
    new = NewImport(
        UUID(new_id()), caller.role, caller.party, digest, table.header, edge.clock(), rows
    )

    async def work(conn: Connection) -> Answer:
        entered = await imports.enter(conn, new)
        body = {
            "import_id": str(entered.import_id),
            "status_url": f"/intake/imports/{entered.import_id}",
            "rows": len(rows),
        }
        return Answer(202 if entered.fresh else 200, body)

    return await commands.run(request, edge.db, caller, work)


@router.get(
    "/{import_id}",
    responses={200: {"model": answers.ImportStatus}, **PROBLEMS},
    summary="How far a file has come",
)
async def show(
    request: Request,
    import_id: UUID,
    caller: Importer,
    cursor: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Progress, and what became of each row; for coordinators and for whoever sent the file."""
    async with edge_of(request).db.reading() as conn:
        standing = await imports.standing(conn, import_id, cursor, limit + 1)
    return as_json(_status(_shown_to(caller, standing), limit))


@router.get(
    "/{import_id}/faulty",
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "the rows"},
        **PROBLEMS,
    },
    response_class=Response,
    summary="The rows to be mended, as a file",
)
async def give_back(request: Request, import_id: UUID, caller: Importer) -> Response:
    """CSV: the rows that could not be taken, as they were sent, with a last column that says what to do."""
    async with edge_of(request).db.reading() as conn:
        standing = await imports.standing(conn, import_id, 0, sheet.MOST_ROWS, MENDED)
    found, lang = _shown_to(caller, standing), language(request)
    width = len(found.file.header)
    rows = [
        (*((row.cells or ()) + ("",) * width)[:width], _problem(row, lang)) for row in found.rows
    ]
    return Response(
        as_csv((*found.file.header, text("import.problem", lang)), rows),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="faulty-{import_id}.csv"'},
    )


def _shown_to(caller: Principal, standing: Standing | None) -> Standing:
    if standing is not None and (
        caller.role is Role.COORDINATOR or caller.party == standing.file.party
    ):
        return standing
    raise Problem(404, "no_such_import")


def _status(standing: Standing, limit: int) -> dict[str, Any]:
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
        "items": [_item(row) for row in shown],
        "next": str(shown[-1].number) if len(standing.rows) > limit else None,
    }


def _item(row: Row) -> dict[str, Any]:
    return {
        "row": row.number,
        "outcome": row.outcome,
        "request_id": str(row.request_id) if row.request_id else None,
        "receipt": row.receipt,
        "status_url": f"/intake/receipts/{row.receipt}" if row.receipt else None,
        "errors": row.errors,
    }


def _problem(row: Row, lang: str) -> str:
    if row.outcome is RowOutcome.CONFLICTING:
        return text("import.conflicting", lang, request_id=row.request_id)
    return "; ".join(f"{error['pointer']}: {error['detail']}" for error in row.errors)
