"""Routing's clock edge: what is due is acted on within a second, by whichever replica comes first."""

from typing import Final

from services.routing.handlers import due, figures
from services.routing.handlers.office import Office
from shared.kit.clock import Clock
from shared.kit.commands import forget_old_keys
from shared.kit.db import Connection, Database
from shared.kit.measuring import measure

SWEEP_SECONDS: Final = 0.5
FORGET_SECONDS: Final = 60.0


class Timers:
    """Steps to be done for ever; each says whether there may be more to do at once."""

    def __init__(self, db: Database, office: Office, clock: Clock) -> None:
        self._db = db
        self._office = office
        self._clock = clock

    async def sweep(self) -> bool:
        """Offers and reviews that have run out."""
        async with self._db.transaction() as conn:
            return await due.sweep(conn, self._office, self._clock()) == due.SWEEP_LIMIT

    async def begin_absences(self) -> bool:
        """Absences whose time has come."""
        async with self._db.transaction() as conn:
            await due.begin_absences(conn, self._office, self._clock())
        return False

    async def measure(self) -> bool:
        """What is told to Prometheus."""

        async def take(conn: Connection) -> None:
            await figures.take(conn, self._office, self._clock())

        return await measure(self._db, figures.GAUGES, take)

    async def forget(self) -> bool:
        """What was told in queues a week ago, and answers kept for retries."""
        async with self._db.transaction() as conn:
            more = await due.forget_feed(conn, self._clock())
            return await forget_old_keys(conn) or more
