"""Line 3: from a POST to the liaison's event stream at 100 requests a second, beside three bare commits and hops.

The sample town on the three services, each in its process, with a stream open for everybody who has a queue. The floor
is measured first, on the same two servers.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from deploy.sample_town.loading import load
from tests.bench.ground import Place, Service, services, standing
from tests.bench.line import Line, Scope

RATE = 100
SECONDS = 30.0
BRIEF_SECONDS = 3.0
MORE_SECONDS = 60.0
P50_MS = 25.0
P99_MS = 80.0
HOPS = ("submissions", "requests", "assignments")
TOKENS = {"system": "system", "coordinator": "C001", "operator": "O001"}


async def measure(scope: Scope) -> list[Line]:
    """The floor, then ours."""
    seconds = BRIEF_SECONDS if scope.brief else SECONDS
    with standing(scope.folder) as ground:
        place, bare = await ground.place(), await ground.place(migrated=False)
        floor = await _floor(bare, seconds)
        scope.say(f"  floor: {floor}")
        async with services(place) as running:
            endpoints = _endpoints(running)
            await load({**endpoints, "web": endpoints["routing"]})
            ours = await _ours(place, endpoints, seconds)
        scope.say(f"  ours: {ours}")
    return _lines(ours, floor)


def _endpoints(running: Mapping[str, Service]) -> dict[str, Any]:
    return {name: service.address for name, service in running.items()} | {"tokens": TOKENS}


async def _floor(place: Place, seconds: float) -> dict[str, Any]:
    topics = ",".join(place.topic(f"liaison.{name}") for name in HOPS)
    environment = {
        "LIAISON_DATABASE_URL": place.url,
        "LIAISON_KAFKA": place.kafka,
        "FLOOR_TOPICS": topics,
    }
    return await _run("floor_hops", seconds, environment)


async def _ours(place: Place, endpoints: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    file = place.folder / "endpoints.json"
    file.write_text(json.dumps(endpoints))
    found = await _run("post_to_queue", seconds, {}, "--endpoints", str(file))
    if found["failed"] or found["seen"] != found["posted"]:
        raise RuntimeError(f"not all of it was taken and seen: {found}")
    return found


async def _run(
    program: str, seconds: float, environment: Mapping[str, str], *arguments: str
) -> dict[str, Any]:
    """What a program of this folder says; raises RuntimeError when it fails, TimeoutError when it does not end."""
    command = [sys.executable, "-P", "-m", f"tests.bench.{program}", *arguments]
    command += ["--rate", str(RATE), "--seconds", str(seconds)]
    child = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, env=os.environ | dict(environment)
    )
    try:
        async with asyncio.timeout(seconds + MORE_SECONDS):
            said, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
    if child.returncode:
        raise RuntimeError(f"{program} ended with {child.returncode}")
    found: dict[str, Any] = json.loads(said)
    return found


def _lines(ours: Mapping[str, Any], floor: Mapping[str, Any]) -> list[Line]:
    waits, answers, bare = ours["post_to_queue_ms"], ours["post_answer_ms"], floor["ms"]
    goals = {"p50": P50_MS, "p99": P99_MS}
    name = f"from POST to the liaison's event stream at {RATE} a second"
    lines = [
        Line(
            number=3,
            name=f"{name}, {quantile}",
            unit="ms",
            ours=waits[quantile],
            goal=f"at most {goal:.0f} ms",
            met=waits[quantile] <= goal,
            notes={"ours": ours},
        )
        for quantile, goal in goals.items()
    ]
    return lines + [
        Line(
            number=3,
            name=f"the same beside three commits and hops, {quantile}",
            unit="ms",
            ours=waits[quantile],
            beside={"three bare commits and hops": bare[quantile]},
            notes={"floor": floor, "post_answer_ms": answers},
        )
        for quantile in goals
    ]
