"""One process of the floor, by its service's name; ended by a signal."""

import asyncio
import sys

import uvloop

from shared.contracts import topics
from tests.bench.floor import followup, intake, routing
from tests.bench.floor.carrying import carry

LOOPS = {
    "intake": (
        ("intake.submissions", (topics.SUBMISSIONS,), intake.take_submissions),
        ("intake", (topics.MATTERS,), intake.take_matters),
    ),
    "routing": (("routing", (topics.REQUESTS, topics.MATTERS), routing.take),),
    "followup": (("followup", (topics.REQUESTS, topics.ASSIGNMENTS), followup.take),),
}


async def main(service: str) -> None:
    async with asyncio.TaskGroup() as group:
        for name, names, take in LOOPS[service]:
            group.create_task(carry(service, name, names, take))


uvloop.run(main(sys.argv[1]))
