"""Tells every open page what changed: one look at the database serves them all, at most once a second."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final

import orjson
from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.types import Receive, Scope, Send

from services.followup.handlers import glance
from services.followup.handlers.glance import Glance
from services.followup.pages import board
from services.followup.pages.shown import Board
from shared.kit.clock import Clock
from shared.kit.db import Database, Signal, is_transient
from shared.web.look import render

ROWS: Final = 24
MAX_STREAMS: Final = 200
PAUSE_SECONDS: Final = 1.0
# Other replicas commit unheard, and time passes: what is shown changes without a commit of this process.
LOOK_SECONDS: Final = 5.0
# A look that is slow is taken more seldom: watching costs one connection a fifth of its time at most.
SHARE: Final = 5
HEARTBEAT_SECONDS: Final = 15.0
SEND_SECONDS: Final = 20.0
RETRY_MS: Final = 2000

REGIONS: Final = ("asof", "health", "parts", "rates", "counts", "arrivals", "due", "next")
WITHOUT_DATABASE: Final = ("asof", "health", "parts")


class Full(RuntimeError):
    """As many streams are open as this process takes."""


@dataclass(slots=True)
class _Shown:
    """A language's regions as they were last rendered, and the number of the change that each came with."""

    number: int = 0
    html: dict[str, str] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)

    def put(self, fresh: Mapping[str, str]) -> bool:
        """Take in what was rendered; whether any of it is new."""
        differing = [name for name, html in fresh.items() if self.html.get(name) != html]
        if differing:
            self.number += 1
            self.html |= fresh
            self.changed |= dict.fromkeys(differing, self.number)
        return bool(differing)

    def since(self, number: int) -> dict[str, str]:
        """The regions that changed after the change of this number."""
        return {name: self.html[name] for name, at in self.changed.items() if at > number}


class Live:
    """The live page's content, now and as it changes. `checks` says what of the service is well."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        checks: Callable[[], Mapping[str, bool]],
        zone: tzinfo,
        max_streams: int = MAX_STREAMS,
    ) -> None:
        self._db = db
        self._clock = clock
        self._checks = checks
        self._zone = zone
        self._max_streams = max_streams
        self._watching: Counter[str] = Counter()
        self._shown: dict[str, _Shown] = {}
        self._stale = asyncio.Event()
        self._changed = Signal()

    async def board(self, lang: str) -> Board:
        """What the page shows now; without the database, its health alone."""
        return self._written(await self._look(), lang)

    def stream(self, lang: str) -> "Stream":
        """All of the page's regions, then each as it changes. Raises Full above the limit."""
        if self._watching.total() >= self._max_streams:
            raise Full
        self._watching[lang] += 1
        self._stale.set()
        return Stream(self, lang)

    def leave(self, lang: str) -> None:
        """A stream in this language has ended."""
        self._watching[lang] -= 1
        if not self._watching[lang]:
            self._shown.pop(lang, None)

    async def run(self) -> None:
        """Look after each commit and every 5 s, as long as somebody watches."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._publish())

    async def _listen(self) -> None:
        while True:
            await self._db.committed.wait(LOOK_SECONDS)
            self._stale.set()

    async def _publish(self) -> None:
        while True:
            await self._stale.wait()
            self._stale.clear()
            if self._watching.total():
                begun = time.monotonic()
                self._show(await self._look())
                spent = time.monotonic() - begun
                await asyncio.sleep(max(PAUSE_SECONDS, spent * SHARE))

    def _show(self, seen: Glance | None) -> None:
        news = False
        for lang in [lang for lang, count in self._watching.items() if count]:
            written = self._written(seen, lang)
            fresh = {
                region: render(f"live/{region}.html", lang, board=written)
                for region in (REGIONS if written.whole else WITHOUT_DATABASE)
            }
            news |= self._shown.setdefault(lang, _Shown()).put(fresh)
        if news:
            self._changed.notify()

    async def _look(self) -> Glance | None:
        try:
            async with self._db.reading() as conn:
                return await glance.take(conn, self._clock(), ROWS)
        except Exception as fault:
            if is_transient(fault):
                return None
            raise

    def _written(self, seen: Glance | None, lang: str) -> Board:
        checks = dict(self._checks())
        if seen is None:
            checks["database"] = False
        return board.write(seen, self._clock(), checks, self._zone, lang)

    async def news(self, lang: str) -> AsyncIterator[ServerSentEvent]:
        """What changed each time, and a sign of life when nothing did."""
        told = 0
        while True:
            shown = self._shown.get(lang)
            if shown is not None and shown.number > told:
                fresh, told = shown.since(told), shown.number
                yield ServerSentEvent(
                    orjson.dumps(fresh).decode(), event="snapshot", retry=RETRY_MS
                )
            elif not await self._changed.wait(HEARTBEAT_SECONDS):
                yield ServerSentEvent("", event="heartbeat")


class Stream(EventSourceResponse):
    """One page's stream; a reader that takes nothing for 20 s is let go."""

    def __init__(self, live: Live, lang: str) -> None:
        super().__init__(live.news(lang), ping=0, send_timeout=SEND_SECONDS)
        self._live = live
        self._lang = lang

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            return
        finally:
            self._live.leave(self._lang)
