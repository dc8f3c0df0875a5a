"""What the desk does by itself: forgets sessions and links that ended long ago."""

from datetime import timedelta
from typing import Final

from services.desk.store import accounts, sessions
from shared.runtime.clock import Clock
from shared.runtime.database import Database

FORGET_SECONDS: Final = 600.0
KEPT: Final = timedelta(days=30)
"""How long ended sessions and used links stay in the database."""


class Timers:
    """The desk's timers; `clock` gives the moment."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def forget(self) -> bool:
        """Delete up to 1,000 sessions and links that ended 30 days ago; whether there may be more."""
        before = self._clock() - KEPT
        async with self._db.transaction() as conn:
            pending = await accounts.forget_pending(conn, before, sessions.BATCH)
            return await sessions.forget(conn, before) or pending == sessions.BATCH
