"""Orders the services to recompute open limits, and waits for the results."""

import asyncio
import time
from collections.abc import Mapping
from uuid import UUID

from deploy.common.trouble import Trouble
from deploy.operations.database import troubles
from shared.contracts.vocabulary import RescheduleCause
from shared.rescheduling import orders
from shared.rescheduling.orders import OrderProgress
from shared.runtime.database import connect

SERVICES = ("routing", "followup")
"""Those that keep limits."""

STUCK_SECONDS = 30.0
POLL_SECONDS = 0.2


async def carried_out(
    url: str, cause: RescheduleCause, by: str, *, apply: bool
) -> dict[str, OrderProgress]:
    """Return the result of an order by service. Raises Trouble after 30 s without progress."""
    ids = {}
    with troubles():
        for service in SERVICES:
            conn = await connect(url, service)
            try:
                ids[service] = await orders.ask(conn, apply=apply, cause=cause, asked_by=by)
            finally:
                await conn.close(timeout=2)
        return await _finished(url, ids)


async def _finished(url: str, ids: Mapping[str, UUID]) -> dict[str, OrderProgress]:
    before: dict[str, OrderProgress] = {}
    moved_at = time.monotonic()
    while True:
        found = {service: await _status(url, service, ids[service]) for service in ids}
        if all(each.done for each in found.values()):
            return found
        if found != before:
            before, moved_at = found, time.monotonic()
        if time.monotonic() - moved_at > STUCK_SECONDS:
            waiting = [service for service, each in found.items() if not each.done]
            raise Trouble("calendar.stuck", services=", ".join(waiting))
        await asyncio.sleep(POLL_SECONDS)


async def _status(url: str, service: str, order_id: UUID) -> OrderProgress:
    conn = await connect(url, service)
    try:
        return await orders.load_progress(conn, order_id)
    finally:
        await conn.close(timeout=2)
