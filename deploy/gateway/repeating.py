"""Connection pooling: requests that may be repeated share pooled connections, each other one opens its own."""

from typing import Final

import httpx
import structlog

from deploy.gateway.transport import Transport

log = structlog.get_logger()

POOLED: Final = 2000
IDLE_POOLED: Final = 100
SINGLE: Final = 500
LARGEST_REPEATED: Final = 65_536
"""Bytes of the largest body that is kept to be sent again."""

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# (source, source_ref) names a submission for ever: sent twice it is one request.
_NAMED_BY_BODY: Final = frozenset(
    {("POST", "/intake/requests"), ("POST", "/intake/requests/batch")}
)


def may_repeat(request: httpx.Request) -> bool:
    """Return whether a request is idempotent and its body small enough to be kept for a repetition."""
    headers = request.headers
    if "transfer-encoding" in headers or not is_small(headers.get("content-length", "0")):
        return False
    route = (request.method, request.url.path)
    return request.method in _SAFE or "idempotency-key" in headers or route in _NAMED_BY_BODY


def is_small(length: str) -> bool:
    """Return whether a Content-Length is small enough for a body to be kept for a repetition."""
    return length.isascii() and length.isdigit() and int(length) <= LARGEST_REPEATED


class RepeatingTransport(httpx.AsyncBaseTransport):
    """Repeats a request once when its pooled connection closed before the head of the response.

    A service may close an idle connection while a request is on its way to it; nothing says whether it read the
    request (RFC 9112 9.3.1). One that may not be repeated (RFC 9110 9.2.2) therefore never meets an idle connection.
    """

    def __init__(self, idle_seconds: float) -> None:
        self._pooled = Transport(
            limits=httpx.Limits(
                max_connections=POOLED,
                max_keepalive_connections=IDLE_POOLED,
                keepalive_expiry=idle_seconds,
            ),
            trust_env=False,
        )
        self._single = Transport(
            limits=httpx.Limits(max_connections=SINGLE, max_keepalive_connections=0),
            trust_env=False,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response with its body unread. Raises httpx errors, of the second connection if it was
        repeated.
        """
        if not may_repeat(request):
            return await self._single.handle_async_request(request)
        try:
            return await self._pooled.handle_async_request(request)
        except (httpx.ReadError, httpx.RemoteProtocolError) as fault:
            log.info("origin.repeated", method=request.method, fault=type(fault).__name__)
            return await self._single.handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pooled.aclose()
        await self._single.aclose()
