"""Supervisor of background tasks (restart with exponential back-off and jitter); health check: liveness and
readiness.
"""

import asyncio
import contextlib
import math
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import asyncpg
import structlog

from shared.observability.metrics import (
    DEAD_LETTERS,
    OUTBOX_AGE,
    OUTBOX_EVENTS,
    RECORDS_LOST,
    TASK_RESTARTS,
)
from shared.observability.redaction import reason_of
from shared.runtime.cancellation import times_told_to_end
from shared.runtime.database import Connection, Database

log = structlog.get_logger()

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
STEADY_SECONDS = 30.0
STOP_SECONDS = 20.0
CHECK_SECONDS = 2.0
STALE_SECONDS = 10.0
OUTBOX_STUCK_SECONDS = 60.0
MOST_COUNTED = 100_000
MOVING_SECONDS = 30.0
"""How long the relay may be busy with what is next in the outbox: its limit for one batch."""

Task = Callable[[], Awaitable[None]]


async def keep(service: str, name: str, task: Task) -> None:
    """Run `task` for ever: when it ends or raises, restart it after an exponential, jittered back-off."""
    pause = FIRST_PAUSE_SECONDS
    # Told from the beginning: a figure that is not there yet looks like one that nobody measures.
    restarts = TASK_RESTARTS.labels(service, name)
    while True:
        begun = asyncio.get_running_loop().time()
        try:
            await task()
        except (Exception, asyncio.CancelledError) as fault:
            # A CancelledError may be a library's own: the task that nobody told to end must go on, whatever it was.
            if times_told_to_end() and isinstance(fault, asyncio.CancelledError):
                raise
            log.warning("task.failed", service=service, task=name, fault=reason_of(fault))
        restarts.inc()
        if asyncio.get_running_loop().time() - begun > STEADY_SECONDS:
            pause = FIRST_PAUSE_SECONDS
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


@contextlib.asynccontextmanager
async def running(service: str, tasks: Mapping[str, Task]) -> AsyncIterator[None]:
    """Run all `tasks` during the block; then cancel them, waiting 20 s at most."""
    kept = [
        asyncio.create_task(keep(service, name, task), name=name) for name, task in tasks.items()
    ]
    try:
        yield
    finally:
        for task in kept:
            task.cancel()
        _, late = await asyncio.wait(kept, timeout=STOP_SECONDS) if kept else ((), ())
        for task in late:
            log.error("task.late", service=service, task=task.get_name())


async def every(seconds: float, step: Callable[[], Awaitable[bool]]) -> None:
    """Run `step` for ever: again at once while it returns True, else after `seconds`."""
    while True:
        if not await step():
            await asyncio.sleep(seconds)


# Each count stops where it is bad enough, so that what measures trouble does not add to it.
SELECT_HEALTH = """
select (select count(*) from (select from outbox order by seq limit $1 + 1) as pending) as pending,
       (select extract(epoch from now() - uuid_extract_timestamp(
            (select id from event where event.seq = (select seq from outbox order by seq limit 1))))) as age,
       (select min(seq) from outbox) as next,
       (select count(*) from (
            select from dead_letter
            where state = 'waiting' and fate = 'poison' limit 100001) as found) as poison,
       (select count(*) from (
            select from dead_letter
            where state = 'waiting' and fate = 'failed' limit 100001) as found) as failed,
       (select count(*) from (
            select from dead_letter
            where state = 'waiting' and fate = 'unknown_version' limit 100001) as found) as unknown,
       (select count(*) from (
            select from dead_letter
            where state = 'waiting' and fate in ('gap', 'early')
              and first_failed_at < now() - interval '60 seconds' limit 100001) as found) as held,
       (select coalesce(sum(last_offset - first_offset + 1), 0)::bigint
            from lost_records where acknowledged_at is null) as lost"""


@dataclass(slots=True)
class Health:
    """Health check of one service for `/readyz` and `/metrics`; `watch` refreshes it every 2 s."""

    service: str
    hindrances: Callable[[], Mapping[str, str]]
    """By consumer group, what keeps it from working."""
    most_counted: int = MOST_COUNTED
    """Where the counting of events that Kafka has not got ends: one more is as good as any number."""
    database: bool = False
    outbox_age_s: float = 0.0
    outbox_events: int = 0
    dead_letters: dict[str, int] = field(default_factory=dict)
    measured_at: float = 0.0
    next_event: int | None = None
    moved_at: float = -math.inf
    """When the first of the events that wait was last seen to be a later one than before, by the monotonic clock."""

    async def watch(self, db: Database) -> None:
        """Measure for ever. An unreachable database is a result, not an error."""
        while True:
            try:
                async with db.reading() as conn:
                    await self._measure(conn)
                # It answers, and still nothing can be kept while its disk is full.
                self.database = not db.is_short
                self.measured_at = time.monotonic()
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                self.database = False
            await asyncio.sleep(CHECK_SECONDS)

    async def _measure(self, conn: Connection) -> None:
        row = await conn.fetchrow(SELECT_HEALTH, self.most_counted)
        assert row is not None, "an aggregate returns its row"  # noqa: S101 - narrows the type
        self.outbox_age_s = max(0.0, float(row["age"] or 0))
        self.outbox_events = row["pending"]
        if row["next"] and self.next_event and row["next"] > self.next_event:
            self.moved_at = time.monotonic()
        self.next_event = row["next"]
        self.dead_letters = {fate: row[fate] for fate in ("poison", "failed", "unknown", "held")}
        RECORDS_LOST.labels(self.service).set(row["lost"])
        OUTBOX_AGE.labels(self.service).set(self.outbox_age_s)
        OUTBOX_EVENTS.labels(self.service).set(self.outbox_events)
        for fate, count in self.dead_letters.items():
            DEAD_LETTERS.labels(self.service, fate).set(count)

    def checks(self) -> dict[str, bool]:
        """Readiness: each dependency of the service, and whether it is available."""
        # A server that fell silent lets a question wait for long; an old answer is none.
        fresh = time.monotonic() - self.measured_at < STALE_SECONDS
        return {
            "database": self.database and fresh,
            "kafka": not self.hindrances(),
            # A history that is sent again is old, and waits for nobody while it moves.
            "outbox": self.outbox_age_s < OUTBOX_STUCK_SECONDS
            or time.monotonic() - self.moved_at < MOVING_SECONDS,
        }
