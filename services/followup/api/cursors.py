"""Cursor pagination: opaque cursors of followup's lists."""

import base64
from datetime import datetime
from uuid import UUID

import orjson

from shared.contracts.moments import read_recorded
from shared.runtime.errors import Problem


def _write(*parts: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def _read(cursor: str, length: int) -> list[str]:
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        raise Problem(422, "bad_cursor") from None
    if not isinstance(parts, list) or len(parts) != length:
        raise Problem(422, "bad_cursor")
    return [str(part) for part in parts]


def of_id(matter_id: str) -> str:
    """After a matter in a list by age."""
    return _write(matter_id)


def read_id(cursor: str | None) -> UUID | None:
    """The matter that a list by age goes on after. Raises Problem 422 for what is no cursor of such a list."""
    if cursor is None:
        return None
    (matter_id,) = _read(cursor, 1)
    return _uuid(matter_id)


def of_place(place: tuple[datetime, UUID]) -> str:
    """After a row in a list by date."""
    return _write(place[0], str(place[1]))


def read_place(cursor: str | None) -> tuple[datetime, UUID] | None:
    """The date and row that a list by date goes on after. Raises Problem 422 for what is no such cursor."""
    if cursor is None:
        return None
    at, row_id = _read(cursor, 2)
    try:
        moment = read_recorded(at)
    except ValueError:
        raise Problem(422, "bad_cursor") from None
    return moment, _uuid(row_id)


def of_version(version: int) -> str:
    """After a version in a history."""
    return _write(version)


def read_version(cursor: str | None) -> int:
    """The version that a history goes on after. Raises Problem 422 for what is no such cursor."""
    if cursor is None:
        return 0
    (version,) = _read(cursor, 1)
    if not version.isdecimal() or len(version) > 9:
        raise Problem(422, "bad_cursor")
    return int(version)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Problem(422, "bad_cursor") from None
