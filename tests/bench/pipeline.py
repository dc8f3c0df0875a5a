"""(1) submissions through all three services beside the floor; (6) their memory meanwhile, and their start."""

import asyncio
import contextlib
import statistics
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from shared.contracts import topics
from tests.bench import memory
from tests.bench.ground import SERVICES, Ground, Place, Service, services, standing
from tests.bench.line import Line, Scope
from tests.bench.passing import Passed, passing
from tests.bench.town import Town, send

GOAL = 0.5
ROUNDS = 3
COUNT = 15_000
BRIEF_COUNT = 1_000
MEMORY_SECONDS, LONG_SECONDS, BRIEF_SECONDS = 90.0, 600.0, 9.0
FLAT_MB_A_MINUTE = 1.0
STARTS = 3
START_GOAL_SECONDS = 3.0
READY_SECONDS = 60.0

OURS, FLOOR, BARE = "ours", "floor", "floor without the rows of delivery"
Start = Callable[[Place, Sequence[str]], contextlib.AbstractAsyncContextManager[dict[str, Service]]]


async def measure(scope: Scope) -> list[Line]:
    """Both lines on one pair of servers."""
    with standing(scope.folder) as ground:
        passed = await _rounds(scope, ground)
        flat = await _memory(scope, ground)
        start = await _starts(scope, ground)
    return [_throughput(passed), flat, start]


async def _rounds(scope: Scope, ground: Ground) -> dict[str, list[Passed]]:
    """Ours and the floor in turn, so that what slows the machine for a while slows both."""
    count = BRIEF_COUNT if scope.brief else COUNT
    found: dict[str, list[Passed]] = defaultdict(list)
    for _ in range(1 if scope.brief else ROUNDS):
        for name, start in ((OURS, ours), (FLOOR, floor), (BARE, bare_floor)):
            passed = await through(ground, start, count)
            found[name].append(passed)
            scope.say(f"  {name}: {passed.per_second:,.0f} requests/s")
    return found


async def through(ground: Ground, start: Start, count: int) -> Passed:
    """`count` submissions through three processes in a new place; they lie on the topic before intake starts."""
    place = await ground.place()
    await Town().settle_in(place.url)
    await send(place.kafka, place.topic(topics.SUBMISSIONS), Town().submissions(count, place.name))
    async with start(place, SERVICES[1:]) as later, start(place, SERVICES[:1]) as first:
        return await passing(place, count, first | later)


def ours(
    place: Place, names: Sequence[str]
) -> contextlib.AbstractAsyncContextManager[dict[str, Service]]:
    """Our services."""
    return services(place, names)


def bare_floor(
    place: Place, names: Sequence[str]
) -> contextlib.AbstractAsyncContextManager[dict[str, Service]]:
    """The floor without even the rows that make a repetition harmless: it could not do the same."""
    return floor(place, names, FLOOR_ROWS="told")


@contextlib.asynccontextmanager
async def floor(
    place: Place, names: Sequence[str], **settings: str
) -> AsyncIterator[dict[str, Service]]:
    """Processes of the floor, from ready to ended."""
    place.folder.mkdir(parents=True, exist_ok=True)
    environment = {
        "LIAISON_DATABASE_URL": place.url,
        "LIAISON_KAFKA": place.kafka,
        "LIAISON_TOPIC_PREFIX": place.prefix,
    } | settings
    running = {
        name: Service(
            name,
            (sys.executable, "-m", "tests.bench.floor", name),
            environment,
            place.folder / f"floor-{name}.log",
        )
        for name in names
    }
    try:
        for service in running.values():
            service.start()
        await asyncio.gather(*(_said_ready(service) for service in running.values()))
        yield running
    finally:
        await asyncio.gather(*(service.stop() for service in running.values()))


async def _said_ready(service: Service) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while "ready" not in (said := service.log.read_text()):
            if service.child is None or service.child.poll() is not None:
                raise RuntimeError(f"the floor's {service.name} ended: {said}")
            await asyncio.sleep(0.02)


def _throughput(passed: Mapping[str, Sequence[Passed]]) -> Line:
    rates = {
        name: sum(each.count for each in found) / sum(each.seconds for each in found)
        for name, found in passed.items()
    }
    notes: dict[str, Any] = {
        name: {
            "per_second": [round(each.per_second, 1) for each in found],
            "settled_per_second": [round(each.count / each.settled_seconds, 1) for each in found],
            "cpu_seconds_per_thousand": _mean([each.cpu_per_thousand() for each in found]),
        }
        for name, found in passed.items()
    }
    mine = rates.pop(OURS)
    return Line(
        number=1,
        name="submitted on Kafka, registered, offered, matter opened",
        unit="requests/s",
        ours=mine,
        beside=rates,
        goal=f"at least {GOAL} of the floor",
        met=mine >= GOAL * rates[FLOOR],
        notes=notes,
    )


def _mean(each: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: round(statistics.fmean(one[name] for one in each), 3) for name in each[0]}


async def _memory(scope: Scope, ground: Ground) -> Line:
    seconds = LONG_SECONDS if scope.long else MEMORY_SECONDS
    if scope.brief:
        seconds = BRIEF_SECONDS
    place = await ground.place()
    await Town().settle_in(place.url)
    async with services(place) as running:
        held = await memory.held_under_load(place, running, seconds)
    worst = max(each.slope_mb_a_minute for each in held.values())
    for name, each in held.items():
        scope.say(f"  {name}: {each.last_mb:,.0f} MB, {each.slope_mb_a_minute:+.2f} MB a minute")
    # Followup's memory grows for three minutes before it stays: a shorter run shows that, and is no verdict.
    within = "" if scope.long else ", its first minutes: --long for the promise"
    return Line(
        number=6,
        name=f"growth of the service that grows most, {seconds:.0f} s under (1){within}",
        unit="MB a minute",
        ours=worst,
        goal=f"at most {FLAT_MB_A_MINUTE:g}" if scope.long else "",
        met=worst <= FLAT_MB_A_MINUTE or not scope.long,
        notes={name: each.noted() for name, each in held.items()},
    )


async def _starts(scope: Scope, ground: Ground) -> Line:
    place = await ground.place()
    await Town().settle_in(place.url)
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(1 if scope.brief else STARTS):
        for name in SERVICES:
            async with services(place, (name,)) as running:
                found[name].append(round(running[name].ready_seconds, 2))
    usual = {name: statistics.median(each) for name, each in found.items()}
    worst = max(usual.values())
    return Line(
        number=6,
        name="from start to ready, the slowest service, each alone",
        unit="s",
        ours=worst,
        goal=f"under {START_GOAL_SECONDS:g} s",
        met=worst < START_GOAL_SECONDS,
        notes={"seconds": dict(found)},
    )
