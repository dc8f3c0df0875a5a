"""Reads a file's bytes as a table; which format it is, its first bytes say."""

from typing import Final

from shared.tables.decoding import decode
from shared.tables.delimited import read_delimited
from shared.tables.table import TableBuilder, TableData, UnsupportedFormat, Unusable
from shared.tables.workbook import read_workbook

_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_COMPOUND_FILE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_OLD_EXCEL: Final = (b"\x09\x08", b"\x09\x04", b"\x09\x02", b"\x09\x00")
_OTHERS: Final = {
    b"\x1f\x8b": "format_compressed",
    b"7z\xbc\xaf": "format_compressed",
    b"Rar!": "format_compressed",
    b"BZh": "format_compressed",
    b"%PDF": "format_other",
    b"\x89PNG": "format_other",
    b"\xff\xd8\xff": "format_other",
    b"{\\rtf": "format_other",
}
_MARKUP: Final = (b"<html", b"<!doctype", b"<table", b"<?xml", b"<workbook", b"<meta", b"<head")


def read_table(raw: bytes, most_rows: int, charset: str | None = None) -> TableData:
    """The table in `raw`, CSV or XLSX, whole.

    `charset` is what the sender says a CSV file is in. Reading 8 MiB takes seconds of the processor, and a hostile
    file takes what it can: services call it in a process of its own. Raises Unusable.
    """
    if raw.startswith(_ZIP):
        return read_workbook(raw, most_rows)
    _refuse_others(raw)
    text, encoding = decode(raw, charset)
    builder = TableBuilder(most_rows)
    delimiter = read_delimited(text, builder)
    table = builder.build()
    table.encoding, table.delimiter = encoding, delimiter
    return table


def _refuse_others(raw: bytes) -> None:
    if raw.startswith(_COMPOUND_FILE):
        if _ENCRYPTED in raw:
            raise Unusable("encrypted")
        raise UnsupportedFormat("format_xls")
    if raw.startswith(_OLD_EXCEL):
        raise UnsupportedFormat("format_xls")
    for mark, code in _OTHERS.items():
        if raw.startswith(mark):
            raise UnsupportedFormat(code)
    if raw[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_MARKUP):
        raise UnsupportedFormat("format_markup")
