"""Runs the lifespan protocol of an ASGI app that this process calls itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message

START_SECONDS = 60.0
END_SECONDS = 25.0


class StartFailed(RuntimeError):
    """The app reported `lifespan.startup.failed`."""


@asynccontextmanager
async def lifespan_of(app: ASGIApp) -> AsyncIterator[dict[str, Any]]:
    """Keep `app` started during the block; yield the lifespan state for its requests.

    Raises StartFailed, or TimeoutError when it takes longer than `START_SECONDS`. An app that does
    not speak the protocol is taken as started.
    """
    state: dict[str, Any] = {}
    to_app: asyncio.Queue[Message] = asyncio.Queue(2)
    from_app: asyncio.Queue[Message] = asyncio.Queue(2)
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state}
    speaking = asyncio.ensure_future(app(scope, to_app.get, from_app.put))
    to_app.put_nowait({"type": "lifespan.startup"})
    started = await answer(from_app, speaking, START_SECONDS)
    if started and started["type"] == "lifespan.startup.failed":
        raise StartFailed(started.get("message", ""))
    try:
        yield state
    finally:
        if not speaking.done():
            to_app.put_nowait({"type": "lifespan.shutdown"})
            await answer(from_app, speaking, END_SECONDS)
            speaking.cancel()


async def answer(
    from_app: asyncio.Queue[Message], speaking: asyncio.Future[None], seconds: float
) -> Message | None:
    """Return the app's next lifespan message; None when the app ended without one."""
    word = asyncio.ensure_future(from_app.get())
    try:
        async with asyncio.timeout(seconds):
            await asyncio.wait((word, speaking), return_when=asyncio.FIRST_COMPLETED)
        return word.result() if word.done() else None
    finally:
        word.cancel()
