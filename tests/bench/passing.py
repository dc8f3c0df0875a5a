"""Requests passing through three processes in a place of their own: from the first registered to the last offered."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import asyncpg
import psutil

from tests.bench.ground import Place, Service

LOOK_SECONDS = 0.02
FIRST_SECONDS = 60.0
PASS_SECONDS = 300.0

FIRST = "select exists (select from intake.request)"
TOLD = """
select (select coalesce(max(seq), 0) from routing.event), (select coalesce(max(seq), 0) from followup.event)"""
OFFERED = """
select (select count(*) from intake.request),
       (select count(*) from routing.offer where state = 'offered' and holding),
       (select count(*) from followup.matter where state = 'offered')"""
RECEIPTS = "select count(*) from intake.timeline where version = 2"


@dataclass(frozen=True, slots=True)
class Passed:
    """`seconds` until all stood offered, `settled_seconds` until every receipt showed it too."""

    count: int
    seconds: float
    settled_seconds: float
    cpu_seconds: Mapping[str, float] = field(default_factory=dict)
    """By program, PostgreSQL and Kafka among them, over all of it."""

    @property
    def per_second(self) -> float:
        return self.count / self.seconds

    def cpu_per_thousand(self) -> dict[str, float]:
        return {
            name: round(1000 * seconds / self.count, 3)
            for name, seconds in self.cpu_seconds.items()
        }


async def passing(place: Place, count: int, running: Mapping[str, Service]) -> Passed:
    """Wait until `count` submissions, which are on their topic, have passed. TimeoutError when they do not."""
    conn = await asyncpg.connect(place.url, server_settings={"application_name": "bench"})
    before = processors(running)
    try:
        await _until(conn, FIRST, lambda row: row[0], FIRST_SECONDS)
        begun = time.perf_counter()
        await _until(conn, TOLD, lambda row: row[0] >= count and row[1] >= 2 * count, PASS_SECONDS)
        await _until(conn, OFFERED, lambda row: tuple(row) == (count,) * 3, FIRST_SECONDS)
        offered = time.perf_counter() - begun
        await _until(conn, RECEIPTS, lambda row: row[0] == count, PASS_SECONDS)
        settled = time.perf_counter() - begun
    finally:
        await conn.close()
    after = processors(running)
    used = {name: after[name] - before.get(name, 0.0) for name in after}
    return Passed(count, offered, settled, used)


async def _until(conn, query, holds, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not holds(await conn.fetchrow(query)):
            await asyncio.sleep(LOOK_SECONDS)


def processors(running: Mapping[str, Service]) -> dict[str, float]:
    """Seconds of the processors so far: each service's, PostgreSQL's and Kafka's."""
    found = {name: service.cpu_seconds() for name, service in running.items()}
    found |= {"postgres": 0.0, "kafka": 0.0}
    for child in psutil.Process().children(recursive=True):
        try:
            name, times = child.name(), child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        if name == "postgres":
            found["postgres"] += times.user + times.system
        elif name == "java":
            found["kafka"] += times.user + times.system
    return found
