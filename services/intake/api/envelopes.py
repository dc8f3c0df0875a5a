"""Splits a JSON array into the texts of its items, so that an unreadable item does not affect the others."""

import re
from typing import Final

BOM: Final = b"\xef\xbb\xbf"

# A whole string, or one mark of the structure; a quote by itself begins a string that does not end.
_MARK: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|["\[\]{},]', re.DOTALL)
_DEPTH: Final = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}
_BLANK: Final = b" \t\r\n"


def without_bom(raw: bytes) -> bytes:
    """Return the text without a leading byte order mark."""
    return raw.removeprefix(BOM)


class NoArray(ValueError):
    """The text is not a JSON array, or not a complete one."""


class TooManyItems(ValueError):
    """The array has more items than allowed."""


def array_items(raw: bytes, most: int) -> list[bytes]:
    """Return the text of each item of the array in `raw`, valid or not; the time is linear, nesting costs nothing.

    Raises NoArray, and TooManyItems above `most`.
    """
    if not raw.lstrip(_BLANK).startswith(b"["):
        raise NoArray
    items: list[bytes] = []
    depth, begin = 0, raw.index(b"[") + 1
    for mark in _MARK.finditer(raw):
        if mark[0] == b'"':
            raise NoArray
        depth += _DEPTH.get(mark[0], 0)
        if depth == 0:
            return _ended(raw, items, begin, mark.start())
        if depth == 1 and mark[0] == b",":
            items.append(raw[begin : mark.start()])
            begin = mark.end()
            if len(items) >= most:
                raise TooManyItems
    raise NoArray


def _ended(raw: bytes, items: list[bytes], begin: int, end: int) -> list[bytes]:
    if raw[end + 1 :].strip(_BLANK) or raw[end : end + 1] != b"]":
        raise NoArray
    last = raw[begin:end]
    return [*items, last] if items or last.strip(_BLANK) else []
