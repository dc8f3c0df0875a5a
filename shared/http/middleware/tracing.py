"""Tracing of requests: a span for each, and the traceparent for everything recorded in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.observability.tracing import (
    Exporting,
    Span,
    Tracer,
    continued,
    now,
    trace_of,
    valid_trace,
)

TRACE: Final = "liaison.trace"
"""In a request's scope: the traceparent that all of what follows from it carries."""

_TRACEPARENTS: Final = (b"traceparent", b"ce-traceparent")

_READING: Final = frozenset(("GET", "HEAD", "OPTIONS"))


def make_tracer(service: str, endpoint: str | None, share: float) -> Tracer | None:
    """Return a service's tracer, which samples `share` (0 to 1) of the traces that begin there.

    None without an OTLP `endpoint`. Imports OpenTelemetry only where it is used: that makes a start 0.3 s longer.
    """
    if endpoint is None:
        return None
    from shared.observability.opentelemetry import OpenTelemetry  # noqa: PLC0415

    exporting: Exporting = OpenTelemetry(service, endpoint)
    return Tracer(share, exporting)


def trace_in(request: Request) -> str:
    """Return the traceparent for what is recorded in `request`."""
    found: str | None = request.scope.get(TRACE)
    return found or trace_of(_traceparent(request.scope))


def trace_requests(app: FastAPI, tracer: Tracer | None) -> None:
    """Trace the requests to `app` and stop the tracer with it; without a tracer `app` is unchanged."""
    app.state.tracer = tracer
    if tracer is None:
        return
    app.add_middleware(TracingMiddleware, tracer=tracer)
    lifespan = app.router.lifespan_context

    @asynccontextmanager
    async def with_tracer(started: FastAPI) -> AsyncIterator[Any]:
        async with lifespan(started) as state:
            yield state
        await tracer.stop()

    app.router.lifespan_context = with_tracer


class TracingMiddleware:
    """Continues the caller's trace or begins one, and exports a span by the route's template.

    What only reads begins none: nothing follows from it, and there is much of it.
    """

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = _traceparent(scope)
        if given is None and scope["method"] in _READING:
            await self._app(scope, receive, send)
            return
        scope[TRACE], parent = continued(self._tracer, given)
        if parent is None:
            await self._app(scope, receive, send)
        else:
            await self._traced(scope, receive, send, parent)

    async def _traced(self, scope: Scope, receive: Receive, send: Send, parent: str) -> None:
        begun, status = now(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._tracer.export(_served(scope, parent, begun, status))


def _traceparent(scope: Scope) -> str | None:
    """Return the last hop's header, else that of a binary-mode CloudEvent."""
    given: dict[bytes, str] = {
        name: value.decode("latin-1") for name, value in scope["headers"] if name in _TRACEPARENTS
    }
    forms = [found for name in _TRACEPARENTS if (found := valid_trace(given.get(name)))]
    return forms[0] if forms else given.get(_TRACEPARENTS[0])


def _served(scope: Scope, parent: str, begun: int, status: int) -> Span:
    method = scope["method"]
    said: dict[str, str | int] = {
        "http.request.method": method,
        "url.scheme": scope["scheme"],
        "http.response.status_code": status,
    }
    # Its template: a path may hold a receipt, which is as good as its holder.
    route = getattr(scope.get("route"), "path", None)
    if route is not None:
        said["http.route"] = route
    if status >= 500:
        said["error.type"] = str(status)
    name = method if route is None else f"{method} {route}"
    return Span(name, "server", scope[TRACE], parent, begun, now(), said, failed=status >= 500)
