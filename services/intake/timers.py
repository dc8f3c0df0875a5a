"""Intake's timers: rows of imported files are registered within a second, by any replica."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from services.intake.handlers import feed_order, imports
from shared.delivery.inbox.retention import forget_processed
from shared.http.writes.idempotency import forget_old_keys
from shared.runtime.clock import Clock
from shared.runtime.database import Database

TAKE_SECONDS: Final = 0.5
LONGEST_REST_SECONDS: Final = 1.0
FORGET_SECONDS: Final = 60.0


class Timers:
    """Timer steps, run for ever; each returns whether there may be more to do at once."""

    def __init__(self, db: Database, clock: Clock, is_full: Callable[[], bool]) -> None:
        self._db = db
        self._clock = clock
        self._is_full = is_full

    async def register_rows(self) -> bool:
        """Register pending rows of files; they wait while the outbox is full (back-pressure).

        A batch has a third of the time: the rest is for requests that somebody waits for.
        """
        if self._is_full():
            return False
        begun = time.monotonic()
        async with self._db.transaction() as conn:
            more = await imports.register_next(conn, self._clock())
        await asyncio.sleep(min(2 * (time.monotonic() - begun), LONGEST_REST_SECONDS))
        return more

    async def forget(self) -> bool:
        """Delete old files, old feed entries, and old idempotency responses."""
        async with self._db.transaction() as conn:
            more = await imports.forget(conn, self._clock())
            more = await feed_order.forget(conn) or more
            more = await forget_processed(conn) or more
            return await forget_old_keys(conn) or more
