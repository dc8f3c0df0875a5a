"""Followup's timers: limits that have ended are acted on within a second, by any replica."""

from typing import Final

from services.followup.handlers import figures, rescheduling
from services.followup.handlers.office import Office
from services.followup.handlers.sweep import (
    SWEEP_LIMIT,
    fold_words,
    merge_pending_terms,
    release_orphans,
    sweep,
)
from shared.delivery.inbox.retention import forget_processed
from shared.http.writes.idempotency import forget_old_keys
from shared.rescheduling.orders import Order, ReschedulingBatch
from shared.rescheduling.timer import RescheduleTimer
from shared.runtime.clock import Clock
from shared.runtime.database import Connection, Database
from shared.runtime.sampling import measure

SWEEP_SECONDS: Final = 0.5
FORGET_SECONDS: Final = 60.0
SETTLE_SECONDS: Final = 1.0
RESCHEDULE_SECONDS: Final = 1.0
FOLD_SECONDS: Final = 60.0


class Timers:
    """Timer steps, run for ever; each returns whether there may be more to do at once."""

    def __init__(self, db: Database, office: Office, clock: Clock) -> None:
        self._db = db
        self._office = office
        self._clock = clock
        self._rescheduling = RescheduleTimer(db, office.calendar.version, self._reschedule_batch)
        self._released = False

    async def sweep(self) -> bool:
        """Act on due clocks."""
        async with self._db.transaction() as conn:
            return await sweep(conn, self._office, self._clock()) == SWEEP_LIMIT

    async def reschedule(self) -> bool:
        """Carry out orders to recompute open limits; the first step asks for a preview where one is needed."""
        return await self._rescheduling.step()

    async def _reschedule_batch(self, conn: Connection, order: Order) -> ReschedulingBatch:
        return await rescheduling.next_batch(conn, self._office, order, self._clock())

    async def release_orphans(self) -> bool:
        """Unmerge what earlier versions left merged into ended matters; runs once after the start."""
        if not self._released:
            async with self._db.transaction() as conn:
                self._released = not await release_orphans(conn, self._office, self._clock())
        return not self._released

    async def merge_pending_terms(self) -> bool:
        """Merge the search index's pending entries."""
        async with self._db.reading() as conn:
            await merge_pending_terms(conn)
        return False

    async def fold_words(self) -> bool:
        """Fold summaries stored before folding existed."""
        async with self._db.transaction() as conn:
            return await fold_words(conn)

    async def measure(self) -> bool:
        """Set the Prometheus gauges."""

        async def set_gauges(conn: Connection) -> None:
            await figures.set_gauges(conn, self._clock())

        return await measure(self._db, figures.GAUGES, set_gauges)

    async def forget(self) -> bool:
        """Delete idempotency responses after a week."""
        async with self._db.transaction() as conn:
            more = await forget_processed(conn)
            return await forget_old_keys(conn) or more
