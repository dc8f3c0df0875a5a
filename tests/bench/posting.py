"""Line 2: requests posted one at a time over 32 connections, beside the least endpoint that could take them.

Each is one process and has both servers to itself while it is measured. Ours is all of intake: what it took goes to
Kafka meanwhile, by its relay in the same process.
"""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from tests.bench.ground import Place, Service, services, standing
from tests.bench.line import Line, Scope

POOL = 8
ROUNDS = 3
WARM_SECONDS = 2.0
SECONDS = 6.0
BRIEF_SECONDS = 1.0
GENERATOR_SECONDS = 60.0
DRAIN_SECONDS = 120.0
PENDING = "select count(*) from intake.outbox"


@dataclass(frozen=True, slots=True)
class Course:
    """Who is posted to, and how; `shared` None means intake."""

    name: str
    connections: int = 32
    batch: int = 1
    shared: bool | None = None


OURS = Course("ours")
FLOOR = Course("floor", shared=False)
SHARING = Course("floor, shared commits", shared=True)
BATCHES = Course("batches of 500", connections=2, batch=500)
COURSES = (OURS, FLOOR, SHARING, BATCHES)

Answers = dict[str, list[dict[str, Any]]]


async def measure(scope: Scope) -> list[Line]:
    """Ours and the floors in turn, several rounds of them."""
    seconds = BRIEF_SECONDS if scope.brief else SECONDS
    found: Answers = {course.name: [] for course in COURSES}
    with standing(scope.folder) as ground:
        places = {True: await ground.place(), False: await ground.place()}
        for number in range(1 if scope.brief else ROUNDS):
            for course in COURSES:
                answer = await _run(course, places[course.shared is None], number, seconds)
                found[course.name].append(answer)
                scope.say(f"  {course.name}: {answer['per_second']:,.0f}/s, {answer['ms']}")
    return _lines(found)


async def _run(course: Course, place: Place, number: int, seconds: float) -> dict[str, Any]:
    async with _serving(course, place) as service:
        before, begun = service.cpu_seconds(), time.monotonic()
        answer = await _load(course, service, number, seconds)
        answer["service_cpu"] = (service.cpu_seconds() - before) / (time.monotonic() - begun)
        answer["not_yet_in_kafka"] = await _pending(place)
        await _drained(place)
        answer["in_kafka_after_s"] = time.monotonic() - begun - WARM_SECONDS - seconds
    return answer


@asynccontextmanager
async def _serving(course: Course, place: Place) -> AsyncIterator[Service]:
    if course.shared is None:
        async with services(place, ["intake"], LIAISON_POOL_SIZE=str(POOL)) as running:
            yield running["intake"]
        return
    command = (sys.executable, "-P", "-m", "tests.bench.floor_http")
    environment = {"LIAISON_DATABASE_URL": place.url, "FLOOR_POOL": str(POOL)}
    if course.shared:
        environment["FLOOR_SHARED"] = "1"
    service = Service("floor", command, environment, place.folder / "floor.log")
    service.start()
    try:
        await service.ready()
        yield service
    finally:
        await service.stop()


async def _load(course: Course, service: Service, number: int, seconds: float) -> dict[str, Any]:
    """Have a process of its own post; raises RuntimeError when anything was answered with other than a success."""
    options = {
        "port": service.port,
        "connections": course.connections,
        "batch": course.batch,
        "run": f"{COURSES.index(course)}.{number}",
        "warm": WARM_SECONDS,
        "seconds": seconds,
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    generator = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "tests.bench.load", *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(GENERATOR_SECONDS):
            said, _ = await generator.communicate()
    finally:
        if generator.returncode is None:
            generator.kill()
    if generator.returncode:
        raise RuntimeError(f"{course.name}: the load ended with {generator.returncode}")
    answer: dict[str, Any] = json.loads(said)
    if set(answer["statuses"]) - {"200", "202"} or '"errors"' in answer["sample"]:
        raise RuntimeError(f"{course.name}: {answer['statuses']}, such as {answer['sample']}")
    return answer


async def _pending(place: Place) -> int:
    conn = await asyncpg.connect(place.url, timeout=10)
    try:
        count: int = await conn.fetchval(PENDING)
    finally:
        await conn.close()
    return count


async def _drained(place: Place) -> None:
    """Wait until Kafka has all of it. Raises TimeoutError."""
    async with asyncio.timeout(DRAIN_SECONDS):
        while await _pending(place):
            await asyncio.sleep(0.1)


def _lines(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Line]:
    rates = {
        name: statistics.median(answer["per_second"] for answer in answers)
        for name, answers in found.items()
    }
    ours, batched = rates[OURS.name], rates[BATCHES.name]
    return [
        Line(
            2,
            "POST /intake/requests, one at a time, 32 connections",
            "requests/s",
            ours,
            {FLOOR.name: rates[FLOOR.name], SHARING.name: rates[SHARING.name]},
            "at least 1.0 of the floor",
            ours >= rates[FLOOR.name],
            {name: found[name] for name in (OURS.name, FLOOR.name, SHARING.name)},
        ),
        Line(
            2,
            "the same in CloudEvents batches of 500",
            "requests/s",
            batched,
            {FLOOR.name: rates[FLOOR.name], "one at a time": ours},
            "at least 5.0 of the floor",
            batched >= 5 * rates[FLOOR.name],
            {BATCHES.name: found[BATCHES.name]},
        ),
    ]
