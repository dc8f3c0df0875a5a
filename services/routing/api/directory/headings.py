"""Reads the header of a directory file: the field of each column, in any spelling of its name."""

from collections.abc import Iterator, Sequence

from pydantic import BaseModel

from shared.contracts.fields.folding import compact
from shared.messages.catalogue import text
from shared.runtime.errors import FieldError, Problem
from shared.tables.table import TableData


def read_header(table: TableData, row: type[BaseModel], lang: str) -> tuple[str, ...]:
    """Return the field of each column, "" without a heading. Names are compared folded, without spaces and `_`.

    Raises Problem 422 for a column that is not known, is there twice, or is needed and missing.
    """
    fields = {field.alias or name: field.is_required() for name, field in row.model_fields.items()}
    named = {_plain(name): name for name in fields}
    header = tuple(named.get(_plain(cell)) if cell else "" for cell in table.header)
    found = tuple(name for name in header if name is not None)
    missing = [name for name, needed in fields.items() if needed and name not in found]
    faults = [*_faults("missing_column", missing, lang)]
    unknown = [cell for cell, name in zip(table.header, header, strict=True) if name is None]
    faults += _faults("unknown_column", unknown, lang)
    faults += _faults("column_twice", _repeated(found), lang)
    if faults:
        errors = [FieldError(f"/{table.header_row}", code, words) for code, words in faults]
        raise Problem(422, "import_faulty", errors=errors)
    return found


def _plain(name: str) -> str:
    return compact(name).replace("_", "")


def _repeated(names: Sequence[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name and names.count(name) > 1]


def _faults(code: str, names: Sequence[str], lang: str) -> Iterator[tuple[str, str]]:
    for name in names:
        yield code, text(f"routing.sheet.{code}", lang, column=name[:100])
