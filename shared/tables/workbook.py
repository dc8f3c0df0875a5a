"""An XLSX file as a table: the one sheet that has data, checked cell by cell."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.tables.formats import CellFormat, built_in_format, custom_format
from shared.tables.package import OfficePackage, refuse_other_packages, relation_id
from shared.tables.table import ERROR_TEXT, CellFault, TableBuilder, TableData, Unusable
from shared.tables.worksheet import CellContext, DataFound, WorksheetReader

MAX_STRINGS: Final = 500_000
MAX_SHEETS: Final = 255
MAX_MERGES: Final = 20_000
MAX_STYLES: Final = 100_000


@dataclass(frozen=True, slots=True)
class _SheetEntry:
    name: str
    part: str
    hidden: bool


def read_workbook(raw: bytes, most_rows: int) -> TableData:
    """The table of the only visible sheet with data. Raises Unusable, also where a second one has data."""
    package = OfficePackage(raw)
    refuse_other_packages(package)
    book = _Book()
    main = next(
        (part for kind, part in package.relations("").values() if kind == "officeDocument"),
        "xl/workbook.xml",
    )
    package.parse(main, book)
    relations = package.relations(main)
    context = CellContext(
        _strings(package, relations), _formats(package, relations), book.epoch_1904
    )
    entries = list(_entries(book, relations))
    chosen, reader = _only_sheet(package, entries, context)
    hidden = [
        entry.name for entry in entries if entry.hidden and _has_data(package, entry, context)
    ]
    if reader is None:
        raise Unusable("hidden_sheet" if hidden else "empty", found=", ".join(hidden)[:100])
    _refuse_merged(reader)
    builder = TableBuilder(most_rows)
    for number, cells in reader.rows.items():
        builder.add(number, cells, reader.faults.get(number, ()))
    table = builder.build()
    table.sheet, table.hidden_sheets = chosen, tuple(hidden)
    return table


def _entries(book: "_Book", relations: Mapping[str, tuple[str, str]]) -> Iterable[_SheetEntry]:
    for name, hidden, key in book.sheets:
        kind, part = relations.get(key, ("", ""))
        if not kind:
            raise Unusable("workbook")
        # Chart sheets have no cells.
        if kind == "worksheet":
            yield _SheetEntry(name, part, hidden)


def _only_sheet(
    package: OfficePackage, entries: Iterable[_SheetEntry], context: CellContext
) -> tuple[str, WorksheetReader | None]:
    chosen, reader = "", None
    for entry in entries:
        if entry.hidden:
            continue
        if reader is not None:
            if _has_data(package, entry, context):
                raise Unusable("several_sheets", found=f"{chosen}, {entry.name}"[:100])
            continue
        found = WorksheetReader(context)
        package.parse(entry.part, found)
        if found.rows:
            chosen, reader = entry.name, found
    return chosen, reader


def _has_data(package: OfficePackage, entry: _SheetEntry, context: CellContext) -> bool:
    try:
        package.parse(entry.part, WorksheetReader(context, probing=True))
    except DataFound:
        return True
    return False


def _refuse_merged(reader: WorksheetReader) -> None:
    """Mark the rows that share a filled merged cell: which of them its text belongs to is not known."""
    if len(reader.merges) > MAX_MERGES:
        raise Unusable("limit_merges", found=str(MAX_MERGES))
    numbers = sorted(reader.rows)
    _refuse_title(reader, numbers[0])
    marked: set[int] = set()
    for top, left, bottom, right in sorted(reader.merges):
        if left not in reader.rows.get(top, ()):
            continue
        for number in numbers[bisect_left(numbers, top) :]:
            if number > bottom or len(marked) == len(numbers):
                break
            if number not in marked and (bottom > top or right > left):
                marked.add(number)
                reader.faults.setdefault(number, []).append(CellFault("merged_cells", left))
                reader.rows[number].setdefault(left, ERROR_TEXT)


def _refuse_title(reader: WorksheetReader, first: int) -> None:
    """Raise Unusable for a first row with cells merged across: a title, which office forms have above their header."""
    for top, left, bottom, right in reader.merges:
        if top <= first <= bottom and right > left and left in reader.rows.get(top, ()):
            raise Unusable("title_row", first)


class _Book:
    """workbook.xml: the sheets in order, and which calendar its dates count by."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, bool, str]] = []
        self.epoch_1904 = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "workbookPr":
            self.epoch_1904 = attributes.get("date1904") in ("1", "true", "on")
        elif name == "sheet":
            if len(self.sheets) >= MAX_SHEETS:
                raise Unusable("limit_sheets", found=str(MAX_SHEETS))
            hidden = attributes.get("state", "visible") != "visible"
            self.sheets.append((attributes.get("name", ""), hidden, relation_id(attributes)))

    def end(self, name: str) -> None:
        pass

    def text(self, text: str) -> None:
        pass


def _strings(package: OfficePackage, relations: Mapping[str, tuple[str, str]]) -> list[str]:
    found = _Strings()
    for kind, part in relations.values():
        if kind == "sharedStrings":
            package.parse(part, found)
    return found.strings


def _formats(package: OfficePackage, relations: Mapping[str, tuple[str, str]]) -> list[CellFormat]:
    found = _Styles()
    for kind, part in relations.values():
        if kind == "styles":
            package.parse(part, found)
    return [found.custom.get(number) or built_in_format(number) for number in found.cells]


@dataclass(slots=True)
class _Strings:
    """sharedStrings.xml: each item's runs joined, without the phonetic ones."""

    strings: list[str] = field(default_factory=list)
    _runs: list[str] = field(default_factory=list)
    _collects: bool = False
    _phonetic: bool = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "si":
            self._runs = []
        elif name == "rPh":
            self._phonetic = True
        elif name == "t":
            self._collects = not self._phonetic

    def text(self, text: str) -> None:
        if self._collects:
            self._runs.append(text)

    def end(self, name: str) -> None:
        if name == "t":
            self._collects = False
        elif name == "rPh":
            self._phonetic = False
        elif name == "si":
            if len(self.strings) >= MAX_STRINGS:
                raise Unusable("limit_strings", found=str(MAX_STRINGS))
            self.strings.append("".join(self._runs))


@dataclass(slots=True)
class _Styles:
    """styles.xml: the number format of each cell style, and the formats that the workbook defines.

    Formats of conditional formatting have numbers of their own, which may be those of others.
    """

    custom: dict[int, CellFormat] = field(default_factory=dict)
    cells: list[int] = field(default_factory=list)
    _part: str = ""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name in ("numFmts", "cellXfs"):
            self._part = name
        elif name == "xf" and self._part == "cellXfs":
            if len(self.cells) >= MAX_STYLES:
                raise Unusable("workbook")
            self.cells.append(_whole(attributes.get("numFmtId", "0")))
        elif name == "numFmt" and self._part == "numFmts" and len(self.custom) < MAX_STYLES:
            number = _whole(attributes.get("numFmtId", ""))
            self.custom[number] = custom_format(attributes.get("formatCode", ""))

    def end(self, name: str) -> None:
        if name == self._part:
            self._part = ""

    def text(self, text: str) -> None:
        pass


def _whole(written: str) -> int:
    return int(written) if written.isascii() and written.isdigit() and len(written) < 7 else 0
