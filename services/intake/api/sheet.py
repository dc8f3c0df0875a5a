"""A file of submissions as an office worker fills it in: which column is which field, and what its words mean."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from pydantic import ValidationError

from services.intake.domain import NotTheirs
from services.intake.store.imports import NewRow
from shared.contracts.fields.folding import compact
from shared.contracts.fields.types import Typed
from shared.contracts.submission import Submission
from shared.contracts.vocabulary import Channel, Kind, RequesterKind, Urgency
from shared.http.problems import field_errors
from shared.messages.catalogue import LANGUAGES, text
from shared.runtime.errors import FieldError, Problem
from shared.tables.table import CellFault, TableData
from shared.tables.upload import fault_message
from shared.tables.writing import restore_formula

MOST_ROWS: Final = 10_000

FIELDS: Final = (
    "source", "source_ref", "channel", "kind", "category", "requester.kind", "requester.id",
    "requester.name", "requester.contact.name", "requester.contact.phone", "summary", "detail",
    "location", "urgency", "occurred_at",
)  # fmt: skip
REQUIRED: Final = (
    "source", "source_ref", "channel", "kind", "requester.kind", "requester.id", "requester.name",
    "summary", "detail",
)  # fmt: skip
WORDS: Final = {
    "channel": Channel,
    "kind": Kind,
    "requester.kind": RequesterKind,
    "urgency": Urgency,
}
_NOTES: Final = re.compile(
    r"^[*※]+|[*※]+$|[*※]*[(\[【](?:必填项?|选填项?|必须|可选|required|optional)[)\]】][*※]*"
)
# Chinese offices write the moment as on a wall clock of the country's one zone.
ZONE: Final = ZoneInfo("Asia/Shanghai")


def read_rows(
    table: TableData, source: str | None, lang: str, sources: Sequence[str] = ()
) -> Iterator[NewRow]:
    """Each row of the table as a submission, or with what is wrong with it; made one by one as they are asked for.

    `source` stands in for the column of that name; `sources`, if any, are those that a row may have.
    Raises Problem 422, at once, for a header that cannot be used.
    """
    fields = [_field(cell) for cell in table.header]
    if faults := list(_header_faults(table, fields, source, lang)):
        raise Problem(422, "import_unusable", errors=faults)
    ours = any(cell and field == "" for cell, field in zip(table.header, fields, strict=True))
    return (
        _row(
            _Given(table, number, _restored(cells) if ours else cells, fields),
            source,
            lang,
            sources,
        )
        for number, cells in table.rows.items()
    )


def _restored(cells: Sequence[str]) -> tuple[str, ...]:
    """The cells of a file that was given back, as they were before they were made harmless."""
    return tuple(map(restore_formula, cells))


@dataclass(frozen=True, slots=True)
class _Given:
    """A row as it was given, and the field of each of its columns."""

    table: TableData
    number: int
    cells: Sequence[str]
    fields: Sequence[str | None]

    def errors(self, lang: str) -> list[dict[str, str]]:
        """What the file's reader found wrong in the row."""
        return [
            {
                "pointer": self._pointer(fault),
                "code": fault.code,
                "detail": fault_message(fault, self.table.header, self.number, lang),
            }
            for fault in self.table.faults.get(self.number, ())
        ]

    def _pointer(self, fault: CellFault) -> str:
        known = fault.column is not None and fault.column < len(self.fields)
        field = self.fields[fault.column] if known and fault.column is not None else None
        return f"/{(field or '').replace('.', '/')}"


@cache
def _columns() -> Mapping[str, str]:
    """Fields by how a header may name them: as on the wire, or as a person calls them in either language."""
    named: dict[str, str] = {_plain(field): field for field in FIELDS}
    for lang in LANGUAGES:
        named |= {_plain(text(f"import.column.{field}", lang)): field for field in FIELDS}
        named[_plain(text("import.problem", lang))] = ""
    return named


def _plain(cell: str) -> str:
    return compact(cell).replace("_", "")


def _heading(cell: str) -> str:
    """A heading without what templates add to it: 诉求概述*, 诉求概述（必填）."""
    return _NOTES.sub("", _plain(cell))


def _field(cell: str) -> str | None:
    """The field of a column, "" for one to pass over, None for one that is not known."""
    return _columns().get(_heading(cell)) if cell else ""


def _header_faults(
    table: TableData, fields: Sequence[str | None], source: str | None, lang: str
) -> Iterator[FieldError]:
    def fault(code: str, column: str) -> FieldError:
        words = text(f"import.{code}", lang, column=column[:100])
        return FieldError(f"/{table.header_row}", code, words)

    for needed in REQUIRED:
        if needed not in fields and not (needed == "source" and source):
            yield fault("missing_column", text(f"import.column.{needed}", lang))
    for place, field in enumerate(fields):
        if field is None:
            yield fault("unknown_column", table.header[place])
        elif field and field in fields[:place]:
            yield fault("column_twice", table.header[place])


def _row(given: _Given, source: str | None, lang: str, sources: Sequence[str]) -> NewRow:
    number, cells = given.number, given.cells
    if unread := given.errors(lang):
        return NewRow(number, cells, None, unread)
    row = _submitted(given, source, lang)
    return _limited_to(sources, row, lang) if sources else row


def _submitted(given: _Given, source: str | None, lang: str) -> NewRow:
    number, cells = given.number, given.cells
    found = {
        field: cell for field, cell in zip(given.fields, cells, strict=False) if field and cell
    }
    faults = [
        FieldError(f"/{field.replace('.', '/')}", "enum", _choices(field, lang))
        for field in WORDS
        if field in found and _word(field, found[field]) is None
    ]
    submission = None
    try:
        submission = Submission.model_validate(_nested(found, source))
    except ValidationError as fault:
        told = {error.pointer for error in faults}
        faults += [error for error in field_errors(fault, lang) if error.pointer not in told]
    if faults or submission is None:
        errors = [
            {"pointer": fault.pointer, "code": fault.code, "detail": fault.message}
            for fault in faults
        ]
        return NewRow(number, cells, None, errors)
    return NewRow(number, cells, submission.model_dump_json())


def _limited_to(sources: Sequence[str], row: NewRow, lang: str) -> NewRow:
    """The row, with that said of it where its source is not the sender's."""
    if row.submission is None or orjson.loads(row.submission)["source"] in sources:
        return row
    code = NotTheirs.SOURCE.value
    words = text(f"problem.{code}.detail", lang, allowed=", ".join(sources))
    return NewRow(
        row.number, row.cells, None, [{"pointer": "/source", "code": code, "detail": words}]
    )


def _nested(found: Mapping[str, str], source: str | None) -> dict[str, Any]:
    nested: dict[str, Any] = {} if source is None else {"source": source}
    for field, cell in found.items():
        *path, name = field.split(".")
        place = nested
        for step in path:
            place = place.setdefault(step, {})
        place[name] = _value(field, cell)
    return nested


def _value(field: str, cell: str) -> object:
    if field in WORDS:
        return _word(field, cell)
    return Typed(cell, ZONE) if field == "occurred_at" else cell


def _word(field: str, cell: str) -> str | None:
    return _meanings(field).get(_plain(cell))


@cache
def _meanings(field: str) -> Mapping[str, str]:
    """The words of a column by how they may be written: as on the wire, or as a person says them."""
    found = {_plain(member): str(member) for member in WORDS[field]}
    for lang in LANGUAGES:
        found |= {
            _plain(text(f"import.word.{field}.{member}", lang)): str(member)
            for member in WORDS[field]
        }
    return found


def _choices(field: str, lang: str) -> str:
    words = [text(f"import.word.{field}.{member}", lang) for member in WORDS[field]]
    return text("import.word", lang, words="、".join(words) if lang == "zh" else ", ".join(words))
