"""Feed sequencer: numbers events in one order for all readers, once no earlier event can still commit."""

import asyncio
from dataclasses import dataclass
from typing import Final

from services.intake.store import feed
from services.intake.store import feed_order as store
from shared.runtime.database import Connection, Database

KEPT_DAYS: Final = 30
"""How long a feed keeps an event, as long as the topics do."""
MOST_NUMBERED: Final = 500
MOST_FORGOTTEN: Final = 500
POLL_SECONDS: Final = 0.5
LINGER_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Horizon:
    """The last event numbers at one moment, and the transactions that may still write lower ones."""

    event_seq: int
    matter_seq: int
    writers: frozenset[str]


class FeedSequencer:
    """Numbers committed events, `most` at a step. Run it in every replica: the lock of the head lets one work.

    A number of `event` or `matter_event` is drawn before its transaction commits. A horizon is numbered once the
    transactions that wrote when it was made have ended: what they wrote is seen then, or gone for ever.
    """

    def __init__(self, db: Database, most: int = MOST_NUMBERED) -> None:
        self._db = db
        self._most = most
        self._horizon: Horizon | None = None

    async def run(self) -> None:
        """Number for ever: after each commit of this process, and every half second for those of others."""
        while True:
            commits = self._db.committed.count
            if await self.step():
                continue
            if self._horizon is None:
                await self._db.committed.wait(POLL_SECONDS, commits)
            await asyncio.sleep(LINGER_SECONDS)

    async def step(self) -> bool:
        """Number the events that nothing can precede any more; return whether there may be more at once."""
        async with self._db.reading() as conn:
            # The numbers first: who holds a table's lock afterwards may have drawn one of them.
            heads = await store.load_heads(conn)
            if self._horizon is None:
                if heads.event_seq <= heads.event_done and heads.matter_seq <= heads.matter_done:
                    return False
                writers = await store.load_writers(conn)
                self._horizon = Horizon(heads.event_seq, heads.matter_seq, writers)
            elif self._horizon.writers:
                writers = self._horizon.writers & await store.load_writers(conn)
                self._horizon = Horizon(self._horizon.event_seq, self._horizon.matter_seq, writers)
        if self._horizon.writers:
            return False
        more = await self._number(self._horizon)
        if not more:
            self._horizon = None
        return more

    async def _number(self, horizon: Horizon) -> bool:
        async with self._db.transaction() as conn:
            head = await store.lock_head(conn)
            if head is None:
                return False
            # A request's registration comes before what happens to it.
            after = await store.number_events(conn, head, horizon.event_seq, self._most)
            if after.event_seq >= horizon.event_seq and after.matter_seq < horizon.matter_seq:
                after = await store.number_matters(conn, after, horizon.matter_seq, self._most)
            if after != head:
                await store.save_head(conn, after)
        return after != head and (
            after.event_seq < horizon.event_seq or after.matter_seq < horizon.matter_seq
        )


async def forget(conn: Connection) -> bool:
    """Delete entries older than `KEPT_DAYS`, some at a time; return whether there may be more."""
    return await feed.forget_entries(conn, KEPT_DAYS, MOST_FORGOTTEN)
