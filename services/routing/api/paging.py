"""Cursor pagination of routing's lists."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from fastapi import Response

from services.routing.store import queues
from shared.http import cursors
from shared.http.responses import as_json

Item = TypeVar("Item")

FIRST_ID = ""
LAST_NUMBER = 2_000_000_000


def page(
    rows: Sequence[Item],
    limit: int,
    place: Callable[[Item], Sequence[object]],
    view: Callable[[Item], Mapping[str, Any]],
) -> Response:
    """Return the first `limit` of `rows` as a page; with more rows `next` is the cursor of the last one's `place`."""
    shown = rows[:limit]
    more = len(rows) > limit
    return as_json(
        {
            "items": [view(row) for row in shown],
            "next": cursors.write_cursor(*place(shown[-1])) if more else None,
        }
    )


def after_id(cursor: str | None) -> str:
    """Return the id after which a page begins. Raises Problem 422 for an invalid cursor."""
    return FIRST_ID if cursor is None else cursors.read_cursor(cursor, 1)[0]


def after_place(cursor: str | None) -> tuple[datetime, UUID]:
    """Return the moment and id after which a page begins. Raises Problem 422 for an invalid cursor."""
    return queues.FIRST if cursor is None else cursors.read_place(cursor)


def after_number(cursor: str | None) -> int:
    """Return the number below which a page begins. Raises Problem 422 for an invalid cursor."""
    return LAST_NUMBER if cursor is None else cursors.read_number(cursor)
