"""Cursor pagination: where a list goes on, as a text that callers give back as it is."""

import base64
from datetime import datetime
from uuid import UUID

import orjson

from shared.contracts.fields.moments import read_recorded
from shared.runtime.errors import Problem

MAX_DIGITS = 9


def write_cursor(*parts: object) -> str:
    """The cursor of a place in a list; `parts` are values that JSON has, datetimes and UUIDs."""
    return base64.urlsafe_b64encode(orjson.dumps(parts, default=str)).decode().rstrip("=")


def read_cursor(cursor: str, count: int) -> list[str]:
    """The `count` parts of a cursor as text, without U+0000. Raises Problem 422 for what no list of such parts gave."""
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        raise bad_cursor() from None
    if not isinstance(parts, list) or len(parts) != count:
        raise bad_cursor()
    texts = [str(part) for part in parts]
    if any("\0" in text for text in texts):
        raise bad_cursor()
    return texts


def read_id(cursor: str) -> UUID:
    """The id in a cursor of one. Raises Problem 422."""
    (text,) = read_cursor(cursor, 1)
    return _uuid(text)


def read_place(cursor: str) -> tuple[datetime, UUID]:
    """The moment and the id in a cursor of the two. Raises Problem 422."""
    at, text = read_cursor(cursor, 2)
    try:
        return read_recorded(at), _uuid(text)
    except ValueError:
        raise bad_cursor() from None


def read_number(cursor: str) -> int:
    """The number, of 9 digits at most, in a cursor of one. Raises Problem 422."""
    (text,) = read_cursor(cursor, 1)
    if not text.isascii() or not text.isdecimal() or len(text) > MAX_DIGITS:
        raise bad_cursor()
    return int(text)


def bad_cursor() -> Problem:
    """The 422 for a cursor that no list gave."""
    return Problem(422, "bad_cursor")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise bad_cursor() from None
