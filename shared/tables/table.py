"""What a file's reader returns: the header, the rows as text, and what is wrong with single cells."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

MAX_COLUMNS: Final = 200
MAX_CELLS: Final = 1_000_000
ERROR_TEXT: Final = "#N/A"
"""Stands for a cell without a usable value, so that a file that is given back and sent again is faulty again."""

FAULT_CODES: Final = frozenset(
    (
        "broken_quote", "broken_row", "rows_in_cell", "control_character", "extra_cells", "error_cell",
        "number_digits", "formula_without_value", "cell_value", "date_cell", "merged_cells",
    )
)  # fmt: skip
"""Of faults that a row may have; each has its message `table.<code>`."""

# Excel's and Google's own names of errors, LibreOffice's numbers of them, and a column that is too narrow.
_ERRORS: Final = re.compile(
    r"#[A-Z][A-Z0-9]*(?:/[A0])?[!?]|#N/A|#GETTING_DATA|#{2,}|Err:[0-9]{3}|(?:Loading|加载|正在加载)(?:\.{3}|…)"
)
_ERROR_STARTS: Final = frozenset("#EL加正")
_ROUNDED: Final = re.compile(r"[+-]?[0-9](?:\.[0-9]+)?[Ee]\+[0-9]{2,3}")


class Unusable(ValueError):
    """A file that cannot be read as a table. `code` names the message `table.<code>`, `row` the place if known."""

    def __init__(self, code: str, row: int | None = None, found: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.row = row
        self.found = found


class UnsupportedFormat(Unusable):
    """A file, a media type or a charset of a kind that is not read at all."""


@dataclass(frozen=True, slots=True)
class CellFault:
    """What is wrong in a row: in the column of that index, or, where it is None, in the row as a whole."""

    code: str
    column: int | None = None
    found: str = ""


@dataclass(slots=True)
class TableData:
    """A table as read. Rows are numbered as a spreadsheet shows them; blank rows are left out.

    Cells are stripped. A row is as long as its last filled cell; what stands under no heading comes after the
    header's width. `faults` has the rows that must not be used as they are.
    """

    header: tuple[str, ...] = ()
    header_row: int = 1
    rows: dict[int, tuple[str, ...]] = field(default_factory=dict)
    faults: dict[int, tuple[CellFault, ...]] = field(default_factory=dict)
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    hidden_sheets: tuple[str, ...] = ()


class TableBuilder:
    """Collects rows in any order and makes a TableData of them, with at most `most_rows` below the header."""

    def __init__(self, most_rows: int) -> None:
        self._most_rows = most_rows
        self._rows: dict[int, Mapping[int, str]] = {}
        self._faults: dict[int, list[CellFault]] = {}
        self._cells = 0

    def add(self, number: int, cells: Mapping[int, str], faults: Sequence[CellFault] = ()) -> None:
        """Add a row: its filled cells by column index. Raises Unusable beyond a limit."""
        if not cells and not faults:
            return
        self._rows[number] = cells
        self._cells += len(cells)
        found = [*faults, *_suspicious(cells, {fault.column for fault in faults})]
        if found:
            self._faults[number] = found
        if len(self._rows) > self._most_rows + 1:
            raise Unusable("too_many_rows", found=str(self._most_rows))
        if self._cells > MAX_CELLS:
            raise Unusable("limit_cells", found=str(MAX_CELLS))

    def build(self) -> TableData:
        """Raises Unusable when there is no header, no row below it, or a fault in the header."""
        if not self._rows:
            raise Unusable("empty")
        first = min(self._rows)
        width = max(self._rows[first], default=-1) + 1
        if width > MAX_COLUMNS:
            raise Unusable("too_many_columns", first, str(MAX_COLUMNS))
        for fault in self._faults.get(first, ()):
            raise Unusable(fault.code, first, fault.found)
        if len(self._rows) == 1:
            raise Unusable("empty")
        header = _dense(self._rows[first], width)
        table = TableData(header, first)
        for number in sorted(self._rows.keys() - {first}):
            faults = [*self._faults.get(number, ()), *_unnamed(self._rows[number], header)]
            table.rows[number] = _dense(self._rows[number], width)
            if faults:
                table.faults[number] = tuple(faults)
        return table


def column_name(index: int) -> str:
    """A column as a spreadsheet names it: 0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_title(header: Sequence[str], column: int) -> str:
    """A column's heading, or its letter where it has none."""
    return (header[column] if column < len(header) else "") or column_name(column)


def _suspicious(cells: Mapping[int, str], faulty: set[int | None]) -> Iterator[CellFault]:
    """Texts that a spreadsheet program leaves where it had no value, or had cut digits off."""
    for column, cell in cells.items():
        if column in faulty:
            continue
        if cell[0] in _ERROR_STARTS and _ERRORS.fullmatch(cell):
            yield CellFault("error_cell", column, cell)
        elif len(cell) < 32 and ("E+" in cell or "e+" in cell) and _ROUNDED.fullmatch(cell):
            yield CellFault("number_digits", column, cell)


def _unnamed(cells: Mapping[int, str], header: Sequence[str]) -> Iterator[CellFault]:
    """Filled cells that stand under no heading: what they mean is not known, and must not be dropped."""
    width = len(header)
    extra = sorted(column for column in cells if column >= width or not header[column])
    if extra:
        places = ", ".join(column_name(column) for column in extra[:5])
        yield CellFault("extra_cells", None, places)


def _dense(cells: Mapping[int, str], width: int) -> tuple[str, ...]:
    row = [cells.get(column, "") for column in range(width)]
    row += [cells[column] for column in sorted(cells) if column >= width]
    while row and not row[-1]:
        row.pop()
    return tuple(row)
