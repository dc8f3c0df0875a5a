"""Bisects a batch that cannot be applied, to find the one poison message in it."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from shared.observability.redaction import reason_of
from shared.runtime.database import Connection, Database, is_transient

log = structlog.get_logger()

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
PATIENCE_SECONDS = 45.0
"""How long a batch is retried in place before its partition is read again; well under the poll interval (300 s)."""

Item = TypeVar("Item")
Result = TypeVar("Result")
ApplyAll = Callable[[Connection, Sequence[Item]], Awaitable[None]]
SetAside = Callable[[Connection, Item, Exception], Awaitable[None]]


async def patiently(attempt: Callable[[], Awaitable[Result]], items: int) -> Result:
    """Return the result of `attempt`, retrying faults of the infrastructure with back-off for up to 45 s.

    The pauses grow and are jittered. `items` is for the log.
    """
    pause, begun = FIRST_PAUSE_SECONDS, time.monotonic()
    while True:
        try:
            return await attempt()
        except Exception as fault:
            if not is_transient(fault) or time.monotonic() - begun >= PATIENCE_SECONDS:
                raise
            log.warning("batch.retry", fault=reason_of(fault), items=items, pause_s=pause)
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


async def apply_apart(
    db: Database,
    items: Sequence[Item],
    apply: ApplyAll[Item],
    set_aside: SetAside[Item],
    fault: Exception,
) -> None:
    """Apply what can be applied of a batch that raised `fault`, in one transaction; park or bury the rest.

    Raises only faults of the infrastructure, `fault` itself if it is one.
    """
    if is_transient(fault):
        raise fault
    log.warning("batch.split", fault=reason_of(fault), items=len(items))
    async with db.transaction() as conn:
        await isolate(conn, items, apply, set_aside)


async def isolate(
    conn: Connection, items: Sequence[Item], apply: ApplyAll[Item], set_aside: SetAside[Item]
) -> None:
    """Bisect `items`: apply in order what can be applied, inside the caller's transaction; set poison messages aside.

    Costs about 2 log2(n) attempts for each bad item. Raises only faults of the infrastructure.
    """
    try:
        async with conn.transaction():
            await apply(conn, items)
    except Exception as fault:
        if is_transient(fault):
            raise
        if len(items) == 1:
            await set_aside(conn, items[0], fault)
            return
        middle = len(items) // 2
        await isolate(conn, items[:middle], apply, set_aside)
        await isolate(conn, items[middle:], apply, set_aside)
