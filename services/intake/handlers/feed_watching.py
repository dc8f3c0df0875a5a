"""Wakes the readers of feeds when entries were added: one query for all of them, at most every 50 ms."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from services.intake.store import feed
from shared.runtime.database import Database, Signal

POLL_SECONDS: Final = 0.25
LINGER_SECONDS: Final = 0.05


class FeedFollower:
    """A follower of the feed of some names; `position` is the last one found for any of them."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.position = 0
        self.moved = Signal()

    async def beyond(self, position: int, timeout: float) -> bool:
        """Wait up to `timeout` seconds until the feed is beyond `position`; return whether it is."""
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout
        while self.position <= position:
            left = until - loop.time()
            if left <= 0:
                return False
            await self.moved.wait(left)
        return True


class FeedWatch:
    """Positions of the followed feeds; commits of this process are seen at once, others by polling."""

    def __init__(self, db: Database, poll_seconds: float = POLL_SECONDS) -> None:
        self._db = db
        self._poll_seconds = poll_seconds
        self._followers: set[FeedFollower] = set()
        self._names: Counter[str] = Counter()

    async def run(self) -> None:
        """Poll the followed feeds for ever."""
        while True:
            before = self._db.committed.count
            if self._followers:
                await self._look()
                await asyncio.sleep(LINGER_SECONDS)
            await self._db.committed.wait(self._poll_seconds, before)

    async def _look(self) -> None:
        async with self._db.reading() as conn:
            found = await feed.last_positions(conn, sorted(self._names))
        for follower in self._followers:
            position = max(found.get(name, 0) for name in follower.names)
            if position > follower.position:
                follower.position = position
                follower.moved.notify()

    @contextmanager
    def watching(self, names: Sequence[str]) -> Iterator[FeedFollower]:
        """Watch the feed of these names during the block."""
        follower = FeedFollower(names)
        self._followers.add(follower)
        self._names.update(follower.names)
        try:
            yield follower
        finally:
            self._followers.remove(follower)
            self._names.subtract(follower.names)
            self._names += Counter()
