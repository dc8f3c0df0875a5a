"""JSON responses written by orjson, and the page model of every list."""

from collections.abc import Mapping
from typing import Generic, TypeVar

import orjson
from pydantic import BaseModel
from starlette.responses import Response

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def as_json(
    body: object,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    media_type: str = "application/json",
) -> Response:
    """`body` as a JSON response; datetimes in UTC with `Z`, UUIDs and enumerations as text."""
    return Response(
        orjson.dumps(body, option=_OPTIONS),
        status,
        headers=dict(headers or {}),
        media_type=media_type,
    )


Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """Part of a list. `next`, given back as `cursor`, is where it goes on; null at its end."""

    items: list[Item]
    next: str | None
