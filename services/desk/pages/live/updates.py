"""Pushes changes of the live page to all open pages: one query for all viewers of the same content, at most once a
second.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import orjson
from sse_starlette import ServerSentEvent

from services.desk.clients.overview import Overview, load_overview
from services.desk.clients.services import Services, Visitor
from services.desk.handlers.changes import ChangeHub
from services.desk.pages.live import board
from services.desk.pages.live.view_models import Board
from services.desk.pages.surroundings import Surroundings
from shared.auth.tokens import Principal
from shared.contracts.vocabulary import Role
from shared.runtime.database import Signal
from shared.runtime.errors import Problem
from shared.web.look import render

ROWS: Final = 24
MAX_STREAMS: Final = 200
PAUSE_SECONDS: Final = 1.0
# A record may come late, and time passes: what is shown changes without news.
LOOK_SECONDS: Final = 5.0
# A look that is slow is taken more seldom: watching costs one connection a fifth of its time at most.
SHARE: Final = 5
HEARTBEAT_SECONDS: Final = 15.0
SEND_SECONDS: Final = 20.0

REGIONS: Final = ("asof", "health", "parts", "rates", "counts", "arrivals", "due", "next")
WITHOUT_DATA: Final = ("asof", "health", "parts")


STRANGER: Final = Principal(Role.OPERATOR, "desk")
"""The principal for visitors of an open page who are not signed in; they are shown the page's rows alone."""


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
    """Viewers of one content: a language, and the principal in whose name the overview is queried."""

    lang: str
    principal: Principal = STRANGER


class Live:
    """The live page's content and its changes. `checks` returns the state of the desk's dependencies."""

    def __init__(
        self,
        services: Services,
        hub: ChangeHub,
        around: Surroundings,
        checks: Callable[[], Mapping[str, bool]],
        max_streams: int = MAX_STREAMS,
    ) -> None:
        self._services = services
        self._hub = hub
        self._around = around
        self._checks = checks
        self._max_streams = max_streams
        self._watching: Counter[Audience] = Counter()
        self._shown: dict[Audience, _Shown] = {}
        self._stale = asyncio.Event()
        self._changed = Signal()

    async def board(self, audience: Audience) -> Board:
        """Return the page's current content; its health alone while followup does not answer."""
        try:
            seen = await self._look(audience.principal)
        except Problem:
            seen = None
        return self._written(seen, audience.lang)

    def health(self, lang: str) -> Board:
        """Return the page with its health alone."""
        return self._written(None, lang)

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
        """Refresh after each change and every 5 s, while anybody watches."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._publish())

    async def _listen(self) -> None:
        with self._hub.subscribed() as changes:
            while True:
                await changes.next(LOOK_SECONDS)
                self._stale.set()

    async def _publish(self) -> None:
        while True:
            await self._stale.wait()
            self._stale.clear()
            if self._watching.total():
                begun = time.monotonic()
                await self._refresh()
                spent = time.monotonic() - begun
                await asyncio.sleep(max(PAUSE_SECONDS, spent * SHARE))

    async def _refresh(self) -> None:
        """Query once for each viewer; once followup does not answer, not for the others of this round."""
        away = False
        for principal in {audience.principal for audience in self._watching}:
            seen = None
            if not away:
                try:
                    seen = await self._look(principal)
                except Problem:
                    away = True
            self._show(principal, seen)

    def _show(self, principal: Principal, seen: Overview | None) -> None:
        news = False
        for audience in [each for each in self._watching if each.principal == principal]:
            written = self._written(seen, audience.lang)
            fresh = {
                region: render(f"live/{region}.html", audience.lang, board=written)
                for region in (REGIONS if written.whole else WITHOUT_DATA)
            }
            news |= self._shown.setdefault(audience, _Shown()).put(fresh)
        if news:
            self._changed.notify()

    async def _look(self, principal: Principal) -> Overview | None:
        # What comes back is free of words: one look serves both languages.
        return await load_overview(self._services, Visitor(principal, "zh"), ROWS)

    def _written(self, seen: Overview | None, lang: str) -> Board:
        checks = dict(self._checks())
        if seen is None:
            checks["database"] = False
        now = self._around.clock() if seen is None else seen.at
        return board.write(seen, now, checks, self._around.zone, lang)

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
