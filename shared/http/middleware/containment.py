"""Turns an unhandled exception into a response inside the app, so that the connection stays open."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FaultHandler = Callable[[Request, Exception], Awaitable[Response]]


class ContainmentMiddleware:
    """Responds by `on_fault` when the app raises before its response began.

    Starlette's own handler answers and raises again; the server then closes the connection unannounced, and the
    next call that a proxy sends on it fails. An answer that breaks off still ends its connection: nothing else would
    tell the caller that it is not whole.
    """

    def __init__(self, app: ASGIApp, on_fault: FaultHandler) -> None:
        self._app = app
        self._on_fault = on_fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as fault:
            if begun:
                raise
            answer = await self._on_fault(Request(scope), fault)
            await answer(scope, receive, send)
