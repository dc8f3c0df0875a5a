"""Cursor pagination: opaque cursors of routing's lists."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import orjson
from fastapi import Response

from services.routing.store import queues
from shared.contracts.moments import read_recorded
from shared.http.responses import as_json
from shared.runtime.errors import Problem

Item = TypeVar("Item")

FIRST_ID = ""


def page(
    rows: Sequence[Item],
    limit: int,
    place: Callable[[Item], Sequence[object]],
    view: Callable[[Item], Mapping[str, Any]],
) -> Response:
    """The first `limit` of `rows`; with more there is a `next`, made of the last one's `place`."""
    shown = rows[:limit]
    more = len(rows) > limit
    return as_json(
        {
            "items": [view(row) for row in shown],
            "next": _written(place(shown[-1])) if more else None,
        }
    )


def _written(parts: Sequence[object]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(list(parts))).decode().rstrip("=")


def _read(cursor: str, count: int) -> list[str]:
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as fault:
        raise Problem(400, "bad_cursor") from fault
    if not isinstance(parts, list) or len(parts) != count:
        raise Problem(400, "bad_cursor")
    if not all(isinstance(part, str) and "\0" not in part for part in parts):
        raise Problem(400, "bad_cursor")
    return parts


def after_id(cursor: str | None) -> str:
    """The id after which a page begins. Problem 400 for a cursor that no page gave."""
    return FIRST_ID if cursor is None else _read(cursor, 1)[0]


def after_place(cursor: str | None) -> tuple[datetime, UUID]:
    """The moment and id after which a page begins. Problem 400 for a cursor that no page gave."""
    if cursor is None:
        return queues.FIRST
    moment, identifier = _read(cursor, 2)
    try:
        return read_recorded(moment), UUID(identifier)
    except ValueError as fault:
        raise Problem(400, "bad_cursor") from fault


def after_number(cursor: str | None) -> int:
    """The number below which a page begins. Problem 400 for a cursor that no page gave."""
    if cursor is None:
        return 2_000_000_000
    (number,) = _read(cursor, 1)
    if not number.isascii() or not number.isdecimal() or len(number) > 9:
        raise Problem(400, "bad_cursor")
    return int(number)
