"""Wakes the readers of queues when entries were added: one query for all of them, at most every 5 ms."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from services.routing.store import feed
from shared.runtime.database import Database, Signal

POLL_SECONDS: Final = 0.25
REST_SECONDS: Final = 0.005


class QueueWatch:
    """Positions of the watched queues; commits of this process are seen at once, others by polling."""

    def __init__(self, db: Database, poll_seconds: float = POLL_SECONDS) -> None:
        self._db = db
        self._poll_seconds = poll_seconds
        self._watchers: Counter[str] = Counter()
        self._positions: dict[str, int] = {}
        self._moved: dict[str, Signal] = {}

    @property
    def watchers(self) -> int:
        """The number of watchers over all queues."""
        return self._watchers.total()

    async def run(self) -> None:
        """Poll the watched queues for ever."""
        while True:
            before = self._db.committed.count
            if self._watchers:
                await self._look()
                await asyncio.sleep(REST_SECONDS)
            await self._db.committed.wait(self._poll_seconds, before)

    async def _look(self) -> None:
        async with self._db.reading() as conn:
            found = await feed.positions(conn, sorted(self._watchers))
        for party, position in found.items():
            if party in self._moved and position > self._positions[party]:
                self._positions[party] = position
                self._moved[party].notify()

    @contextmanager
    def watching(self, party: str) -> Iterator[None]:
        """Watch this queue during the block."""
        self._watchers[party] += 1
        self._positions.setdefault(party, 0)
        self._moved.setdefault(party, Signal())
        try:
            yield
        finally:
            self._watchers[party] -= 1
            if not self._watchers[party]:
                for kept in (self._watchers, self._positions, self._moved):
                    del kept[party]

    async def beyond(self, party: str, position: int, timeout: float) -> bool:
        """Wait up to `timeout` seconds until the queue is beyond `position`; return whether it is."""
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout
        while self._positions[party] <= position:
            left = until - loop.time()
            if left <= 0:
                return False
            await self._moved[party].wait(left)
        return True
