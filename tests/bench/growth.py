"""(4) throughput and what people ask, with a history of 2,000,000 closed and 100,000 open matters and without one."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict
from typing import Any

import asyncpg

from shared.contracts import topics
from tests.bench.filling import fill
from tests.bench.ground import Ground, Place, Service, services, standing
from tests.bench.line import Line, Scope
from tests.bench.questions import Asked, ask_all, write_tokens
from tests.bench.town import Town, send

CLOSED, OPEN, COUNT, ROUNDS, TIMES = 2_000_000, 100_000, 10_000, 3, 200
BRIEF_CLOSED, BRIEF_OPEN, BRIEF_COUNT, BRIEF_ROUNDS, BRIEF_TIMES = 2_000, 100, 500, 1, 5
GOAL = 0.9
GOAL_MS = 20.0
PASS_SECONDS = 300.0
LOOK_SECONDS = 0.02

# How many events each service has told: the last sequence number, for nothing is rolled back here.
TOLD = """
select (select coalesce(max(seq), 0) from intake.event) as registered,
       (select coalesce(max(seq), 0) from routing.event) as offered,
       (select coalesce(max(seq), 0) from followup.event) as opened_and_offered"""
PASSED = """
select (select count(*) from intake.request where id > $1),
       (select count(*) from routing.offer join routing.matter on matter.id = matter_id
        where matter.id > $1 and state = 'offered' and holding),
       (select count(*) from followup.matter where id > $1 and state = 'offered')"""
NEWEST = "select id from intake.request order by id desc limit 1"
NOTHING = "00000000-0000-0000-0000-000000000000"


async def measure(scope: Scope) -> list[Line]:
    """Both places stand on the same two servers and are measured in turn."""
    town = Town()
    closed, opened = (BRIEF_CLOSED, BRIEF_OPEN) if scope.brief else (CLOSED, OPEN)
    with standing(scope.folder) as ground:
        places = {"empty": await _settled(ground, town), "full": await _settled(ground, town)}
        filled = await fill(places["full"].url, town, closed, opened)
        scope.say(f"  filled in {filled.seconds:,.0f} s, {filled.bytes / 1e9:.1f} GB")
        rates = await _rounds(scope, places, town)
        asked = {name: await _asked(scope, place, town) for name, place in places.items()}
    history = {"closed": closed, "open": opened, "fill": asdict(filled)}
    return [_throughput(rates, history), _slowest(asked, history)]


async def _settled(ground: Ground, town: Town) -> Place:
    place = await ground.place()
    await town.settle_in(place.url)
    write_tokens(place.folder / "staff.json", town)
    return place


async def _rounds(scope: Scope, places: Mapping[str, Place], town: Town) -> dict[str, list[float]]:
    count, rounds = (BRIEF_COUNT, BRIEF_ROUNDS) if scope.brief else (COUNT, ROUNDS)
    rates: dict[str, list[float]] = {name: [] for name in places}
    for number in range(rounds):
        for name, place in places.items():
            run = f"{place.name}-{number}"
            await send(place.kafka, place.topic(topics.SUBMISSIONS), town.submissions(count, run))
            async with _running(place, "routing", "followup"):
                rates[name].append(await _passing(place, count))
            scope.say(f"  {name}: {rates[name][-1]:,.0f} requests/s")
    return rates


def _running(place: Place, *names: str) -> AbstractAsyncContextManager[dict[str, Service]]:
    return services(place, names, LIAISON_TOKENS_FILE=str(place.folder / "staff.json"))


async def _passing(place: Place, count: int) -> float:
    """Start intake and wait until `count` submissions, which lie on their topic, stand offered; how many a second."""
    conn = await asyncpg.connect(place.url)
    try:
        before, newest = await conn.fetchrow(TOLD), await conn.fetchval(NEWEST)
        async with _running(place, "intake"), asyncio.timeout(PASS_SECONDS):
            while (await conn.fetchrow(TOLD))["registered"] == before["registered"]:
                await asyncio.sleep(LOOK_SECONDS)
            begun = time.perf_counter()
            goal = (before["offered"] + count, before["opened_and_offered"] + 2 * count)
            while True:
                told = await conn.fetchrow(TOLD)
                if told["offered"] >= goal[0] and told["opened_and_offered"] >= goal[1]:
                    break
                await asyncio.sleep(LOOK_SECONDS)
            while tuple(await conn.fetchrow(PASSED, newest or NOTHING)) != (count,) * 3:
                await asyncio.sleep(LOOK_SECONDS)
            return count / (time.perf_counter() - begun)
    finally:
        await conn.close()


async def _asked(scope: Scope, place: Place, town: Town) -> dict[str, Asked]:
    async with _running(place, "intake", "routing", "followup") as running:
        return await ask_all(place, town, running, BRIEF_TIMES if scope.brief else TIMES)


def _throughput(rates: Mapping[str, list[float]], history: Mapping[str, Any]) -> Line:
    # The mean of rounds of equal length is the harmonic one.
    full, empty = (
        len(each) / sum(1 / rate for rate in each) for each in (rates["full"], rates["empty"])
    )
    return Line(
        number=4,
        name="submitted to offered, with a history",
        unit="requests/s",
        ours=full,
        beside={"without one": empty},
        goal=f"at least {GOAL} of the figure without one",
        met=full >= GOAL * empty,
        notes={"rounds": rates, "history": history},
    )


def _slowest(asked: Mapping[str, Mapping[str, Asked]], history: Mapping[str, Any]) -> Line:
    full = asked["full"]
    name = max(full, key=lambda each: full[each].p99_ms)
    return Line(
        number=4,
        name=f"the slowest of {len(full)} questions, with a history ({name}), p99",
        unit="ms",
        ours=full[name].p99_ms,
        beside={"without one": asked["empty"][name].p99_ms},
        goal=f"under {GOAL_MS:g} ms",
        met=full[name].p99_ms < GOAL_MS,
        notes={
            "questions": {
                where: {key: asdict(one) for key, one in each.items()}
                for where, each in asked.items()
            },
            "history": history,
        },
    )
