"""JSON answers, made with orjson."""

from collections.abc import Mapping

import orjson
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
