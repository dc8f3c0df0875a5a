"""What the desk does by itself: forgets sessions and links that ended long ago."""

from datetime import timedelta
from typing import Final

from services.desk.store import sessions
from shared.runtime.clock import Clock
from shared.runtime.database import Database

FORGET_SECONDS: Final = 600.0
KEPT: Final = timedelta(days=30)
"""How long an ended session stays in the list of devices."""


class Timers:
    """The desk's timers; `clock` gives the moment."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def forget(self) -> bool:
        """Delete up to 1,000 sessions and links that ended 30 days ago; whether there may be more."""
        async with self._db.transaction() as conn:
            return await sessions.forget(conn, self._clock() - KEPT)
