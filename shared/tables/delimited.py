"""CSV by the letter (RFC 4180): what is not well formed is a fault of its row, or of the file where rows may mix."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from shared.tables.table import ERROR_TEXT, CellFault, TableBuilder, Unusable

DELIMITERS: Final = (",", "\t", ";")
MAX_ROW_CELLS: Final = 16_384
_LEAST_WIDTH_OF_ROWS_IN_A_CELL: Final = 5
_LINE_END: Final = re.compile(r"\r\n|\n|\r")
_BLANK_LINES: Final = re.compile(r"[\r\n]+")
_QUOTED: Final = re.compile(r'"([^"]*(?:""[^"]*)*)"')
# Programs write ="001" to keep a spreadsheet from reading a number; it shows 001.
_AS_TEXT: Final = re.compile(r'="([^"]*(?:""[^"]*)*)"')
_NAMED_DELIMITER: Final = re.compile(r'"?sep=(.)"?(?:\r\n|\n|\r|\Z)', re.IGNORECASE)
_BROKEN: Final = CellFault("broken_quote")


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a CSV file; `complete` is False when its line was cut into cells without regard to quotes."""

    number: int
    cells: Sequence[str]
    faults: tuple[CellFault, ...] = ()


def read_delimited(text: str, builder: TableBuilder) -> str:
    """Add the rows of a CSV text to `builder`; returns the delimiter. Raises Unusable with the row at fault."""
    # The end of a file in DOS.
    text = text.removesuffix("\x1a")
    named = _NAMED_DELIMITER.match(text)
    start = named.end() if named else 0
    delimiter = named[1] if named else _evident_delimiter(text)
    if delimiter not in DELIMITERS:
        raise Unusable("delimiter", found=delimiter)
    narrow: list[Record] = []
    width = 0
    for record in Records(text, start, delimiter):
        filled = _filled(record.cells)
        if not width:
            width = len(record.cells) if filled else 0
        elif 0 < len(record.cells) < width and filled:
            narrow.append(record)
            continue
        if narrow:
            _add_narrow(narrow, width, builder)
            narrow = []
        builder.add(record.number, filled, _with_swallowed(record, width, delimiter))
    _add_narrow(narrow, width, builder)
    return delimiter


def _filled(cells: Sequence[str]) -> dict[int, str]:
    return {at: cell for at, whole in enumerate(cells) if (cell := _displayed(whole.strip()))}


def _displayed(cell: str) -> str:
    """The cell, or the text within `="…"`."""
    found = _AS_TEXT.fullmatch(cell) if cell.startswith('="') else None
    return found[1].replace('""', '"').strip() if found else cell


def _evident_delimiter(text: str) -> str:
    """The delimiter of the first line that has anything in it; a comma wins."""
    line = next((line for line in _LINE_END.split(text[:65536]) if line.strip(" \t,;")), "")
    plain = _QUOTED.sub("", line)
    return next((each for each in DELIMITERS if each in plain), ",")


def _with_swallowed(record: Record, width: int, delimiter: str) -> tuple[CellFault, ...]:
    """The record's faults, and one for a cell in which a line has the cells of a whole row."""
    if width < _LEAST_WIDTH_OF_ROWS_IN_A_CELL:
        return record.faults
    swallowed = tuple(
        CellFault("rows_in_cell", at)
        for at, cell in enumerate(record.cells)
        if "\n" in cell and any(line.count(delimiter) == width - 1 for line in cell.split("\n"))
    )
    return record.faults + swallowed


def _add_narrow(records: Sequence[Record], width: int, builder: TableBuilder) -> None:
    """Add neighbouring rows that are narrower than the header.

    Spreadsheet programs leave trailing blank cells out, which is no fault. A row that an unquoted line break has cut
    in pieces is one: pieces that together have as many cells as the header are faulty.
    """
    at = 0
    while at < len(records):
        pieces = _pieces(records[at:], width)
        for record in records[at : at + max(pieces, 1)]:
            faults = (*record.faults, CellFault("broken_row")) if pieces else record.faults
            builder.add(record.number, _filled(record.cells), faults)
        at += max(pieces, 1)


def _pieces(records: Sequence[Record], width: int) -> int:
    """How many of the records are one row in pieces; 0 when the first is a row by itself."""
    total = len(records[0].cells)
    for count, record in enumerate(records[1:20], start=2):
        total += len(record.cells) - 1
        if total > width:
            return 0
        if total == width:
            widths = {len(each.cells) for each in records[: count + 1]}
            alike = len(widths) == 1 and (count > 2 or len(records) > count)
            return 0 if alike else count
    return 0


class Records:
    """Iterates over the records of a CSV text from `start` on, numbered as a spreadsheet does; blank lines count."""

    def __init__(self, text: str, start: int, delimiter: str) -> None:
        self._text = text
        self._at = start
        self._delimiter = delimiter
        self._plain = re.compile(rf"[^{re.escape(delimiter)}\r\n]*")
        self._number = 0
        self._multiline = False

    def __iter__(self) -> Iterator[Record]:
        while self._at < len(self._text):
            blank = _BLANK_LINES.match(self._text, self._at)
            if blank:
                run = blank[0]
                self._number += run.count("\n") + run.count("\r") - run.count("\r\n")
                self._at = blank.end()
                continue
            self._number += 1
            record = self._record()
            yield _without_nul(record) if "\0" in "".join(record.cells) else record

    def _record(self) -> Record:
        # Files that were put together have a byte order mark where the next one begins.
        if self._text.startswith("\ufeff", self._at):
            self._at += 1
        start = self._at
        found = _LINE_END.search(self._text, start)
        end, after = found.span() if found else (len(self._text), len(self._text))
        line = self._text[start:end]
        if line.count(self._delimiter) >= MAX_ROW_CELLS:
            raise Unusable("too_many_columns", self._number, str(MAX_ROW_CELLS))
        if '"' not in line:
            self._at = after
            return Record(self._number, line.split(self._delimiter))
        return self._quoted_record(start)

    def _quoted_record(self, start: int) -> Record:
        cells: list[str] = []
        at = start
        while True:
            cell, at = self._cell(at)
            if cell is None:
                return self._broken_record(start, at)
            cells.append(cell)
            if len(cells) > MAX_ROW_CELLS:
                raise Unusable("too_many_columns", self._number, str(MAX_ROW_CELLS))
            if not self._text.startswith(self._delimiter, at):
                break
            at += 1
        end = _LINE_END.match(self._text, at)
        self._at = end.end() if end else at
        return Record(self._number, cells)

    def _cell(self, at: int) -> tuple[str | None, int]:
        """The cell that begins at `at`, None when a quote in it is misplaced, and where it ends."""
        if self._text.startswith('="', at) and (found := _AS_TEXT.match(self._text, at)):
            return self._ended(found[0], found.end())
        if not self._text.startswith('"', at):
            plain = self._plain.match(self._text, at)
            cell = plain[0] if plain else ""
            return (None if '"' in cell else cell), at + len(cell)
        quoted = _QUOTED.match(self._text, at)
        if quoted is None:
            raise Unusable("unclosed_quote", self._number)
        return self._ended(quoted[1].replace('""', '"'), quoted.end())

    def _ended(self, cell: str, end: int) -> tuple[str | None, int]:
        self._multiline = self._multiline or "\n" in cell or "\r" in cell
        follows = self._text[end : end + 1]
        return (cell if follows in ("", "\r", "\n", self._delimiter) else None), end

    def _broken_record(self, start: int, at: int) -> Record:
        """The line as it is. Where a cell spans lines, the misplaced quote may be of another row: raises Unusable."""
        if self._multiline:
            raise Unusable("broken_quote", self._number)
        found = _LINE_END.search(self._text, at)
        end, self._at = found.span() if found else (len(self._text), len(self._text))
        return Record(self._number, self._text[start:end].split(self._delimiter), (_BROKEN,))


def _without_nul(record: Record) -> Record:
    bad = [at for at, cell in enumerate(record.cells) if "\0" in cell]
    cells = [ERROR_TEXT if at in bad else cell for at, cell in enumerate(record.cells)]
    faults = tuple(CellFault("control_character", at) for at in bad)
    return replace(record, cells=cells, faults=record.faults + faults)
