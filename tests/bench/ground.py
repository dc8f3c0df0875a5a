"""A PostgreSQL and a Kafka of a measurement's own, as durable as in use, and the services in processes of their own."""

import asyncio
import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx
import psutil

from deploy.jobs.migrations import migrate_all
from deploy.jobs.topics import ensure_topics
from deploy.local.embedded.kafka import Broker
from deploy.local.embedded.ports import LOOPBACK, pick, pick_apart
from deploy.local.embedded.postgres import Postgres
from deploy.local.embedded.process import all_running, wrapped
from shared.contracts.topics import PARTITIONS
from shared.delivery.kafka.address import KafkaAddress
from tests.faults.replicas import write_tokens
from tests.support.brokers import prepared_broker

SERVICES = ("intake", "routing", "followup")
START_SECONDS = 60.0
READY_SECONDS = 60.0
STOP_SECONDS = 30.0
numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Place:
    """An empty, migrated database and topics under a prefix; measurements in different places do not meet."""

    name: str
    url: str
    kafka: str
    folder: Path

    @property
    def prefix(self) -> str:
        return f"{self.name}."

    def topic(self, name: str) -> str:
        return self.prefix + name


@dataclass(frozen=True, slots=True)
class Ground:
    """The two servers: `fsync` on, one broker, topics of 12 partitions."""

    postgres: Postgres
    broker: Broker
    folder: Path

    async def place(self, *, migrated: bool = True) -> Place:
        """A new database, with the services' schemas unless not `migrated`, and new topics."""
        name = f"b{next(numbers)}"
        conn = await asyncpg.connect(self.postgres.url(), timeout=10)
        try:
            await conn.execute(f"create database {name}")
        finally:
            await conn.close()
        url = self.postgres.url(name)
        if migrated:
            await migrate_all(url)
        await ensure_topics(KafkaAddress(self.broker.address, f"{name}."), partitions=PARTITIONS)
        return Place(name, url, self.broker.address, self.folder / name)


@contextlib.contextmanager
def standing(folder: Path) -> Iterator[Ground]:
    """Both servers, from ready to ended. `folder` must be empty or not there."""
    folder.mkdir(parents=True, exist_ok=True)
    database, kafka, controller = pick_apart(3)
    postgres = Postgres(folder / "postgres", database, folder / "postgres.log")
    postgres.prepare()
    broker = prepared_broker(folder, kafka, controller)
    with all_running([postgres.program(), broker.program()], START_SECONDS):
        yield Ground(postgres, broker, folder)


@dataclass(slots=True)
class Service:
    """A program that answers on a port of its own: one of ours or one that it is measured against."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    port: int = field(default_factory=lambda: pick(None))
    child: subprocess.Popen[bytes] | None = None
    ready_seconds: float = 0.0
    """From its start to its first yes."""

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                wrapped(self.command, signal.SIGKILL),
                env=os.environ | dict(self.environment) | {"LIAISON_HTTP_PORT": str(self.port)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    async def ready(self, path: str = "/readyz") -> None:
        """Wait for a 200 of `path`. Raises TimeoutError after 60 s, RuntimeError when it has ended."""
        begun = time.monotonic()
        async with asyncio.timeout(READY_SECONDS), httpx.AsyncClient(timeout=5) as client:
            while True:
                if self.child is None or self.child.poll() is not None:
                    raise RuntimeError(f"{self.name} ended: {self.log}")
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(self.address + path)).is_success:
                        break
                await asyncio.sleep(0.02)
        self.ready_seconds = time.monotonic() - begun

    def resident_bytes(self) -> int:
        """What it holds of memory now."""
        return psutil.Process(self.child.pid).memory_info().rss if self.child else 0

    def cpu_seconds(self) -> float:
        """What it has had of the processors so far."""
        if self.child is None:
            return 0.0
        times = psutil.Process(self.child.pid).cpu_times()
        return times.user + times.system

    async def stop(self) -> None:
        if self.child is None:
            return
        self.child.terminate()
        try:
            await asyncio.to_thread(self.child.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.child.kill()
            await asyncio.to_thread(self.child.wait)


@contextlib.asynccontextmanager
async def services(
    place: Place, names: Sequence[str] = SERVICES, **settings: str
) -> AsyncIterator[dict[str, Service]]:
    """Our services in `place`, each in one process, from ready to ended. Tokens are their party's name."""
    place.folder.mkdir(parents=True, exist_ok=True)
    tokens = place.folder / "tokens.json"
    write_tokens(tokens)
    environment = {
        "LIAISON_DATABASE_URL": place.url,
        "LIAISON_KAFKA": place.kafka,
        "LIAISON_TOPIC_PREFIX": place.prefix,
        "LIAISON_TOKENS_FILE": str(tokens),
        "LIAISON_LOG_LEVEL": "WARNING",
    } | settings
    running = {
        name: Service(
            name,
            (sys.executable, "-P", "-m", f"services.{name}"),
            environment,
            place.folder / f"{name}.log",
        )
        for name in names
    }
    try:
        for service in running.values():
            service.start()
        await asyncio.gather(*(service.ready() for service in running.values()))
        yield running
    finally:
        await asyncio.gather(*(service.stop() for service in running.values()))
