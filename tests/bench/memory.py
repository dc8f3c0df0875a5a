"""What each service holds of memory while submissions keep coming: a sample a second, and the line through them."""

import asyncio
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from shared.contracts import topics
from tests.bench.ground import Place, Service
from tests.bench.town import Town, send

MEGABYTE = 1024 * 1024
SAMPLE_SECONDS = 1.0
WARM_SHARE = 1 / 3
"""The first part of the time, in which caches fill; the line is drawn through the rest."""
AHEAD = 4_000
PORTION = 2_000

# Whoever falls behind reads ahead up to its limit; the load goes by the slowest, so that none does.
PASSED = """
select least((select coalesce(max(seq), 0) from routing.event),
             (select coalesce(max(seq), 0) / 2 from followup.event))"""


@dataclass(frozen=True, slots=True)
class Held:
    """One service's memory over time, (seconds, MB), and how many requests passed meanwhile."""

    samples: tuple[tuple[float, float], ...]
    passed: int

    @property
    def last_mb(self) -> float:
        return self.samples[-1][1]

    @property
    def slope_mb_a_minute(self) -> float:
        """The slope of the least-squares line after the warm-up."""
        begun = self.samples[-1][0] * WARM_SHARE
        moments, sizes = zip(*(each for each in self.samples if each[0] >= begun), strict=True)
        return statistics.linear_regression(moments, sizes).slope * 60

    def noted(self) -> dict[str, Any]:
        return {
            "first_mb": round(self.samples[0][1], 1),
            "last_mb": round(self.last_mb, 1),
            "mb_a_minute": round(self.slope_mb_a_minute, 3),
            "requests": self.passed,
        }


async def held_under_load(
    place: Place, running: Mapping[str, Service], seconds: float
) -> dict[str, Held]:
    """Keep up to 6,000 submissions ahead of the services for `seconds`, and sample each."""
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in running}
    feeding = asyncio.create_task(_feed(place, seconds))
    begun = time.monotonic()
    while not feeding.done():
        await asyncio.wait((feeding,), timeout=SAMPLE_SECONDS)
        passed = time.monotonic() - begun
        for name, service in running.items():
            samples[name].append((passed, service.resident_bytes() / MEGABYTE))
    count = await feeding
    return {name: Held(tuple(each), count) for name, each in samples.items()}


async def _feed(place: Place, seconds: float) -> int:
    """How many had passed by the end: an event each in routing, two in followup."""
    conn = await asyncpg.connect(place.url)
    town, sent, passed = Town(), 0, 0
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            passed = await conn.fetchval(PASSED)
            if sent - passed < AHEAD:
                portion = town.submissions(PORTION, f"{place.name}-{sent}")
                await send(place.kafka, place.topic(topics.SUBMISSIONS), portion)
                sent += PORTION
            else:
                await asyncio.sleep(0.1)
    finally:
        await conn.close()
    return int(passed)
