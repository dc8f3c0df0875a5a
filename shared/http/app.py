"""The application factory: problems, tokens, rate limits, metrics, health check."""

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.security.utils import get_authorization_scheme_param
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.auth.jwt import MAX_SIGNED_LENGTH, TokenVerifier
from shared.auth.rate_limiter import RateLimiter
from shared.auth.tokens import SIGNED, Tokens
from shared.http.middleware.methods import MethodsMiddleware
from shared.http.problems import as_response, install, language
from shared.http.responses import as_json
from shared.http.streams.guard import streams_of
from shared.messages.catalogue import text
from shared.observability.metrics import REQUEST_SECONDS
from shared.runtime.errors import FieldError, Problem
from shared.runtime.supervisor import Health

NUL = "\0"
MAX_BODY_BYTES = 8 * 1024 * 1024

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def make_app(
    service: str,
    health: Health,
    tokens_file: Path | None,
    lifespan: Lifespan,
    signed: TokenVerifier | None = None,
    requests_per_minute: int | None = None,
) -> FastAPI:
    """Build an app with the common middleware; the service adds its routers.

    Without `signed` only the tokens of the file count. `requests_per_minute` (1 or more) is for each role and party,
    and for each address on routes that need no token; without it there is no limit.
    """
    # The services are described together, in one document: see `tools.openapi`.
    app = FastAPI(
        title=f"Liaison {service}",
        version="1",
        lifespan=lifespan,
        openapi_url=None,
        # A path with a slash at its end is another path; a body without a media type is JSON.
        redirect_slashes=False,
        strict_content_type=False,
        # It would look for providers that nobody sets, with every request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.tokens = tokens = Tokens(tokens_file)
    app.state.signed = signed
    app.state.service = service
    app.state.streams = streams_of(service)
    app.state.rate_limiter = RateLimiter(requests_per_minute) if requests_per_minute else None
    install(app)
    app.add_middleware(MethodsMiddleware, routes=app.routes)
    if signed is not None:
        app.add_middleware(_Verified, tokens=tokens, signed=signed)
    app.add_middleware(_Storable)
    app.add_middleware(_Measured, service=service)
    app.add_middleware(_Limited)

    _add_health(app, service, health)
    return app


def _add_health(app: FastAPI, service: str, health: Health) -> None:
    @app.get("/healthz", include_in_schema=False)
    async def alive() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", include_in_schema=False)
    async def ready() -> Response:
        checks = health.checks()
        works = all(checks.values())
        said = {"ready": works, "service": service, "checks": checks}
        return as_json(said | {"consumers": health.hindrances()}, 200 if works else 503)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


class _Verified:
    """Middleware that verifies signed tokens before the route, because a group-committed route cannot wait for a
    key.
    """

    def __init__(self, app: ASGIApp, tokens: Tokens, signed: TokenVerifier) -> None:
        self._app = app
        self._tokens = tokens
        self._signed = signed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = _signed_token(scope) if scope["type"] == "http" else None
        # One of the file may look like this too.
        if token is not None and self._tokens.principal(token) is None:
            try:
                scope[SIGNED] = await self._signed.principal(token)
            except Problem as problem:
                # Only a route knows whether it minds.
                scope[SIGNED] = problem
        await self._app(scope, receive, send)


def _signed_token(scope: Scope) -> str | None:
    """Return the bearer token if it has the form of a signed one."""
    given: bytes = next(
        (value for name, value in scope["headers"] if name == b"authorization"), b""
    )
    if given.count(b".") != 2:
        return None
    scheme, token = get_authorization_scheme_param(given.decode("latin-1"))
    return token if scheme.lower() == "bearer" and len(token) <= MAX_SIGNED_LENGTH else None


class _Measured:
    """Middleware that times each request by its route's template, so that no id becomes a label."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status, streams = time.perf_counter(), 500, False

        async def noting(message: Message) -> None:
            nonlocal status, streams
            if message["type"] == "http.response.start":
                status = message["status"]
                streams = any(
                    value.startswith(b"text/event-stream") for _, value in message["headers"]
                )
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            if not streams:
                route = getattr(scope.get("route"), "path", "none")
                REQUEST_SECONDS.labels(self._service, scope["method"], route, status).observe(
                    time.perf_counter() - begun
                )


class _Storable:
    """Middleware that refuses an address with U+0000, which PostgreSQL cannot store.

    Neither has a path an encoded slash: it is a character of a segment (RFC 3986, 2.2), and the routes would read it as
    the end of one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = _unstorable(scope) if scope["type"] == "http" else None
        if problem is None:
            await self._app(scope, receive, send)
        else:
            await as_response(problem, language(Request(scope)))(scope, receive, send)


def _unstorable(scope: Scope) -> Problem | None:
    if "\0" in scope["path"] or b"%2f" in scope.get("raw_path", b"").lower():
        return Problem(404, "no_such_address")
    if b"%00" not in scope["query_string"]:
        return None
    request = Request(scope)
    words = text("field.nul", language(request))
    errors = [
        FieldError(f"/query/{name.replace(NUL, '')[:100]}", "nul", words)
        for name, value in request.query_params.multi_items()
        if NUL in name or NUL in value
    ]
    return Problem(422, "invalid", errors=errors) if errors else None


class _TooLarge(Exception):
    """The body exceeded the limit; reading it stops here."""


class _Limited:
    """Middleware that refuses a body above 8 MiB, by its Content-Length or while it is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
            await _refuse(scope, receive, send)
            return
        exchange = _Exchange(receive, send)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except _TooLarge:
            pass
        finally:
            if exchange.refused and not exchange.answered:
                await _refuse(scope, receive, send)


class _Exchange:
    """One request and its answer; the app's answer to a body that it was not given to the end is not the answer."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._received = 0
        self.answered = False

    @property
    def refused(self) -> bool:
        return self._received > MAX_BODY_BYTES

    async def receive(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self.refused:
            raise _TooLarge
        return message

    async def send(self, message: Message) -> None:
        if not self.refused or self.answered:
            self.answered = True
            await self._send(message)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    problem = Problem(413, "too_large", params={"limit": MAX_BODY_BYTES})
    await as_response(problem, language(Request(scope)))(scope, receive, send)
