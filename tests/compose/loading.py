"""The load and the independent checker of the fault programme, in front of the gateway instead of single replicas."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import cast

import httpx

from deploy.gateway.transport import Transport
from deploy.jobs.access import SENDERS
from shared.contracts.topics import PARTITIONS
from tests.compose.ground import Site
from tests.faults.callers import LIMITS, TIMEOUT, Callers
from tests.faults.checker import Checker, Finding
from tests.faults.journal import Journal
from tests.faults.load import Load, Rates
from tests.faults.replicas import Replicas
from tests.faults.topics import TopicReader
from tests.faults.town import Town
from tests.faults.walking import Walkers

RATES = Rates(singles=15, batches=1, batch=20, kafka=20, walkers=4)
CURRENT_SECONDS = 120.0
DRAIN_SECONDS = 60.0
POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class _Gate:
    address: str
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class _Gateway:
    """What the load takes for a service's replicas: the one origin."""

    address: str

    def of(self, _: str) -> list[_Gate]:
        return [_Gate(self.address)]


@dataclass(slots=True)
class Watched:
    """A load that goes on, and who checks what came of it."""

    load: Load
    checker: Checker
    journal: Journal

    async def check(self, *, whole: bool = False) -> Finding:
        """Bring the load to rest, wait until all is current, and look for what is lost, doubled or stuck."""
        rested = time.monotonic()
        await self.load.gate.rest()
        seconds = await self.checker.until_current(rested, CURRENT_SECONDS)
        finding = await self.checker.check(whole=whole)
        finding.seconds = seconds
        finding.stuck["not current in time"] = int(seconds is None)
        if self.load.faults:
            raise self.load.faults[0]
        return finding

    async def without_kafka(self, work: Callable[[], object]) -> None:
        """Do `work`, which loses what is in Kafka, once all that others had put there was read, and go on."""
        self.load.on_kafka = False
        async with asyncio.timeout(DRAIN_SECONDS):
            while self.load.sending or await self.checker.missing():
                await asyncio.sleep(POLL_SECONDS)
        await self.checker.reader.end()
        await asyncio.to_thread(work)
        self.checker.reader.begin()
        self.load.on_kafka = True


@asynccontextmanager
async def under_load(site: Site, seed: int) -> AsyncIterator[Watched]:
    """Tell the stack of a town, and have the load ready to go."""
    town = Town(f"compose-{seed}", enterprises=60, liaisons=20)
    chance = random.Random(seed)  # noqa: S311 - reproducible
    async with AsyncExitStack() as stack:
        journal = stack.enter_context(Journal(site.folder / "journal.jsonl"))
        await town.settle_in(site.web)
        reader = TopicReader(site.kafka, "", PARTITIONS)
        await stack.enter_async_context(reader)
        client = httpx.AsyncClient(
            timeout=TIMEOUT, transport=Transport(limits=LIMITS, verify=site.trust())
        )
        callers = Callers(cast(Replicas, _Gateway(site.web)), chance, client)
        load = Load(town, journal, callers, site.kafka_for(SENDERS), RATES, chance)
        await stack.enter_async_context(load)
        await stack.enter_async_context(Walkers(load))
        yield Watched(load, Checker(site.database, town, journal, reader), journal)


async def during(watched: Watched, seconds: float, work: Awaitable[object] | None = None) -> None:
    """Load for some seconds, with `work` in the middle of them."""
    watched.load.gate.go()
    await asyncio.sleep(seconds / 2)
    if work is not None:
        await work
    await asyncio.sleep(seconds / 2)
