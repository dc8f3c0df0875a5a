"""(1) submissions through all three services beside the floor; (6) their memory meanwhile, and their start."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

from shared.contracts import topics
from tests.bench.ground import Ground, Place, Service, services
from tests.bench.passing import Passed, passing
from tests.bench.town import Town, send

READY_SECONDS = 30.0
COUNT = 20_000
BRIEF_COUNT = 1_000


async def through_ours(ground: Ground, town: Town, count: int) -> Passed:
    """Our services in a new place."""
    place = await ground.place()
    await town.settle_in(place.url)
    await send(place.kafka, place.topic(topics.SUBMISSIONS), town.submissions(count, place.name))
    async with (
        services(place, ("routing", "followup")) as later,
        services(place, ("intake",)) as first,
    ):
        return await passing(place, count, first | later)


@contextlib.asynccontextmanager
async def floor(place: Place, names: tuple[str, ...]) -> AsyncIterator[dict[str, Service]]:
    """Processes of the floor in `place`, from ready to ended."""
    place.folder.mkdir(parents=True, exist_ok=True)
    environment = {
        "LIAISON_DATABASE_URL": place.url,
        "LIAISON_KAFKA": place.kafka,
        "LIAISON_TOPIC_PREFIX": place.prefix,
    }
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
        for service in running.values():
            await service.stop()


async def _said_ready(service: Service) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while "ready" not in service.log.read_text():
            if service.child is None or service.child.poll() is not None:
                raise RuntimeError(f"the floor's {service.name} ended: {service.log.read_text()}")
            await asyncio.sleep(0.05)


async def through_floor(ground: Ground, town: Town, count: int) -> Passed:
    """The floor in a new place."""
    place = await ground.place()
    await town.settle_in(place.url)
    await send(place.kafka, place.topic(topics.SUBMISSIONS), town.submissions(count, place.name))
    async with floor(place, ("routing", "followup")) as later, floor(place, ("intake",)) as first:
        return await passing(place, count, first | later)
