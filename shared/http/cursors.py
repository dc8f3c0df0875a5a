"""Cursor pagination: a list's position as an opaque text, which callers send back unchanged."""

import base64
from datetime import datetime
from uuid import UUID

import orjson

from shared.contracts.fields.moments import read_recorded
from shared.runtime.errors import Problem

MAX_DIGITS = 9


def write_cursor(*parts: object) -> str:
    """Return the cursor of a position; `parts` are JSON values, datetimes and UUIDs."""
    return base64.urlsafe_b64encode(orjson.dumps(parts, default=str)).decode().rstrip("=")


def read_cursor(cursor: str, count: int) -> list[str]:
    """Return the `count` parts of a cursor as text, without U+0000. Raises Problem 422 for an invalid cursor."""
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
    """Return the id in a cursor with one part. Raises Problem 422."""
    (text,) = read_cursor(cursor, 1)
    return _uuid(text)


def read_place(cursor: str) -> tuple[datetime, UUID]:
    """Return the moment and id in a cursor with two parts. Raises Problem 422."""
    at, text = read_cursor(cursor, 2)
    try:
        return read_recorded(at), _uuid(text)
    except ValueError:
        raise bad_cursor() from None


def read_number(cursor: str) -> int:
    """Return the number, of 9 digits at most, in a cursor with one part. Raises Problem 422."""
    (text,) = read_cursor(cursor, 1)
    if not text.isascii() or not text.isdecimal() or len(text) > MAX_DIGITS:
        raise bad_cursor()
    return int(text)


def bad_cursor() -> Problem:
    """Return the 422 for an invalid cursor."""
    return Problem(422, "bad_cursor")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise bad_cursor() from None
