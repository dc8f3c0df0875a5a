"""The catalogue's stored text: the uploaded CSV, or an equivalent CSV of another file."""

import csv
import io
from collections.abc import Iterator

from shared.tables.table import TableData
from shared.tables.writing import as_csv


def stored_text(table: TableData, raw: bytes) -> str:
    """Return an uploaded comma-separated CSV without its byte order mark; any other file as such a CSV.

    So is one that `stored_rows` would read otherwise than it was checked.
    """
    if table.delimiter == ",":
        text = raw.decode(table.encoding).removeprefix("\ufeff")
        if _is_read_alike(text, table):
            return text
    return as_csv(table.header, table.rows.values()).decode("utf-8-sig")


def stored_rows(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Return the filled rows of a stored text by number, cells stripped, without trailing empty cells.

    Raises csv.Error for a cell of more than 131,072 characters.
    """
    for number, cells in enumerate(csv.reader(io.StringIO(text, newline="")), start=1):
        row = [cell.strip() for cell in cells]
        while row and not row[-1]:
            row.pop()
        if row:
            yield number, tuple(row)


def _is_read_alike(text: str, table: TableData) -> bool:
    try:
        return dict(stored_rows(text)) == {table.header_row: table.header} | table.rows
    except csv.Error:
        return False
