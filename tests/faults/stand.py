"""One run's services, load and checker on a cluster: a database and topics of its own, so that runs do not meet."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from deploy.jobs.migrations import migrate_all
from shared.delivery.kafka.address import KafkaAddress
from tests.faults.callers import Callers
from tests.faults.checker import Checker
from tests.faults.cluster import SERVICES, Cluster
from tests.faults.journal import Journal
from tests.faults.load import Load, Rates
from tests.faults.replicas import Launch, Replicas, write_tokens
from tests.faults.topics import TopicReader
from tests.faults.town import Town
from tests.faults.walking import Walkers

CONNECT_SECONDS = 60.0
TRIES = 20


@dataclass(frozen=True, slots=True)
class Build:
    """What is run: the services as they are, or a broken build of them by another launcher and its environment."""

    name: str = "sound"
    launcher: Sequence[str] = ("-m",)
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything there is in a run."""

    rates: Rates
    partitions: int = 12
    enterprises: int = 200
    liaisons: int = 40
    replicas: int = 2


@dataclass(slots=True)
class Stand:
    """Everything that a fault may touch, and what must come through it."""

    cluster: Cluster
    replicas: Replicas
    load: Load
    walkers: Walkers
    reader: TopicReader
    checker: Checker
    prefix: str
    database: str
    clock_file: Path
    size: Size
    chance: random.Random

    def url(self) -> str:
        """The database, past the network that can fail."""
        return self.cluster.url(self.database)

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A session that no fault is aimed at; waits for PostgreSQL to be there."""
        async with asyncio.timeout(CONNECT_SECONDS):
            while True:
                try:
                    conn = await asyncpg.connect(self.url(), timeout=10)
                    break
                except (asyncpg.PostgresError, OSError, TimeoutError):
                    await asyncio.sleep(0.2)
        try:
            yield conn
        finally:
            with contextlib.suppress(asyncpg.PostgresError, OSError, TimeoutError):
                await conn.close(timeout=10)

    async def sql(self, statement: str) -> None:
        """Run one statement; it may be run twice when PostgreSQL goes meanwhile."""
        for _ in range(TRIES):
            try:
                async with self.connection() as conn:
                    await conn.execute(statement, timeout=120)
                return
            except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError):
                await asyncio.sleep(0.2)
        raise TimeoutError(f"PostgreSQL does not stay: {statement}")


@contextlib.asynccontextmanager
async def standing(
    cluster: Cluster, name: str, size: Size, build: Build, seed: int
) -> AsyncIterator[Stand]:
    """Migrate, make topics, start the services, tell them of the town, and have the load ready to go."""
    folder = cluster.folder / name
    prefix, database = f"{name}.", database_of(name)
    await make_database(cluster, database)
    await cluster.make_topics(prefix, size.partitions)
    folder.mkdir(parents=True, exist_ok=True)
    clock_file = folder / "clock"
    launch = launch_of(cluster, folder, build, name)
    town = Town(f"{name}-{seed}", size.enterprises, size.liaisons)
    chance = random.Random(seed)  # noqa: S311 - reproducible
    async with contextlib.AsyncExitStack() as stack:
        journal = stack.enter_context(Journal(folder / "journal.jsonl"))
        replicas = await stack.enter_async_context(Replicas(launch, size.replicas))
        await town.settle_in(replicas.of("routing")[0].address)
        reader = await stack.enter_async_context(
            TopicReader(cluster.bootstrap, prefix, size.partitions)
        )
        callers = Callers(replicas, chance)
        kafka = KafkaAddress(cluster.bootstrap, prefix)
        load = Load(town, journal, callers, kafka, size.rates, chance)
        await stack.enter_async_context(load)
        walkers = await stack.enter_async_context(Walkers(load))
        checker = Checker(cluster.url(database), town, journal, reader)
        yield Stand(
            cluster, replicas, load, walkers, reader, checker, prefix, database, clock_file, size,
            chance,
        )  # fmt: skip


async def make_database(cluster: Cluster, database: str) -> None:
    """A database with the services' schemas and nothing in them."""
    conn = await asyncpg.connect(cluster.url("postgres"), timeout=10)
    try:
        await conn.execute(f"create database {database}")
    finally:
        await conn.close()
    await asyncio.wait_for(migrate_all(cluster.url(database)), 60)


def launch_of(cluster: Cluster, folder: Path, build: Build, name: str) -> Launch:
    """How the services of a run are started: on its database and topics, through the network that can fail."""
    tokens = folder / "tokens.json"
    write_tokens(tokens)
    common = {
        "LIAISON_KAFKA": cluster.services_bootstrap,
        "LIAISON_TOPIC_PREFIX": f"{name}.",
        "LIAISON_TOKENS_FILE": str(tokens),
        "LIAISON_CLOCK_FILE": str(folder / "clock"),
        "LIAISON_LOG_LEVEL": "INFO",
        **build.environment,
    }
    environment = {
        service: common | {"LIAISON_DATABASE_URL": cluster.services_url(service, database_of(name))}
        for service in SERVICES
    }
    return Launch(folder, environment, build.launcher)


def database_of(name: str) -> str:
    """The database of a run."""
    return name.replace("-", "_")
