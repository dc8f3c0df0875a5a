"""The directory as files over HTTP: all rows of one or none. It holds no rule and no SQL."""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from services.routing.api import kept
from services.routing.api.edge import PROBLEMS, Coordinator, Edge, PartyId, actor, edge_of
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
    error_of,
    liaison_of,
    tie_of,
)
from services.routing.handlers import directory, due
from services.routing.store.directory import Put
from shared.contracts.event import Actor
from shared.kit import commands
from shared.kit.commands import Answer
from shared.kit.db import Connection
from shared.kit.messages import text
from shared.kit.problems import FieldError, Problem, field_errors, language
from shared.kit.tables import FILE_BODY, Unusable, read_table

router = APIRouter(prefix="/routing/directory", tags=["directory"], dependencies=[commands.KEYED])

MOST_ROWS: Final = 5000
MOST_FAULTS: Final = 200
_FROM_TODAY: Final = re.compile(r"\+([0-9]{1,4})d", re.ASCII)


class What(StrEnum):
    """What the rows of a file are."""

    DEPARTMENTS = "departments"
    LIAISONS = "liaisons"
    ENTERPRISES = "enterprises"
    TIES = "ties"
    ABSENCES = "absences"


class DepartmentRow(DepartmentBody):
    """A row of departments.csv."""

    id: NewPartyId


class LiaisonRow(LiaisonBody):
    """A row of liaisons.csv."""

    id: NewPartyId


class EnterpriseRow(EnterpriseBody):
    """A row of enterprises.csv."""

    uscc: Uscc


class TieRow(TieBody):
    """A row of ties.csv."""

    id: PartyId


class AbsenceRow(AbsenceBody):
    """A row of absences.csv; its dates may be counted from today: +3d."""

    id: PartyId
    liaison_id: PartyId


Row: TypeAlias = DepartmentRow | LiaisonRow | EnterpriseRow | TieRow | AbsenceRow
ROWS: Final[Mapping[What, type[Row]]] = {
    What.DEPARTMENTS: DepartmentRow,
    What.LIAISONS: LiaisonRow,
    What.ENTERPRISES: EnterpriseRow,
    What.TIES: TieRow,
    What.ABSENCES: AbsenceRow,
}


@dataclass(frozen=True, slots=True)
class _Entering:
    """What each row is entered with."""

    conn: Connection
    edge: Edge
    actor: Actor

    async def put(self, row: Row) -> Put | Refused:
        conn = self.conn
        match row:
            case DepartmentRow():
                return await directory.put_department(conn, department_of(row.id, row))
            case LiaisonRow():
                return await directory.put_liaison(conn, liaison_of(row.id, row))
            case EnterpriseRow():
                return await directory.put_enterprise(conn, enterprise_of(row.uscc, row))
            case TieRow():
                entry = tie_of(row.id, row)
                return await directory.put_tie(conn, entry, self.actor, self.edge.clock())
            case AbsenceRow():
                zone = self.edge.office.calendar.zone
                absence = absence_of(row.liaison_id, row.id, row, zone)
                return await directory.put_absence(conn, absence)


@router.post(
    "/imports",
    responses={200: {"model": kept.FileEntered}, **PROBLEMS},
    openapi_extra=FILE_BODY,
    summary="Enter a file of entries",
)
async def import_entries(request: Request, kind: What, caller: Coordinator) -> Response:
    """CSV in UTF-8 or GB18030, or XLSX, with a header row of field names, as the sample town's; 5,000 rows at most.

    Each row is entered as by its own PUT, all of them or, when anything is wrong, none.
    """
    edge, lang = edge_of(request), language(request)
    today = edge.office.today(edge.clock())
    rows = await asyncio.to_thread(_rows, await request.body(), kind, today, lang)

    async def work(conn: Connection) -> Answer:
        done = await _enter(_Entering(conn, edge, actor(caller)), rows, lang)
        return Answer(200, {"kind": kind, "rows": len(rows)} | {put: done[put] for put in Put})

    answer = await commands.run(request, edge.db, caller, work)
    if kind is What.ABSENCES:
        async with edge.db.transaction() as conn:
            await due.begin_absences(conn, edge.office, edge.clock(), actor(caller))
    return answer


async def _enter(entering: _Entering, rows: Mapping[int, Row], lang: str) -> Counter[Put]:
    done: Counter[Put] = Counter()
    for number, row in rows.items():
        put = await entering.put(row)
        if not isinstance(put, Put):
            # Rows after it may fail for this alone, so that it is told alone.
            raise Problem(422, "import_faulty", errors=[error_of(put, lang, f"/{number}/")])
        done[put] += 1
    return done


def _rows(raw: bytes, kind: What, today: date, lang: str) -> dict[int, Row]:
    """The rows by their number in a spreadsheet. Problem 422 with all that is wrong in them."""
    faults: list[FieldError] = []
    rows: dict[int, Row] = {}
    for number, cells in _cells(raw, lang).items():
        try:
            rows[number] = ROWS[kind].model_validate(_dated(cells, today))
        except ValidationError as fault:
            faults += [
                FieldError(f"/{number}{error.pointer}", error.code, error.message)
                for error in field_errors(fault, lang)
            ]
    if faults:
        raise Problem(422, "import_faulty", errors=faults[:MOST_FAULTS])
    return rows


def _cells(raw: bytes, lang: str) -> dict[int, dict[str, str]]:
    try:
        table = read_table(raw, MOST_ROWS)
    except Unusable as fault:
        raise _unusable(fault.code, lang, found=str(MOST_ROWS)) from fault
    return {
        number: {name: cell for name, cell in zip(table.header, cells, strict=False) if cell}
        for number, cells in table.rows.items()
    }


def _unusable(code: str, lang: str, **params: str) -> Problem:
    words = text(f"routing.sheet.{code}", lang, **params)
    return Problem(422, "import_faulty", errors=[FieldError("/", code, words)])


def _dated(cells: dict[str, str], today: date) -> dict[str, str]:
    """Dates that are counted from today as dates."""
    dated = dict(cells)
    for name in ("from", "until"):
        counted = _FROM_TODAY.fullmatch(cells.get(name, ""))
        if counted is not None:
            dated[name] = (today + timedelta(days=int(counted[1]))).isoformat()
    return dated
