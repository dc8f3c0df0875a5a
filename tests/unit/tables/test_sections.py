"""What a number format writes around a number or a text is read with it; digits are never lost."""

from collections.abc import Sequence
from decimal import Decimal
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.tables.formats import custom_format, number_text, text_as_shown
from shared.tables.reader import read_table
from tests.unit.tables.making import row, sheet_of, text_cell, workbook

HEADER = row(1, text_cell("A1", "甲"))


def read(code: str, cell: str, after: str = "") -> str:
    """The text of A2, whose style has this format."""
    styles = (
        f'<numFmts count="1"><numFmt numFmtId="176" formatCode={quoteattr(code)}/></numFmts>'
        f'<cellXfs><xf numFmtId="0"/><xf numFmtId="176"/></cellXfs>{after}'
    )
    table = read_table(workbook(sheet_of(HEADER, row(2, cell)), styles=styles), 10)
    assert table.faults == {}
    return table.rows[2][0]


@pytest.mark.parametrize(
    ("code", "written", "text"),
    [
        ('"L"000', "1", "L001"), ("\\L000", "7", "L007"), ('"D-"0', "12", "D-12"), ('0"号门"', "5", "5号门"),
        ("0号门", "5", "5号门"), ('General"个"', "5", "5个"), ('G/通用格式"个"', "5", "5个"),
        ('[$-804]"第"0"号"', "3", "第3号"), ('#,##0"件"', "1200", "1200件"), ('0.00"米"', "2.5", "2.5米"),
        ("000-0000-0000", "13812345678", "138-1234-5678"), ("00-0000", "12345", "01-2345"),
        ("(000) 0000-0000", "2167601234", "(021) 6760-1234"), ("0-0", "345", "34-5"), ("0%", "0.5", "50%"),
        ("0.00%", "0.1234", "12.34%"), ("0.0%", "-0.055", "-5.5%"), ('[=1]"是";"否"', "1", "是"),
        ('[=1]"是";"否"', "0", "否"), ('"是";;"否"', "0", "否"), ('[>999]#,##0;000', "42", "042"),
        ('@"号"', "5", "5号"), ("000000_);[Red]\\(000000\\)", "42", "000042"), ("0_ ", "5", "5"),
        ('0"月"00"日"', "305", "3月05日"), ("¥#,##0.00", "1200", "1200"), ('"¥"#,##0', "5", "5"),
        ("[$¥-804]#,##0.00", "5", "5"), ("_-* #,##0_-", "1200", "1200"), (";;;", "5", "5"),
        ("0;-0;;@", "0", "0"), ('0,"千"', "12000", "12000"), ('0!.0,"万"', "120000", "120000"),
        ("# ?/?", "0.5", "0.5"), ("0.00E+00", "12345678901", "12345678901"), ("00000", "2.5", "2.5"),
        ("0_);(0)", "-5", "-5"), ("[h]:mm", "1.5", "1.5"), ("Standard", "5", "5"), ("[DBNum2]0", "3", "3"),
        ("", "5", "5"), ('"', "5", "5"), ("[", "5", "5"),
    ],
)  # fmt: skip
def test_a_number_is_read_with_what_its_format_shows(code: str, written: str, text: str):
    assert read(code, f'<c r="A2" s="1"><v>{written}</v></c>') == text


@pytest.mark.parametrize(
    ("code", "text"),
    [('@"号"', "5号"), ('0;-0;0;"L"@', "L5"), ("@", "5"), ("0", "5"), ("yyyy-mm-dd;@", "5")],
)
def test_a_text_is_read_with_what_its_format_shows(code: str, text: str):
    assert read(code, '<c r="A2" s="1" t="str"><v>5</v></c>') == text
    assert read(code, '<c r="A2" s="1" t="inlineStr"><is><t>5</t></is></c>') == text


def test_formats_of_conditional_formatting_are_no_formats_of_cells():
    after = '<dxfs><dxf><numFmt numFmtId="176" formatCode="0.00"/></dxf></dxfs>'
    cell = '<c r="A2" s="1"><v>46000</v></c>'
    assert read("yyyy/m/d", cell, after) == "2025-12-09"


@given(
    st.text("甲L号-", max_size=3), st.integers(1, 8), st.text("乙号楼", max_size=3), st.integers(0, 10**14)
)  # fmt: skip
def test_words_and_zeros_of_a_format_stand_around_the_digits(before, zeros, after, number):
    code = f'"{before}"{"0" * zeros}"{after}"'
    shape = custom_format(code)
    assert number_text(str(number), shape, False) == (f"{before}{number:0{zeros}d}{after}", None)


CODES = st.lists(
    st.sampled_from(
        ["0", "00", "#", "?", "0.0", "#,##0", "-", " ", "(", ")", "号", "\\L", "!x", "_)", "* ", "@", "%",
         "General", ";", "[Red]", "[>5]"]
    ),
    max_size=8,
).map("".join)  # fmt: skip


def is_within(digits: Sequence[str], text: str) -> bool:
    rest = iter(text)
    return all(digit in rest for digit in digits)


@given(CODES, st.decimals(Decimal("-1e9"), Decimal("1e9"), places=3))
def test_no_format_loses_a_digit(code: str, number: Decimal):
    shape = custom_format(code)
    text, fault = number_text(format(number, "f"), shape, False)
    whole = number * 100 if "%" in text else number
    plain, _ = number_text(format(whole, "f"), custom_format(""), False)
    digits = [each for each in plain if each.isdigit()]
    held = is_within(digits, text)
    # A section of words alone stands for its number.
    assert fault is None
    assert held or not any(each.isdigit() for each in text)


@given(st.text(max_size=40), st.text(max_size=10))
def test_any_format_is_understood_or_passed_over(code: str, text: str):
    shape = custom_format(code)
    assert number_text("5", shape, False)[0]
    assert text in text_as_shown(text, shape) or "@" not in code
