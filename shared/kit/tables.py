"""Reads a spreadsheet, CSV or XLSX, into rows of text; it knows no column."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from openpyxl import load_workbook

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILE_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            XLSX: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
"""How a route that takes a table describes its body."""
_ZIP: Final = b"PK\x03\x04"
LARGEST_UNPACKED_BYTES: Final = 64 * 1024 * 1024
MOST_COLUMNS: Final = 100


class Unusable(ValueError):
    """A file that cannot be read as a table; `code` is `encoding`, `empty`, `too_many_rows` or `workbook`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Table:
    """The header's cells, and those of each row by its number in a spreadsheet, where the header is row 1."""

    header: tuple[str, ...]
    rows: dict[int, tuple[str, ...]]


def decoded(raw: bytes) -> str | None:
    """A file's text, in UTF-8 (with or without a byte order mark) or GB18030; None when it is in neither."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def read_table(raw: bytes, most_rows: int) -> Table:
    """The table in `raw`: CSV, or the first sheet of an XLSX file. Blank rows are left out; cells are stripped.

    It takes up to a second of the processor for 8 MiB: call it in a thread. Raises Unusable.
    """
    lines = enumerate(_workbook(raw) if raw.startswith(_ZIP) else _csv(raw), start=1)
    _, header = next(lines, (1, ()))
    if not any(header):
        raise Unusable("empty")
    rows: dict[int, tuple[str, ...]] = {}
    for number, cells in lines:
        if any(cells):
            rows[number] = cells
        if len(rows) > most_rows:
            raise Unusable("too_many_rows")
    if not rows:
        raise Unusable("empty")
    return Table(header, rows)


def _csv(raw: bytes) -> Iterator[tuple[str, ...]]:
    text = decoded(raw)
    if text is None:
        raise Unusable("encoding")
    try:
        for line in csv.reader(io.StringIO(text, newline="")):
            yield _stripped(line)
    except csv.Error as fault:
        raise Unusable("encoding") from fault


def _workbook(raw: bytes) -> Iterator[tuple[str, ...]]:
    try:
        # A few kilobytes can unpack to more than the machine holds.
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST_UNPACKED_BYTES:
                raise Unusable("workbook")
        book = load_workbook(io.BytesIO(raw), read_only=True, data_only=True, keep_links=False)
        for line in book.worksheets[0].iter_rows(values_only=True, max_col=MOST_COLUMNS):
            yield _stripped(map(_written, line))
    except Unusable:
        raise
    except Exception as fault:
        # The library raises what it happens to meet in a damaged file: KeyError, ValueError, zipfile's and XML's.
        raise Unusable("workbook") from fault


def _stripped(cells: Iterable[str]) -> tuple[str, ...]:
    found = [cell.strip() for cell in cells]
    while found and not found[-1]:
        found.pop()
    return tuple(found[:MOST_COLUMNS])


def _written(value: object) -> str:
    """A cell as a person sees it, near enough: a number that is whole has no fraction."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)


def as_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """CSV that spreadsheets open with the right characters: UTF-8 with a byte order mark."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(header)
    writer.writerows(rows)
    return file.getvalue().encode("utf-8-sig")
