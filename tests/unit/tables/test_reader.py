"""Spreadsheets as rows of text, whoever made them, and those that are none."""

import io
from datetime import date

import pytest
from openpyxl import Workbook

from shared.tables.reader import read_table
from shared.tables.table import Unusable
from shared.tables.writing import as_csv


def workbook(*rows: tuple[object, ...]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_is_read_as_offices_write_it(encoding: str) -> None:
    table = read_table('名称,内容\r\n云杉," 一行\n两行 "\r\n,\r\n红松,x\r\n'.encode(encoding), 10)
    assert table.header == ("名称", "内容")
    assert table.rows == {2: ("云杉", "一行\n两行"), 4: ("红松", "x")}


def test_a_workbook_is_read_as_a_person_sees_it() -> None:
    raw = workbook(
        ("编号", "电话", "时间", "空"),
        (7.0, 13800000000, date(2026, 3, 4), None),
        (None, None, None, None),
        ("x", True, 1.5, " y "),
    )
    table = read_table(raw, 10)
    assert table.header == ("编号", "电话", "时间", "空")
    assert table.rows == {
        2: ("7", "13800000000", "2026-03-04"),
        4: ("x", "True", "1.5", "y"),
    }


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "empty"),
        (b"a,b\n", "empty"),
        (b",\nx,y\n", "empty"),
        (b"a\n\xff\xff\xff", "encoding"),
        (b"PK\x03\x04 no archive", "workbook"),
        (workbook(("a",), ("b",))[:-200], "workbook"),
        (workbook(("a",)), "empty"),
        (b"a\n1\n2\n3\n4\n", "too_many_rows"),
        (workbook(("a",), (1,), (2,), (3,), (4,)), "too_many_rows"),
    ],
)
def test_what_cannot_be_used_is_told_apart(raw: bytes, code: str) -> None:
    with pytest.raises(Unusable) as caught:
        read_table(raw, 3)
    assert caught.value.code == code


def test_what_is_given_back_can_be_read_again() -> None:
    raw = as_csv(("甲", "乙"), [("1,2", "三\n四"), ("", "五")])
    assert raw.startswith("\ufeff".encode())
    assert read_table(raw, 10).rows == {2: ("1,2", "三\n四"), 3: ("", "五")}
