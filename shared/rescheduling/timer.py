"""The timer of rescheduling orders: one batch a step, each in one transaction."""

from shared.rescheduling.orders import Work, ask_at_start, work_on_next
from shared.runtime.database import Database


class RescheduleTimer:
    """Carries orders out with one calendar; `work` computes and moves the limits of one batch."""

    def __init__(self, db: Database, calendar_version: str, work: Work) -> None:
        self._db = db
        self._calendar_version = calendar_version
        self._work = work
        self._is_compared = False

    async def step(self) -> bool:
        """Do one batch of the oldest order; whether there may be more at once.

        The first step also asks for a preview, where the last order was carried out with another calendar.
        """
        async with self._db.transaction() as conn:
            if not self._is_compared:
                await ask_at_start(conn, self._calendar_version)
            more = await work_on_next(conn, self._calendar_version, self._work)
        self._is_compared = True
        return more
