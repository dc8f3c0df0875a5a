"""A file of submissions as an office worker fills it in: which column is which field, and what its words mean."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from pydantic import ValidationError

from services.intake.domain import NotTheirs
from services.intake.store.imports import NewRow
from shared.contracts.submission import Submission
from shared.contracts.vocabulary import Channel, Kind, RequesterKind, Urgency
from shared.kit.messages import LANGUAGES, text
from shared.kit.problems import FieldError, Problem, field_errors
from shared.kit.tables import Table, Unusable, read_table

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
# Chinese offices write the moment as on a wall clock of the country's one zone.
ZONE: Final = ZoneInfo("Asia/Shanghai")
_MOMENT: Final = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?",
    re.ASCII,
)


def read_rows(
    raw: bytes, source: str | None, lang: str, sources: Sequence[str] = ()
) -> tuple[Table, list[NewRow]]:
    """The table, and each row as a submission or with what is wrong with it.

    `source` stands in for the column of that name; `sources`, if any, are those that a row may have.
    Raises Problem 422 for a file that cannot be used at all.
    """
    try:
        table = read_table(raw, MOST_ROWS)
    except Unusable as fault:
        words = text(f"import.{fault.code}", lang, limit=MOST_ROWS)
        raise Problem(
            422, "import_unusable", errors=[FieldError("/", fault.code, words)]
        ) from fault
    fields = [_field(cell) for cell in table.header]
    if faults := list(_header_faults(table.header, fields, source, lang)):
        raise Problem(422, "import_unusable", errors=faults)
    rows = [_row(number, cells, fields, source, lang) for number, cells in table.rows.items()]
    return table, [_kept_to(sources, row, lang) for row in rows] if sources else rows


@cache
def _columns() -> Mapping[str, str]:
    """Fields by how a header may name them: as on the wire, or as a person calls them in either language."""
    named: dict[str, str] = {_plain(field): field for field in FIELDS}
    for lang in LANGUAGES:
        named |= {_plain(text(f"import.column.{field}", lang)): field for field in FIELDS}
        named[_plain(text("import.problem", lang))] = ""
    return named


def _plain(cell: str) -> str:
    return re.sub(r"[\s_]", "", cell).casefold()


def _field(cell: str) -> str | None:
    """The field of a column, "" for one to pass over, None for one that is not known."""
    return _columns().get(_plain(cell)) if cell else ""


def _header_faults(
    header: Sequence[str], fields: Sequence[str | None], source: str | None, lang: str
) -> Iterator[FieldError]:
    for needed in REQUIRED:
        if needed not in fields and not (needed == "source" and source):
            yield _header_fault("missing_column", text(f"import.column.{needed}", lang), lang)
    for place, field in enumerate(fields):
        if field is None:
            yield _header_fault("unknown_column", header[place], lang)
        elif field and field in fields[:place]:
            yield _header_fault("column_twice", header[place], lang)


def _header_fault(code: str, column: str, lang: str) -> FieldError:
    return FieldError("/1", code, text(f"import.{code}", lang, column=column[:100]))


def _row(
    number: int,
    cells: Sequence[str],
    fields: Sequence[str | None],
    source: str | None,
    lang: str,
) -> NewRow:
    found = {field: cell for field, cell in zip(fields, cells, strict=False) if field and cell}
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


def _kept_to(sources: Sequence[str], row: NewRow, lang: str) -> NewRow:
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
    return _moment(cell) if field == "occurred_at" else cell


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


def _moment(cell: str) -> object:
    """A moment as people write it, in the country's time; anything else is left for the model to judge."""
    found = _MOMENT.fullmatch(cell)
    if found is None:
        return cell
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=ZONE)
    except ValueError:
        return cell
