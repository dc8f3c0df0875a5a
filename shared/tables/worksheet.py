"""The cells of one worksheet by its XML: every place is checked, no count is taken on trust."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.tables.formats import GENERAL, CellFormat, number_text, text_as_shown
from shared.tables.table import ERROR_TEXT, MAX_CELLS, CellFault, Unusable

LAST_ROW: Final = 1_048_576
LAST_COLUMN: Final = 16_384
_PLACE: Final = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})")
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_BOOLEANS: Final = {"0": "False", "1": "True", "false": "False", "true": "True"}


@dataclass(frozen=True, slots=True)
class CellContext:
    """What cells refer to: the shared strings, the formats by style number, and the first day of the calendar."""

    strings: Sequence[str] = ()
    formats: Sequence[CellFormat] = ()
    epoch_1904: bool = False


class DataFound(Exception):
    """A sheet that was only asked whether it has data has some."""


def unescaped(text: str) -> str | None:
    """A text of a workbook with `_x000D_` and the like as the characters they stand for.

    None when the result is no text: half a character outside the basic plane, or a NUL.
    """
    if "_x" in text:
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        if "\ufffd" in text or "\0" in text:
            return None
    return text


def place_of(written: str) -> tuple[int, int]:
    """Row and column index of a place such as B3. Raises Unusable beyond a sheet's last cell."""
    found = _PLACE.fullmatch(written)
    row, column = (int(found[2]), column_index(found[1])) if found else (0, -1)
    if not (0 < row <= LAST_ROW and 0 <= column < LAST_COLUMN):
        raise Unusable("cell_reference", found=written[:20])
    return row, column


def column_index(letters: str) -> int:
    """0 for A, 26 for AA."""
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - 64
    return index - 1


@dataclass(slots=True)
class _Cell:
    """The cell that is being read."""

    column: int
    kind: str
    style: str
    value: str | None = None
    inline: str | None = None
    formula: bool = False
    twice: bool = False


@dataclass(slots=True)
class WorksheetReader:
    """Reads a worksheet's rows: filled cells by row number and column, wherever and in whatever order they stand.

    With `probing` it raises DataFound at the first filled cell. Raises Unusable for what no spreadsheet has.
    """

    context: CellContext
    probing: bool = False
    rows: dict[int, dict[int, str]] = field(default_factory=dict)
    faults: dict[int, list[CellFault]] = field(default_factory=dict)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    _row: int = 0
    _column: int = -1
    _cell: _Cell | None = None
    _text: list[str] = field(default_factory=list)
    _collects: bool = False
    _phonetic: bool = False
    _rows_seen: int = 0
    _cells_seen: int = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "c":
            self._begin_cell(attributes)
        elif name == "row":
            self._begin_row(attributes.get("r"))
        elif name == "mergeCell":
            self._add_merge(attributes.get("ref", ""))
        elif self._cell is not None:
            self._begin_value(name, self._cell)

    def text(self, text: str) -> None:
        if self._collects:
            self._text.append(text)

    def end(self, name: str) -> None:
        cell = self._cell
        if cell is None:
            return
        if name == "c":
            self._cell = None
            self._add(cell)
        elif name == "rPh":
            self._phonetic = False
        elif self._collects and name in ("v", "t"):
            self._collects = False
            written = "".join(self._text)
            if name == "v":
                cell.twice = cell.value is not None
                cell.value = written
            else:
                cell.inline = (cell.inline or "") + written

    def _begin_row(self, written: str | None) -> None:
        self._rows_seen += 1
        if written is None:
            self._row += 1
        elif written.isascii() and written.isdigit() and len(written) < 20:
            self._row = int(written)
        else:
            self._row = 0
        if not 0 < self._row <= LAST_ROW:
            raise Unusable("row_number", found=(written or "")[:20])
        if self._rows_seen > LAST_ROW:
            raise Unusable("limit_rows", found=str(LAST_ROW))
        self._column = -1

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        self._cells_seen += 1
        if self._cells_seen > MAX_CELLS:
            raise Unusable("limit_cells", found=str(MAX_CELLS))
        place = attributes.get("r")
        if place is None:
            self._column += 1
            if not self._row or self._column >= LAST_COLUMN:
                raise Unusable("cell_reference", found=str(self._column))
        else:
            row, self._column = place_of(place)
            if row != self._row:
                raise Unusable("cell_reference", found=place[:20])
        self._cell = _Cell(self._column, attributes.get("t", "n"), attributes.get("s", "0"))

    def _begin_value(self, name: str, cell: _Cell) -> None:
        if name == "f":
            cell.formula = True
        elif name == "rPh":
            self._phonetic = True
        elif name in ("v", "t") and not self._phonetic:
            self._collects, self._text = True, []

    def _add_merge(self, written: str) -> None:
        first, _, last = written.partition(":")
        top, left = place_of(first)
        bottom, right = place_of(last or first)
        self.merges.append((top, left, bottom, right))

    def _add(self, cell: _Cell) -> None:
        text, fault = self._read(cell)
        text = text.strip()
        if not text and fault is None:
            return
        if self.probing:
            raise DataFound
        row = self.rows.setdefault(self._row, {})
        if cell.column in row:
            raise Unusable("cell_twice", self._row)
        row[cell.column] = text or ERROR_TEXT
        if fault is not None:
            self.faults.setdefault(self._row, []).append(CellFault(fault, cell.column, text[:100]))

    def _read(self, cell: _Cell) -> tuple[str, str | None]:
        """The text of a cell, and the code of what is wrong with it."""
        if cell.twice or (cell.inline is not None and (cell.kind != "inlineStr" or cell.value)):
            return ERROR_TEXT, "cell_value"
        if cell.kind == "inlineStr":
            return self._text_of(cell, cell.inline if cell.inline is not None else cell.value or "")
        written = cell.value
        if written is None or (not written and cell.kind != "str"):
            return (ERROR_TEXT, "formula_without_value") if cell.formula else ("", None)
        return self._valued(cell, written)

    def _valued(self, cell: _Cell, written: str) -> tuple[str, str | None]:
        kind = cell.kind
        if kind == "str":
            return self._text_of(cell, written)
        written = written.strip()
        if kind == "s":
            known = written.isascii() and written.isdigit() and len(written) < 10
            if known and int(written) < len(self.context.strings):
                return self._text_of(cell, self.context.strings[int(written)])
        elif kind == "n":
            return number_text(written, self._format(cell.style), self.context.epoch_1904)
        elif kind == "e":
            return written or ERROR_TEXT, "error_cell"
        elif kind == "d":
            return written, None
        elif kind == "b" and written in _BOOLEANS:
            return _BOOLEANS[written], None
        return ERROR_TEXT, "cell_value"

    def _text_of(self, cell: _Cell, written: str) -> tuple[str, str | None]:
        found = unescaped(written)
        if found is None:
            return ERROR_TEXT, "control_character"
        return text_as_shown(found, self._format(cell.style)) if found else "", None

    def _format(self, style: str) -> CellFormat:
        known = style.isascii() and style.isdigit() and len(style) < 7
        formats = self.context.formats
        return formats[int(style)] if known and int(style) < len(formats) else GENERAL
