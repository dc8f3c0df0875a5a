"""Maps a table of submissions, as an office worker fills it in, to fields and words."""

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
    """Yield each row of the table as a submission, or with its errors.

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
    """Return the cells of a faulty-rows file without the apostrophes added against formulas."""
    return tuple(map(restore_formula, cells))


@dataclass(frozen=True, slots=True)
class _Given:
    """A row as given, with the field of each column."""

    table: TableData
    number: int
    cells: Sequence[str]
    fields: Sequence[str | None]

    def errors(self, lang: str) -> list[dict[str, str]]:
        """Return the reader's errors in the row."""
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
    """Return fields by column heading: the wire's name, or the label in either language."""
    named: dict[str, str] = {_plain(field): field for field in FIELDS}
    for lang in LANGUAGES:
        named |= {_plain(text(f"import.column.{field}", lang)): field for field in FIELDS}
        named[_plain(text("import.problem", lang))] = ""
    return named


def _plain(cell: str) -> str:
    return compact(cell).replace("_", "")


def _heading(cell: str) -> str:
    """Return a heading without the marks of templates: 诉求概述*, 诉求概述（必填）."""
    return _NOTES.sub("", _plain(cell))


def _field(cell: str) -> str | None:
    """Return the field of a column, "" for one to ignore, None for an unknown one."""
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
    """Return the row, with an error when its source is not one of the sender's."""
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
    """Return a column's words by spelling: the wire's word, or the label in either language."""
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
