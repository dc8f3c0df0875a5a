"""Refuses members in the body of a write that takes none (422)."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from fastapi import Request

from shared.http.problems import language
from shared.messages.catalogue import text
from shared.runtime.errors import FieldError, invalid_because

LONGEST_NAME: Final = 200
MOST_ERRORS: Final = 50


async def refuse_members(request: Request) -> None:
    """Raises Problem 422 for a body with members; an empty body, `null` and `{}` pass."""
    body = (await request.body()).strip()
    if not body:
        return
    lang = language(request)
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise invalid_because([_error("/body", "json_invalid", lang)]) from None
    if sent is None:
        return
    if not isinstance(sent, dict):
        raise invalid_because([_error("/body", "model_type", lang)])
    refuse_members_of(sent, lang)


def refuse_members_of(sent: Mapping[str, Any], lang: str) -> None:
    """Raises Problem 422 naming the members of `sent`, 50 at most; passes without any."""
    names = list(sent)[:MOST_ERRORS]
    if names:
        raise invalid_because(
            [_error(f"/body/{_step(name)}", "extra_forbidden", lang) for name in names]
        )


def _step(name: str) -> str:
    return name[:LONGEST_NAME].replace("~", "~0").replace("/", "~1")


def _error(pointer: str, code: str, lang: str) -> FieldError:
    return FieldError(pointer, code, text(f"field.{code}", lang))
