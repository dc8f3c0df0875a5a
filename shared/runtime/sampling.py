"""Samples gauges from the database every 15 s, with a limit on the time that a sample takes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeAlias

import structlog
from prometheus_client import Gauge

from shared.observability.metrics import SWEEP_LATE
from shared.observability.redaction import reason_of
from shared.runtime.database import Connection, Database

log = structlog.get_logger()

MEASURE_SECONDS = 15.0
"""How long it is from one measurement to the next."""
LIMIT_SECONDS = 2.0

Take: TypeAlias = Callable[[Connection], Awaitable[None]]


async def measure(db: Database, gauges: Sequence[Gauge], take: Take) -> bool:
    """Set the `gauges` by `take` within 2 s; return False: there is no more to do at once.

    Each gauge has `service` among its labels. Where something fails they are of no value until the next time: an old
    figure would pass for a new one.
    """
    try:
        async with asyncio.timeout(LIMIT_SECONDS), db.reading() as conn:
            await take(conn)
    except Exception as fault:  # noqa: BLE001 - it is told, and measured again in its time and no sooner
        log.warning("figures.missing", service=db.schema, fault=reason_of(fault))
        for gauge in gauges:
            gauge.remove_by_labels({"service": db.schema})
    return False


def set_lateness(service: str, due_at: datetime | None, now: datetime) -> None:
    """Set the seconds for which the earliest due item has been due by `now`; 0 when nothing is due."""
    overdue = (now - due_at).total_seconds() if due_at is not None else 0.0
    SWEEP_LATE.labels(service).set(max(0.0, overdue))
