"""The text of a CSV file: its encoding is decided by the charset that was given, a byte order mark, or the bytes."""

import codecs
import re
from typing import Final

from shared.tables.table import UnsupportedFormat, Unusable

_CHARSETS: Final = {
    "utf-8": "utf-8-sig",
    "utf8": "utf-8-sig",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "x-gbk": "gb18030",
    "cp936": "gb18030",
    "windows-936": "gb18030",
    "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
}
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What UTF-8 makes of a Chinese character, and what no GB18030 text has often.
_UTF8_LONG: Final = re.compile(rb"[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH_RUN: Final = re.compile(rb"[\x80-\xff]+")
_CUT_RUN: Final = re.compile(rb"(?:[\xe3-\xe9][\x80-\xbf]{2})*[\xe3-\xe9][\x80-\xbf]?")
_GB_FOUR: Final = re.compile(rb"[\x81-\xfe][0-9][\x81-\xfe][0-9]")
_GB_PAIR: Final = re.compile(rb"([\x81-\xfe])([\x40-\x7e\x80-\xfe])")
# Two-byte sequences of UTF-8 outside Latin, Greek, Cyrillic and Vietnamese marks: more likely two bytes of GBK.
_RARE: Final = re.compile("[\u0180-\u036f\u0530-\u07ff]")


def decode(raw: bytes, charset: str | None = None) -> tuple[str, str]:
    """The text and the codec that `raw.decode` reads it with; a byte order mark is no part of the text.

    Raises UnsupportedFormat for a charset that is not read, and Unusable with the row of the first byte that does
    not fit, or with none where the bytes do not tell the encoding.
    """
    if raw.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise Unusable("encoding")
    marked = next((codec for mark, codec in _MARKS if raw.startswith(mark)), None)
    codec = _CHARSETS.get(charset.strip().lower()) if charset else None
    if charset and codec is None:
        raise UnsupportedFormat("charset", found=charset[:40])
    if codec is None:
        codec = marked or _evident(raw)
    elif (marked and _family(marked) != _family(codec)) or (
        codec in ("gb18030", "big5hkscs") and _is_utf8(raw)
    ):
        raise Unusable("charset_mismatch", found=str(charset)[:40])
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError as fault:
        raise _broken(raw, fault, codec) from fault
    return text.removeprefix("\ufeff"), codec


def _family(codec: str) -> str:
    return "utf-8" if codec in ("utf-8-sig", "ascii") else codec[:6]


def _evident(raw: bytes) -> str:
    if raw.count(0) * 4 > len(raw):
        raise Unusable("utf16_without_mark")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        if _is_broken_utf8(raw):
            raise _broken(raw, fault, "utf-8") from fault
        if not _is_gb18030(raw):
            raise Unusable("encoding") from fault
        return "gb18030"
    # A few characters of GBK may happen to be UTF-8 of another script.
    if not _UTF8_LONG.search(raw) and _RARE.search(text) and _is_gb18030(raw):
        raise Unusable("encoding")
    return "utf-8-sig"


def _is_utf8(raw: bytes) -> bool:
    """Whether all is UTF-8, and some of it in sequences that are hardly ever two-byte characters by chance."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return _UTF8_LONG.search(raw) is not None


def _is_broken_utf8(raw: bytes) -> bool:
    """Whether bytes that are no UTF-8 are so but for a few: a character that was cut, in the middle or at the end."""
    whole = len(_UTF8_LONG.findall(raw))
    lost = raw.decode("utf-8", "replace").count("\ufffd") - raw.count("\ufffd".encode())
    return whole >= max(lost, 1) or all(map(_CUT_RUN.fullmatch, _HIGH_RUN.findall(raw)))


def _is_gb18030(raw: bytes) -> bool:
    """Whether all is GB18030, and most of it what Chinese text is made of.

    Against it count second bytes that are ASCII, which other encodings' texts are full of, and the rows of kana,
    Greek, Cyrillic and line drawing. Chinese text has few of either.
    """
    try:
        raw.decode("gb18030")
    except UnicodeDecodeError:
        return False
    rest, four = _GB_FOUR.subn(b" ", raw)
    likely, unlikely = four, 0
    for lead, trail in _GB_PAIR.findall(rest):
        if trail < b"\x80" or b"\xa4" <= lead <= b"\xa9":
            unlikely += 1
        else:
            likely += 1
    return likely > 0 and unlikely * 2 <= likely


def _broken(raw: bytes, fault: UnicodeDecodeError, codec: str) -> Unusable:
    before = raw[: fault.start]
    ends = (
        before.decode(codec, "ignore") if codec.startswith("utf-16") else before.decode("latin-1")
    )
    row = len(re.findall(r"\r\n|\n|\r", ends)) + 1
    return Unusable(
        "broken_character", row, "UTF-8" if codec.startswith("utf-8") else codec.upper()
    )
