"""Routing's timers: what is due is acted on within a second, by any replica."""

from typing import Final

from services.routing.handlers import due, figures, publishing, rescheduling
from services.routing.handlers.correcting import correct_next
from services.routing.handlers.office import Office
from shared.delivery.inbox.retention import forget_processed
from shared.http.writes.idempotency import forget_old_keys
from shared.rescheduling.orders import Order, ReschedulingBatch
from shared.rescheduling.timer import RescheduleTimer
from shared.runtime.clock import Clock
from shared.runtime.database import Connection, Database
from shared.runtime.sampling import measure

SWEEP_SECONDS: Final = 0.5
FORGET_SECONDS: Final = 60.0
RESCHEDULE_SECONDS: Final = 1.0
CORRECT_SECONDS: Final = 1.0
PUBLISH_SECONDS: Final = 60.0


class Timers:
    """Timer steps, run for ever; each returns whether there may be more to do at once."""

    def __init__(self, db: Database, office: Office, clock: Clock) -> None:
        self._db = db
        self._office = office
        self._clock = clock
        self._rescheduling = RescheduleTimer(db, office.calendar.version, self._reschedule_batch)

    async def sweep(self) -> bool:
        """End due offers and reviews."""
        async with self._db.transaction() as conn:
            return await due.sweep(conn, self._office, self._clock()) == due.SWEEP_LIMIT

    async def begin_absences(self) -> bool:
        """Begin due absences."""
        async with self._db.transaction() as conn:
            await due.begin_absences(conn, self._office, self._clock())
        return False

    async def reschedule(self) -> bool:
        """Carry out orders to recompute open limits; the first step asks for a preview where one is needed."""
        return await self._rescheduling.step()

    async def _reschedule_batch(self, conn: Connection, order: Order) -> ReschedulingBatch:
        return await rescheduling.next_batch(conn, self._office, order, self._clock())

    async def correct(self) -> bool:
        """Correct matters that the reconciliation found wrong."""
        async with self._db.transaction() as conn:
            return await correct_next(conn, self._office, self._clock())

    async def publish_earlier(self) -> bool:
        """Publish directory entries that existed before their topic."""
        async with self._db.transaction() as conn:
            return await publishing.publish_earlier(conn, self._clock())

    async def measure(self) -> bool:
        """Set the Prometheus gauges."""

        async def set_gauges(conn: Connection) -> None:
            await figures.set_gauges(conn, self._office, self._clock())

        return await measure(self._db, figures.GAUGES, set_gauges)

    async def forget(self) -> bool:
        """Delete queue entries older than a week, and old idempotency responses."""
        async with self._db.transaction() as conn:
            more = await due.forget_feed(conn, self._clock())
            more = await forget_processed(conn) or more
            return await forget_old_keys(conn) or more
