"""Has services publish their history to Kafka again; consumers drop what they have processed."""

import asyncio
import time
from collections.abc import Sequence

from deploy.common.trouble import Trouble
from deploy.local.launcher.report import Progress, Step, Tell
from deploy.operations.database import troubles
from shared.delivery.outbox.republish import (
    GONE_SECONDS,
    end_relay,
    head,
    mark_again,
    mark_part,
    next_to_send,
    pending,
)
from shared.runtime.table_copy import Session, connect_to_copy

PART = 5_000
"""Few enough that intake's limit of events that wait is far away, and that new events wait a second at most."""

POLL_SECONDS = 0.1
STUCK_SECONDS = 60.0
CLOSE_SECONDS = 5.0
ALL = 2**62


async def rebuild_receipts(url: str) -> None:
    """Clear intake's read model of receipts and have followup's history rebuild it. May be repeated."""
    with troubles():
        conn = await connect_to_copy(url)
        try:
            async with conn.transaction():
                await conn.execute("set local search_path = intake")
                # Events' contracts come along with it, for which no other command should wait.
                from services.intake.handlers import progress  # noqa: PLC0415

                await progress.begin_again(conn)
        finally:
            await conn.close(timeout=CLOSE_SECONDS)


async def marked(url: str, services: Sequence[str], after: int, tell: Tell) -> dict[str, int]:
    """Mark all events above `after` to be published in order, before new ones; return the number by service.

    For a Kafka that lost everything, while its topics are not there. It ends the relays that are at work, and returns
    when they have noticed.
    """
    counts, ended = {}, 0
    with troubles():
        conn = await connect_to_copy(url)
        try:
            for service in services:
                await conn.execute(f"set search_path = {service}")
                ended += await end_relay(conn)
                await mark_again(conn, after)
                counts[service] = await pending(conn, await head(conn), ALL)
        finally:
            await conn.close(timeout=CLOSE_SECONDS)
    if ended:
        tell(Step("replay.relays"))
        await asyncio.sleep(GONE_SECONDS)
    return counts


async def sent_again(url: str, services: Sequence[str], after: int, tell: Tell) -> dict[str, int]:
    """Publish all events above `after` again in parts, beside new ones, until Kafka has them; return the number by
    service.

    Raises Trouble when Kafka takes nothing for a minute; what was sent by then stays sent.
    """
    counts = {}
    with troubles():
        conn = await connect_to_copy(url)
        try:
            for service in services:
                tell(Step("replay", {"service": service}))
                await conn.execute(f"set search_path = {service}")
                counts[service] = await send_parts(conn, service, after, tell)
        finally:
            await conn.close(timeout=CLOSE_SECONDS)
    return counts


async def send_parts(conn: Session, service: str, after: int, tell: Tell) -> int:
    up_to = await head(conn)
    last, events = after, 0
    while last < up_to:
        part = await mark_part(conn, last, up_to, PART)
        await until_sent(conn, service, part.last)
        last, events = part.last, events + part.events
        tell(Progress(last, up_to, is_bytes=False))
    return events


async def until_sent(conn: Session, service: str, up_to: int) -> None:
    moved_at, first = time.monotonic(), 0
    while await pending(conn, up_to, 1):
        if (now_first := await next_to_send(conn)) != first:
            moved_at, first = time.monotonic(), now_first
        if time.monotonic() - moved_at > STUCK_SECONDS:
            raise Trouble("replay.stuck", service=service, last=first - 1)
        await asyncio.sleep(POLL_SECONDS)
