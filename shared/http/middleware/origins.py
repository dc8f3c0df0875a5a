"""CORS: the origins whose pages may call the API (WHATWG Fetch)."""

import re
from collections.abc import Sequence
from typing import Final

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

PREFLIGHT_SECONDS: Final = 600
METHODS: Final = ("GET", "HEAD", "POST", "PUT")
REQUEST_HEADERS: Final = (
    "accept",
    "accept-language",
    "authorization",
    "content-language",
    "content-type",
    "idempotency-key",
    "if-match",
    "last-event-id",
    "traceparent",
    "tracestate",
)
ANSWER_HEADERS: Final = ("allow", "etag", "location", "retry-after", "www-authenticate")
"""What a page may read beside the headers that browsers give to all."""

_ORIGIN: Final = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?"
)
_DEFAULT_PORT: Final = {"http": ":80", "https": ":443"}


def read_origins(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list of origins. Raises ValueError for an invalid one."""
    found = [part.strip() for part in text.split(",") if part.strip()]
    for origin in found:
        scheme = origin.partition(":")[0]
        if not _ORIGIN.fullmatch(origin) or origin.endswith(_DEFAULT_PORT.get(scheme, "/")):
            raise ValueError(
                f"{origin!r} is no origin as a browser sends it, such as https://desk.example: "
                "scheme, host in small letters and a port that is not the scheme's own"
            )
    return tuple(dict.fromkeys(found))


def allow_origins(app: FastAPI, origins: Sequence[str]) -> None:
    """Allow pages of these origins to call `app` with a token (CORS); without origins none may.

    Call it last: it goes around all other middleware, so that errors are readable too.
    A browser shows no answer of theirs that a cookie opened: what a session opens stays closed to other origins.
    """
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=METHODS,
            allow_headers=REQUEST_HEADERS,
            expose_headers=ANSWER_HEADERS,
            allow_credentials=False,
            max_age=PREFLIGHT_SECONDS,
        )
