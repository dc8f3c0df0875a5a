"""What users of other readers reported, on ours; each case names where it was."""

import pytest

from shared.tables.reader import read_table
from tests.unit.tables.making import row, sheet_of, text_cell, workbook

HEADER = row(1, text_cell("A1", "甲"), text_cell("B1", "乙"), text_cell("C1", "丙"))


def shared(index: int) -> str:
    return f'<c t="s"><v>{index}</v></c>'


@pytest.mark.parametrize(
    ("report", "rows", "strings", "found"),
    [
        ("ExcelDataReader#115, calamine#330", "<row><c/><c t='str'><v>x</v></c></row>", "", {2: ("", "x")}),
        (
            "readxl#671: some rows and cells have numbers",
            '<row r="23"><c t="str"><v>x</v></c></row><row><c t="str"><v>y</v></c></row>'
            '<row r="27"><c t="str"><v>z</v></c></row>'
            '<row><c t="str"><v>p</v></c><c r="B28" t="str"><v>q</v></c><c t="str"><v>r</v></c></row>',
            "",
            {23: ("x",), 24: ("y",), 27: ("z",), 28: ("p", "q", "r")},
        ),
        (
            "SDEverywhere#847: attributes on v",
            '<row><c t="str"><f>A1</f><v xml:space="preserve"> x </v></c></row>',
            "",
            {2: ("x",)},
        ),
        (
            "openxlsx#374: phonetic text",
            f"<row>{shared(0)}</row>",
            '<si><t>宁东大道</t><rPh sb="0" eb="1"><t>dao</t></rPh><phoneticPr fontId="2"/></si>',
            {2: ("宁东大道",)},
        ),
        (
            "EPPlus#1530: an empty rPr",
            f"<row>{shared(0)}{shared(1)}</row>",
            "<si><r><rPr/><t>甲</t></r><r><t xml:space='preserve"
            "'> 乙</t></r></si><si><t>丙</t></si>",
            {2: ("甲 乙", "丙")},
        ),
        (
            "exceljs#683: an empty string among the shared ones",
            f"<row>{shared(0)}{shared(1)}</row>",
            "<si><t/></si><si><t>乙</t></si>",
            {2: ("", "乙")},
        ),
        (
            "exceljs#203: no spans; rows hidden by a filter",
            '<row r="2" hidden="1"><c r="A2" t="str"><v>x</v></c></row>',
            "",
            {2: ("x",)},
        ),
        (
            "exceljs#2961: neither rows nor cells have a number",
            "<row><c t='n'><v>1</v></c><c t='n'><v>2</v></c></row>",
            "",
            {2: ("1", "2")},
        ),
    ],
)  # fmt: skip
def test_a_workbook_that_another_reader_misread(report: str, rows: str, strings: str, found):
    table = read_table(workbook(sheet_of(HEADER, rows), strings=strings), 100)
    assert (table.rows, table.faults) == (found, {}), report


def test_a_csv_that_chinese_excel_saves_by_default_is_read():
    """objectui#2556, nocodb#9634: GBK without any mark."""
    raw = "单位名称,联系电话,备注\r\n云杉精密,021-5555 0101,“急”\r\n".encode("gbk")
    assert read_table(raw, 10).rows == {2: ("云杉精密", "021-5555 0101", "“急”")}
