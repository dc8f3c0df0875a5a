"""Workbooks as programs write them, well or badly: read whole, refused by name, or faulty by row."""

from pathlib import Path

import pytest

from shared.tables.reader import read_table
from shared.tables.table import TableData, UnsupportedFormat, Unusable
from tests.unit.tables.making import row, sheet_of, text_cell, workbook

INPUTS = Path(__file__).parents[2] / "cases" / "inputs"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
STRICT_RELATIONS = "http://purl.oclc.org/ooxml/officeDocument/relationships"
ODS = b"application/vnd.oasis.opendocument.spreadsheet"
HEADER = row(1, text_cell("A1", "甲"), text_cell("B1", "乙"))


def read(raw: bytes) -> TableData:
    return read_table(raw, 10_000)


def case(name: str) -> TableData:
    return read((INPUTS / name).read_bytes())


def refusal(raw: bytes) -> Unusable:
    with pytest.raises(Unusable) as caught:
        read(raw)
    return caught.value


def codes(table: TableData) -> dict[int, list[str]]:
    return {number: [fault.code for fault in faults] for number, faults in table.faults.items()}


def cell(inner: str, **attributes: str) -> TableData:
    """A sheet whose B2 is this cell."""
    given = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return read(
        workbook(sheet_of(HEADER, row(2, text_cell("A2", "x"), f'<c r="B2"{given}>{inner}</c>')))
    )


@pytest.mark.parametrize("name", ["01-dimension-a1.xlsx", "01-dimension-short.xlsx"])
def test_case_01_a_dimension_is_a_hint(name: str):
    table = case(name)
    assert (len(table.rows), table.faults) == (3, {})


@pytest.mark.parametrize("reference", ["A1", "A1:A2", "B7:C9", "A1:XFD1048576", "", "nonsense"])
def test_case_01_whatever_the_dimension_says(reference: str):
    rows = [row(at, text_cell(f"A{at}", f"x{at}"), text_cell(f"B{at}", "y")) for at in (2, 3, 4)]
    table = read(workbook(sheet_of(HEADER, *rows, before=f'<dimension ref="{reference}"/>')))
    assert table.rows == {at: (f"x{at}", "y") for at in (2, 3, 4)}


def test_case_02_a_stray_cell_costs_nothing():
    assert list(case("02-stray-last-row.xlsx").rows) == [2]
    far = read(
        workbook(
            sheet_of(HEADER, row(2, text_cell("A2", "x")), row(1048576, text_cell("B1048576", "y")))
        )
    )
    assert far.rows == {2: ("x",), 1048576: ("", "y")}


@pytest.mark.parametrize(
    "number", ["1048577", "2000000000", "1000000000000000", "-1", "0", "x", "9" * 5000]
)
def test_case_02_and_80_a_row_beyond_the_last_is_refused(number: str):
    fault = refusal(workbook(sheet_of(HEADER, row(number, f'<c r="A{number}"><v>1</v></c>'))))
    assert fault.code == "row_number"


def test_case_03_a_formula_without_a_value_is_a_fault():
    assert codes(case("03-formula-without-value.xlsx")) == {2: ["formula_without_value"]}


@pytest.mark.parametrize(
    ("inner", "kind", "text", "code"),
    [
        ("<f>1+1</f>", "n", "#N/A", "formula_without_value"),
        ("<f>1+1</f><v/>", "n", "#N/A", "formula_without_value"),
        ("<f>A1</f>", "str", "#N/A", "formula_without_value"),
        ('<f t="shared" si="0"/>', "n", "#N/A", "formula_without_value"),
        ("<f>1+1</f><v>2</v>", "n", "2", None),
        ("<f>A1</f><v>文</v>", "str", "文", None),
        ("<f>A1</f><v></v>", "str", "", None),
        ("<v>#DIV/0!</v>", "e", "#DIV/0!", "error_cell"),
        ("<v>7</v>", "s", "#N/A", "cell_value"),
        ("<v>-1</v>", "s", "#N/A", "cell_value"),
        ("<v>abc</v>", "n", "#N/A", "cell_value"),
        ("<v>NaN</v>", "n", "#N/A", "cell_value"),
        ("<v>1e999</v>", "n", "#N/A", "number_digits"),
        ("<v>1</v>", "zz", "#N/A", "cell_value"),
        ("<v>1</v>", "b", "True", None),
        ("<v>2026-03-04T05:06:07</v>", "d", "2026-03-04T05:06:07", None),
        ("<is><t>文</t></is>", "n", "#N/A", "cell_value"),
        ("<is><r><t>甲</t></r><rPh><t>ふり</t></rPh><r><t>乙</t></r></is>", "inlineStr", "甲乙", None),
        ("<is><t>a_x000D_b</t></is>", "inlineStr", "a\rb", None),
        ("<is><t>a_x005F_x000D_b</t></is>", "inlineStr", "a_x000D_b", None),
        ("<is><t>_xD83D__xDE00_</t></is>", "inlineStr", "😀", None),
        ("<is><t>_xD83D_</t></is>", "inlineStr", "#N/A", "control_character"),
        ("<is><t>_x0000_</t></is>", "inlineStr", "#N/A", "control_character"),
    ],
)  # fmt: skip
def test_case_03_and_05_a_cell_keeps_its_type(inner: str, kind: str, text: str, code: str | None):
    table = cell(inner, t=kind)
    assert table.rows[2] == (("x", text) if text else ("x",))
    assert codes(table) == ({2: [code]} if code else {})


def test_case_04_a_code_in_a_number_cell_is_a_fault():
    table = case("04-code-as-number.xlsx")
    assert codes(table) == {2: ["number_digits"]}
    assert table.faults[2][0].column == 5
    assert table.rows[2][5] == "9.13101170000048E+17"


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("999999999999999", "999999999999999"), ("1E14", "100000000000000"), ("-0", "0"),
        ("7.0", "7"), ("0.30000000000000004", "0.3"), ("1.5E-3", "0.0015"), ("1E-7", "0.0000001"),
        ("13800000000", "13800000000"), ("1.38E10", "13800000000"),
    ],
)  # fmt: skip
def test_case_04_a_number_is_its_shortest_decimal_text(written: str, text: str):
    table = cell(f"<v>{written}</v>")
    assert (table.rows[2], table.faults) == (("x", text), {})


@pytest.mark.parametrize("written", ["1000000000000000", "913101170000048123", "9.1E+17", "-1e15"])
def test_case_04_a_number_of_more_than_15_digits_is_a_fault(written: str):
    assert codes(cell(f"<v>{written}</v>")) == {2: ["number_digits"]}


def test_case_05_errors_are_faults_and_escapes_are_decoded():
    table = case("05-escapes-and-errors.xlsx")
    assert codes(table) == {3: ["error_cell"]}
    assert not any("_x000D_" in each for cells in table.rows.values() for each in cells)


STYLES = (
    '<numFmts><numFmt numFmtId="164" formatCode="yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;"/>'
    '<numFmt numFmtId="165" formatCode="000000"/><numFmt numFmtId="166" formatCode="[h]:mm"/>'
    '<numFmt numFmtId="167" formatCode="#,##0&quot;日&quot;"/><numFmt numFmtId="168" formatCode="yyyy/m/d\\ h:mm"/>'
    '<numFmt numFmtId="169" formatCode="[Red]0.00"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
    "<cellXfs>"
    + "".join(f'<xf numFmtId="{n}"/>' for n in (0, 14, 22, 164, 165, 166, 167, 168, 21, 31, 169))
    + "</cellXfs>"
)  # fmt: skip


@pytest.mark.parametrize(
    ("style", "written", "text", "epoch_1904"),
    [
        (0, "45239", "45239", False), (1, "45239", "2023-11-09", False), (1, "43777", "2023-11-09", True),
        (2, "45239", "2023-11-09T00:00:00", False), (7, "45239.378472222219", "2023-11-09T09:05:00", False),
        (3, "45239", "2023-11-09", False), (9, "45239", "2023-11-09", False), (1, "1", "1900-01-01", False),
        (1, "59", "1900-02-28", False), (1, "61", "1900-03-01", False), (4, "1234", "001234", False),
        (5, "1.5", "1.5", False), (6, "3", "3日", False), (8, "0.5", "12:00:00", False), (10, "2.50", "2.5", False),
    ],
)  # fmt: skip
def test_dates_by_both_calendars(style: int, written: str, text: str, epoch_1904: bool):
    sheet = sheet_of(HEADER, row(2, f'<c r="A2" s="{style}"><v>{written}</v></c>'))
    properties = '<workbookPr date1904="1"/>' if epoch_1904 else ""
    table = read(workbook(sheet, styles=STYLES, properties=properties))
    assert (table.rows, table.faults) == ({2: (text,)}, {})


@pytest.mark.parametrize("written", ["60", "0", "-1", "2958466", "2958465.9999999999", "0.5"])
def test_a_date_that_cannot_be_is_a_fault(written: str):
    sheet = sheet_of(HEADER, row(2, f'<c r="A2" s="7"><v>{written}</v></c>'))
    assert codes(read(workbook(sheet, styles=STYLES))) == {2: ["date_cell"]}


def test_rows_may_jump_go_backwards_and_lack_their_numbers():
    rows = (
        row(9, text_cell("A9", "neun")),
        row(2, text_cell("B2", "zwei")),
        "<row><c t='inlineStr'><is><t>drei</t></is></c></row>",
        row(9, text_cell("B9", "auch")),
    )
    table = read(workbook(sheet_of(*rows[:2], HEADER, *rows[2:])))
    assert table.rows == {2: ("drei", "zwei"), 9: ("neun", "auch")}


def test_rows_that_share_a_number_and_a_cell_are_refused():
    twice = row(2, text_cell("A2", "x"))
    fault = refusal(workbook(sheet_of(HEADER, twice, twice)))
    assert (fault.code, fault.row) == ("cell_twice", 2)


@pytest.mark.parametrize("place", ["A3", "XFE2", "A", "2", "AAAA2", "A0", "A99999999"])
def test_a_cell_in_an_impossible_place_is_refused(place: str):
    assert (
        refusal(workbook(sheet_of(HEADER, row(2, text_cell(place, "x"))))).code == "cell_reference"
    )


def test_cells_under_no_heading_are_a_fault():
    table = read(workbook(sheet_of(HEADER, row(2, text_cell("A2", "x"), text_cell("XFD2", "y")))))
    assert (codes(table), table.rows) == ({2: ["extra_cells"]}, {2: ("x", "", "y")})


def test_a_header_has_a_named_limit_of_columns():
    wide = sheet_of(
        row(1, text_cell("A1", "x"), text_cell("GS1", "y")), row(2, text_cell("A2", "x"))
    )
    assert refusal(workbook(wide)).code == "too_many_columns"


@pytest.mark.parametrize("merged", ["A1:B1", "A1:B2", "A1:XFD1"])
def test_a_title_above_the_header_is_refused_by_name(merged: str):
    title = row(1, text_cell("A1", "诉求登记表"))
    below = (row(2, text_cell("A2", "甲"), text_cell("B2", "乙")), row(3, text_cell("A3", "x")))
    after = f'<mergeCells><mergeCell ref="{merged}"/></mergeCells>'
    fault = refusal(workbook(sheet_of(title, *below, after=after)))
    assert (fault.code, fault.row) == ("title_row", 1)


@pytest.mark.parametrize(
    "inner", ["<v>1</v><v>2</v>", "<is><t>1</t></is><v>2</v>", "<v>2</v><is><t>1</t></is>"]
)
@pytest.mark.parametrize("kind", ["n", "str", "inlineStr"])
def test_a_cell_with_two_values_is_a_fault(inner: str, kind: str):
    assert codes(cell(inner, t=kind)) == {2: ["cell_value"]}


def test_merged_cells_are_faults_where_they_hold_something():
    rows = [row(at, text_cell(f"A{at}", "x")) for at in (2, 3, 4)]
    merges = '<mergeCells><mergeCell ref="A2:A3"/><mergeCell ref="B2:B4"/></mergeCells>'
    assert codes(read(workbook(sheet_of(HEADER, *rows, after=merges)))) == {
        2: ["merged_cells"], 3: ["merged_cells"],
    }  # fmt: skip


def test_one_visible_sheet_is_read_and_hidden_ones_are_named():
    data, blank = sheet_of(HEADER, row(2, text_cell("A2", "x"))), sheet_of()
    table = read(workbook(blank, data, data, states=["visible", "visible", "veryHidden"]))
    assert (table.sheet, table.hidden_sheets) == ("表2", ("表3",))
    assert refusal(workbook(data, blank, data)).code == "several_sheets"
    assert refusal(workbook(blank, data, states=["visible", "hidden"])).code == "hidden_sheet"


def test_the_strict_namespace_and_prefixes_are_read():
    sheet = sheet_of(HEADER, row(2, '<c r="A2" t="s"><v>0</v></c>'), main=STRICT)
    raw = workbook(sheet, strings="<si><t>文</t></si>", main=STRICT, relations=STRICT_RELATIONS)
    assert read(raw).rows == {2: ("文",)}
    prefixed = (
        '<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData>'
        '<x:row r="1"><x:c r="A1" t="str"><x:v>a</x:v></x:c></x:row>'
        '<x:row r="2"><x:c r="A2" t="str"><x:v>b</x:v></x:c></x:row></x:sheetData></x:worksheet>'
    )
    assert read(workbook(prefixed)).rows == {2: ("b",)}


def test_entities_are_refused():
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + sheet_of(
        HEADER, row(2, '<c r="A2" t="str"><v>&b;</v></c>')
    )
    assert refusal(workbook(bomb)).code == "workbook"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "Workbook".encode("utf-16-le"), "format_xls"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (b"\x09\x08\x10\x00\x00\x06\x05\x00", "format_xls"),
        (b"<html><table><tr><td>a</td></tr></table>", "format_markup"),
        (b"\x1f\x8b\x08\x00", "format_compressed"),
        (b"%PDF-1.7\n", "format_other"),
        (workbook(sheet_of(HEADER), more={"mimetype": ODS}), "format_ods"),
        (workbook(sheet_of(HEADER), more={"xl/workbook.bin": b"x"}), "format_xlsb"),
    ],
)  # fmt: skip
def test_case_11_other_formats_are_refused_by_name(raw: bytes, code: str):
    fault = refusal(raw)
    assert fault.code == code
    assert isinstance(fault, UnsupportedFormat) == code.startswith("format")
