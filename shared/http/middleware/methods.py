"""HEAD, OPTIONS and `Allow` by the route table."""

from collections.abc import Sequence
from typing import Final

from fastapi.routing import iter_route_contexts
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.contracts.cloudevents import is_structured

_DISCONNECT: Final[Message] = {"type": "http.disconnect"}
_END: Final[Message] = {"type": "http.response.body", "body": b"", "more_body": False}


def allowed_methods(routes: Sequence[BaseRoute], path: str) -> list[str]:
    """Return the methods of all routes that match `path`; empty for an unknown path."""
    found: set[str] = set()
    for route in iter_route_contexts(routes):
        if route.methods and route.path_regex.match(path):
            found |= route.methods
    if not found:
        return []
    return sorted(found | {"OPTIONS"} | ({"HEAD"} if "GET" in found else set()))


def permission(routes: Sequence[BaseRoute], scope: Scope) -> dict[str, str]:
    """Return headers that permit CloudEvents delivery (HTTP 1.1 Web Hooks, 4.2); empty unless requested.

    Any origin may: the handshake protects who does not expect events, and a delivery needs a token all the same. The
    rate is that of each role and party, in requests a minute.
    """
    origin = Headers(scope=scope).get("webhook-request-origin", "").strip()
    if not origin or not _reads_events(routes, scope["path"]):
        return {}
    rate_limiter = scope["app"].state.rate_limiter
    rate = "*" if rate_limiter is None else str(rate_limiter.per_minute)
    return {"webhook-allowed-origin": origin, "webhook-allowed-rate": rate}


def _reads_events(routes: Sequence[BaseRoute], path: str) -> bool:
    for route in iter_route_contexts(routes):
        if route.methods and "POST" in route.methods and route.path_regex.match(path):
            extra = getattr(route.original_route, "openapi_extra", None) or {}
            described = extra.get("requestBody", {}).get("content", {})
            if any(is_structured(media_type) for media_type in described):
                return True
    return False


class MethodsMiddleware:
    """Answers HEAD by GET's route (RFC 9110, 9.3.2) and OPTIONS with `Allow` (9.3.7).

    To who asks to deliver CloudEvents OPTIONS grants it, where they are read.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"] if scope["type"] == "http" else None
        if method == "HEAD":
            head = _Head(receive, send)
            await self._app(dict(scope, method="GET"), head.receive, head.send)
            return
        allowed = allowed_methods(self._routes, scope["path"]) if method == "OPTIONS" else []
        if allowed:
            granted = permission(self._routes, scope)
            headers = {"allow": ", ".join(allowed)} | granted
            answer = Response(status_code=200 if granted else 204, headers=headers)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


class _Head:
    """Ends a response after its headers; to a stream the caller appears disconnected, so that it ends too."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._ended = False

    async def receive(self) -> Message:
        return _DISCONNECT if self._ended else await self._receive()

    async def send(self, message: Message) -> None:
        if not self._ended:
            self._ended = message["type"] == "http.response.start"
            await self._send(message)
            if self._ended:
                await self._send(_END)
