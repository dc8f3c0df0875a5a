"""The directory as files over HTTP: all rows of one or none."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from enum import StrEnum
from typing import Final, TypeAlias

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from services.routing.api.directory import answers
from services.routing.api.directory.absences import pass_on_offers
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
    error_of,
    liaison_of,
    tie_of,
)
from services.routing.api.directory.headings import read_header
from services.routing.api.edge import PROBLEMS, Coordinator, Edge, actor, edge_of
from services.routing.handlers.commands import directory
from services.routing.store.directory.entries import Put
from shared.contracts.events.event import Actor
from shared.contracts.fields.folding import compact, fold
from shared.contracts.fields.types import PartyId, Typed, Uscc
from shared.contracts.vocabulary import Tier, TieRole
from shared.http.problems import field_errors, language
from shared.http.routes import CheckedRoute
from shared.http.writes import idempotency
from shared.http.writes.idempotency import WriteResponse
from shared.messages.catalogue import text
from shared.runtime.database import Connection
from shared.runtime.errors import FieldError, Problem
from shared.tables.slices import collect_in_slices
from shared.tables.table import CellFault, TableData, column_title
from shared.tables.upload import FILE_BODY, NOT_READ, fault_message, read_upload

router = APIRouter(
    route_class=CheckedRoute,
    prefix="/routing/directory",
    tags=["directory"],
    dependencies=[idempotency.KEYED],
)

MOST_ROWS: Final = 5000
MOST_FAULTS: Final = 200
# As the town says them; the words of the interface do as well.
_LABELS: Final[Mapping[str, str]] = {
    "重点": Tier.KEY, "规上": Tier.LARGE, "一般": Tier.GENERAL,
    "主": TieRole.PRIMARY, "副": TieRole.DEPUTY,
}  # fmt: skip
_COUNT: Final = re.compile(r"\+?(\d{1,7})(?:\.0*)?[件个条项家宗]?", re.ASCII)
_FROM_TODAY: Final = re.compile(r"\+([0-9]{1,4})d", re.ASCII)


class What(StrEnum):
    """Kinds of files of the directory."""

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
class _Clock:
    """The day and zone by which a file's dates are read."""

    today: date
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class _Entering:
    """How a row's kind is parsed and stored."""

    conn: Connection
    edge: Edge
    actor: Actor

    async def put(self, row: Row) -> Put | Refused:
        conn, by, now = self.conn, self.actor, self.edge.clock()
        match row:
            case DepartmentRow():
                return await directory.put_department(conn, department_of(row.id, row), by, now)
            case LiaisonRow():
                return await directory.put_liaison(conn, liaison_of(row.id, row), by, now)
            case EnterpriseRow():
                return await directory.put_enterprise(conn, enterprise_of(row.uscc, row), by, now)
            case TieRow():
                return await directory.put_tie(conn, tie_of(row.id, row), by, now)
            case AbsenceRow():
                zone = self.edge.office.calendar.zone
                absence = absence_of(row.liaison_id, row.id, row, zone)
                return await directory.put_absence(conn, absence, by, now)


@router.post(
    "/imports",
    responses={200: {"model": answers.FileEntered}, **PROBLEMS, **NOT_READ},
    openapi_extra=FILE_BODY,
    operation_id="importDirectory",
    summary="Enter a file of entries",
)
async def import_entries(request: Request, kind: What, caller: Coordinator) -> Response:
    """CSV or XLSX with a header row of field names, as the sample town's; 5,000 rows at most.

    Each row is entered as by its own PUT, all of them or, when anything is wrong, none. Files are read as those of
    `POST /intake/imports` are.
    """
    edge, lang = edge_of(request), language(request)
    today = edge.office.today(edge.clock())
    clock = _Clock(today, edge.office.calendar.zone)
    table = await read_upload(request, MOST_ROWS, "import_faulty")
    header = read_header(table, ROWS[kind], lang)
    found = await collect_in_slices(_read_rows(table, header, kind, clock, lang))
    if faults := [fault for row in found if isinstance(row, list) for fault in row]:
        raise Problem(422, "import_faulty", errors=faults[:MOST_FAULTS])
    rows = {
        number: row
        for number, row in zip(table.rows, found, strict=True)
        if not isinstance(row, list)
    }
    if repeated := list(_repeated(rows, lang)):
        raise Problem(422, "import_faulty", errors=repeated[:MOST_FAULTS])

    async def work(conn: Connection) -> WriteResponse:
        done = await _enter(_Entering(conn, edge, actor(caller)), rows, lang)
        if away := {row.liaison_id for row in rows.values() if isinstance(row, AbsenceRow)}:
            await directory.hold_offers(conn, away)
        counts = {"kind": kind, "rows": len(rows)} | {put: done[put] for put in Put}
        sheets = {"sheet": table.sheet or None, "hidden_sheets": table.hidden_sheets}
        return WriteResponse(200, counts | sheets)

    answer = await idempotency.run(request, edge.db, caller, work)
    if kind is What.ABSENCES:
        await pass_on_offers(edge, actor(caller))
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


def _read_rows(
    table: TableData, header: Sequence[str], kind: What, clock: _Clock, lang: str
) -> Iterator[Row | list[FieldError]]:
    """Return each row's entry, or its errors."""
    for number, cells in table.rows.items():
        if unread := table.faults.get(number):
            yield [_unread(fault, table, number, lang) for fault in unread]
            continue
        named = {name: cell for name, cell in zip(header, cells, strict=False) if cell}
        try:
            yield ROWS[kind].model_validate(_dated(named, clock))
        except ValidationError as fault:
            yield [
                FieldError(f"/{number}{error.pointer}", error.code, error.message)
                for error in field_errors(fault, lang)
            ]


def _repeated(rows: Mapping[int, Row], lang: str) -> Iterator[FieldError]:
    """Return errors for rows that name an earlier row's entry with other content."""
    first: dict[tuple[str, ...], int] = {}
    for number, row in rows.items():
        earlier = first.setdefault(_key(row), number)
        if rows[earlier] != row:
            name = "uscc" if isinstance(row, EnterpriseRow) else "id"
            words = text("routing.sheet.entry_twice", lang, row=number, earlier=earlier)
            yield FieldError(f"/{number}/{name}", "entry_twice", words)


def _key(row: Row) -> tuple[str, ...]:
    match row:
        case EnterpriseRow():
            return (row.uscc,)
        case AbsenceRow():
            return (row.liaison_id, row.id)
        case _:
            return (row.id,)


def _unread(fault: CellFault, table: TableData, number: int, lang: str) -> FieldError:
    place = "" if fault.column is None else f"/{column_title(table.header, fault.column)}"
    words = fault_message(fault, table.header, number, lang)
    return FieldError(f"/{number}{place}", fault.code, words)


def _dated(cells: dict[str, str], clock: _Clock) -> dict[str, str | Typed]:
    """Return the cells with relative dates resolved, and dates and labels converted from an office's spelling."""
    dated: dict[str, str | Typed] = dict(cells)
    for name in ("from", "until"):
        if name in cells:
            dated[name] = _date(cells[name], clock)
    for name in ("tier", "role"):
        if name in cells:
            dated[name] = _LABELS.get(compact(cells[name]), compact(cells[name]))
    if "capacity" in cells:
        counted = _COUNT.fullmatch(compact(cells["capacity"]))
        dated["capacity"] = counted[1] if counted else "?"
    return dated


def _date(cell: str, clock: _Clock) -> str | Typed:
    counted = _FROM_TODAY.fullmatch(fold(cell))
    if counted is None:
        return Typed(cell, clock.zone)
    return (clock.today + timedelta(days=int(counted[1]))).isoformat()
