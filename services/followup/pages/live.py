"""Pushes changes of the live page to all open pages: one query for all viewers of the same content, at most once a
second.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final

import orjson
from sse_starlette import ServerSentEvent

from services.followup.domain.moment import ActingParty
from services.followup.handlers import glance
from services.followup.handlers.glance import Glance
from services.followup.pages import board
from services.followup.pages.view_models import Board
from shared.contracts.vocabulary import Role
from shared.runtime.clock import Clock
from shared.runtime.database import Database, Signal, is_transient
from shared.web.look import render

ROWS: Final = 24
EVERYBODY: Final = ActingParty(Role.OPERATOR, "page")
MAX_STREAMS: Final = 200
PAUSE_SECONDS: Final = 1.0
# Other replicas commit unheard, and time passes: what is shown changes without a commit of this process.
LOOK_SECONDS: Final = 5.0
# A look that is slow is taken more seldom: watching costs one connection a fifth of its time at most.
SHARE: Final = 5
HEARTBEAT_SECONDS: Final = 15.0
SEND_SECONDS: Final = 20.0

REGIONS: Final = ("asof", "health", "parts", "rates", "counts", "arrivals", "due", "next")
WITHOUT_DATABASE: Final = ("asof", "health", "parts")


@dataclass(slots=True)
class _Shown:
    """An audience's regions as last rendered, each with the number of its change."""

    number: int = 0
    html: dict[str, str] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)

    def put(self, fresh: Mapping[str, str]) -> bool:
        """Store newly rendered regions; return whether any changed."""
        differing = [name for name, html in fresh.items() if self.html.get(name) != html]
        if differing:
            self.number += 1
            self.html |= fresh
            self.changed |= dict.fromkeys(differing, self.number)
        return bool(differing)

    def since(self, number: int) -> dict[str, str]:
        """Return the regions that changed after the change of this number."""
        return {name: self.html[name] for name, at in self.changed.items() if at > number}


@dataclass(frozen=True, slots=True)
class Audience:
    """Viewers of one content: a language, and the caller whose matters are shown; None shows all matters."""

    lang: str
    caller: ActingParty | None = None


class Live:
    """The live page's content and its changes. `checks` returns the state of the service's dependencies."""

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
        self._watching: Counter[Audience] = Counter()
        self._shown: dict[Audience, _Shown] = {}
        self._stale = asyncio.Event()
        self._changed = Signal()

    async def board(self, audience: Audience) -> Board:
        """Return the page's current content; without the database, its health alone."""
        return self._written(await self._look(audience.caller), audience.lang)

    @property
    def is_full(self) -> bool:
        """Return whether the maximum number of streams is open."""
        return self._watching.total() >= self._max_streams

    @contextmanager
    def _watched(self, audience: Audience) -> Iterator[None]:
        self._watching[audience] += 1
        self._stale.set()
        try:
            yield
        finally:
            self._watching[audience] -= 1
            if not self._watching[audience]:
                del self._watching[audience]
                self._shown.pop(audience, None)

    async def run(self) -> None:
        """Refresh after each commit and every 5 s, while anybody watches."""
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
                for caller in {audience.caller for audience in self._watching}:
                    self._show(caller, await self._look(caller))
                spent = time.monotonic() - begun
                await asyncio.sleep(max(PAUSE_SECONDS, spent * SHARE))

    def _show(self, caller: ActingParty | None, seen: Glance | None) -> None:
        news = False
        for audience in [each for each in self._watching if each.caller == caller]:
            written = self._written(seen, audience.lang)
            fresh = {
                region: render(f"live/{region}.html", audience.lang, board=written)
                for region in (REGIONS if written.whole else WITHOUT_DATABASE)
            }
            news |= self._shown.setdefault(audience, _Shown()).put(fresh)
        if news:
            self._changed.notify()

    async def _look(self, caller: ActingParty | None) -> Glance | None:
        try:
            async with self._db.reading() as conn:
                return await glance.load_glance(conn, self._clock(), ROWS, caller or EVERYBODY)
        except Exception as fault:
            if is_transient(fault):
                return None
            raise

    def _written(self, seen: Glance | None, lang: str) -> Board:
        checks = dict(self._checks())
        if seen is None:
            checks["database"] = False
        return board.write(seen, self._clock(), checks, self._zone, lang)

    async def news(self, audience: Audience) -> AsyncIterator[ServerSentEvent]:
        """Yield all regions, then each as it changes, and a heartbeat when nothing did."""
        emitted = 0
        with self._watched(audience):
            while True:
                shown = self._shown.get(audience)
                if shown is not None and shown.number > emitted:
                    fresh, emitted = shown.since(emitted), shown.number
                    yield ServerSentEvent(orjson.dumps(fresh).decode(), event="snapshot")
                elif not await self._changed.wait(HEARTBEAT_SECONDS):
                    yield ServerSentEvent("", event="heartbeat")
