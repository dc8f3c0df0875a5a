"""Tables that nobody thought of: what another reader reads is read alike, and nothing of any other file is lost."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from python_calamine import CalamineWorkbook

from shared.tables.reader import read_table
from shared.tables.table import TableData, Unusable
from tests.unit.tables.making import row, sheet_of, text_cell, workbook

pytestmark = pytest.mark.thorough
"""Generated tables."""

INPUTS = Path(__file__).parents[2] / "cases" / "inputs"
HEADER = row(1, text_cell("A1", "甲"), text_cell("B1", "乙"))


def attempt(raw: bytes) -> TableData | Unusable:
    try:
        return read_table(raw, 10_000)
    except Unusable as fault:
        return fault


CELLS = st.text(
    st.one_of(
        st.sampled_from('",;\t\r\n \'=+-@甲乙，"'),
        st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff"),
    ),
    max_size=8,
)
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=8)
)


def as_text(cell: str) -> str:
    """A cell, or the text of one that a program wrote as the formula `="…"`."""
    inner = cell[2:-1].replace('""', "")
    if len(cell) > 2 and cell.startswith('="') and cell.endswith('"') and '"' not in inner:
        return cell[2:-1].replace('""', '"').strip()
    return cell


def expected(rows: list[list[str]]) -> dict[int, tuple[str, ...]]:
    found = {}
    for number, cells in enumerate(rows, start=1):
        stripped = [as_text(cell.strip()) for cell in cells]
        while stripped and not stripped[-1]:
            stripped.pop()
        if stripped:
            found[number] = tuple(stripped)
    return found


@given(
    TABLES, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]), st.sampled_from("\r\n")
)
def test_what_the_csv_module_reads_is_read_alike(rows, encoding, lineterminator):
    header = [f"列{number}" for number in range(len(rows[0]))]
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator=lineterminator).writerows([header, *rows])
    theirs = list(csv.reader(io.StringIO(file.getvalue(), newline="")))
    assume(theirs[1:] == rows)
    want = {number + 1: cells for number, cells in expected(rows).items()}
    table = attempt(file.getvalue().encode(encoding))
    if isinstance(table, Unusable):
        # GB18030 is not told from other encodings in a file of few rare characters.
        assert (
            table.code == "empty" if not want else (table.code, encoding) == ("encoding", "gb18030")
        )
        return
    assert table.header == tuple(header)
    sound = {number: cells for number, cells in table.rows.items() if number not in table.faults}
    assert sound == {number: want[number] for number in sound}
    assert table.rows.keys() == want.keys()


@given(st.text(st.sampled_from('ab",;\t\n\r1'), max_size=60))
def test_any_text_is_read_whole_or_refused(text: str):
    table = attempt(f"x,y\n{text}".encode())
    if isinstance(table, Unusable):
        return
    held = "".join("".join(cells) for cells in table.rows.values())
    for letter in "ab1":
        assert held.count(letter) >= text.count(letter)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes):
    found = attempt(raw)
    assert found.code if isinstance(found, Unusable) else found.rows


VALUES = st.one_of(
    st.none(),
    st.text(
        st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co"), exclude_characters="\ufeff"),
        max_size=9,
    ),
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.booleans(),
    st.integers(0, 9_000_000_000).map(lambda s: datetime.fromtimestamp(s, UTC).replace(tzinfo=None)),
    st.dates(date(1901, 1, 1), date(2200, 1, 1)),
)  # fmt: skip


def shown(value: object) -> str:
    """What openpyxl reads, as a cell's text."""
    match value:
        case None:
            return ""
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date() | time():
            return value.isoformat()
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value).strip()


@given(st.lists(st.lists(VALUES, min_size=3, max_size=3), min_size=1, max_size=6))
def test_what_openpyxl_reads_is_read_alike(rows: list[list[object]]):
    book, file = Workbook(), io.BytesIO()
    book.active.append(["甲", "乙", "丙"])
    for values in rows:
        # A text that begins like a formula would be one.
        book.active.append([f"x{v}" if isinstance(v, str) else v for v in values])
    book.save(file)
    theirs = [
        [shown(value) for value in line]
        for line in load_workbook(io.BytesIO(file.getvalue())).active.iter_rows(
            min_row=2, values_only=True
        )
    ]
    table = attempt(file.getvalue())
    if isinstance(table, Unusable):
        assert (table.code, any(map(any, theirs))) == ("empty", False)
        return
    for number, line in enumerate(theirs, start=2):
        ours = [*table.rows.get(number, ()), "", "", ""][:3]
        if number not in table.faults:
            assert [each.removesuffix("T00:00:00") for each in ours] == line
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(file.getvalue())).get_sheet_by_index(0)
    for number, values in enumerate(sheet.to_python(skip_empty_area=False)[1:], start=2):
        if number not in table.faults:
            assert [shown(value) for value in (*values, None, None)][:3] == theirs[number - 2]


PIECES = st.sampled_from(
    [
        HEADER, row(2, text_cell("A2", "x")), row(3, text_cell("B3", "y")), row(2, text_cell("B2", "z")),
        row(3), row(1048576, text_cell("A1048576", "w")), "<row><c><v>5</v></c></row>",
        row(5, '<c r="A5" t="e"><v>#N/A</v></c>'), row(6, '<c r="B6"><f>1</f></c>'),
    ]
)  # fmt: skip


REFUSED = {"empty", "cell_twice", "row_number", "error_cell", "formula_without_value"}


def count_filled(cells: Sequence[str]) -> int:
    return sum(map(bool, cells))


@given(st.lists(PIECES, max_size=7), st.sampled_from(["", '<dimension ref="A1"/>']))
def test_no_filled_cell_is_lost_whatever_the_order_of_rows(pieces: list[str], before: str):
    table = attempt(workbook(sheet_of(*pieces, before=before)))
    if isinstance(table, Unusable):
        assert table.code in REFUSED
        return
    filled = sum(piece.count("<c") for piece in pieces)
    assert sum(map(count_filled, (table.header, *table.rows.values()))) == filled


@given(st.integers(0, 3000), st.integers(0, 255))
def test_a_damaged_workbook_is_read_or_refused(at: int, byte: int):
    raw = bytearray((INPUTS / "05-escapes-and-errors.xlsx").read_bytes())
    raw[at % len(raw)] = byte
    found = attempt(bytes(raw))
    assert found.code if isinstance(found, Unusable) else found.rows
