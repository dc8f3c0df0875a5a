"""The ground of a fault run: three brokers, a PostgreSQL that syncs, and a network between them and the services."""

import asyncio
import shutil
import signal
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.jobs.topics import ensure_topics
from deploy.local.embedded import jars
from deploy.local.embedded.kafka import Broker, new_cluster_id
from deploy.local.embedded.ports import LOOPBACK, pick
from deploy.local.embedded.postgres import Postgres
from deploy.local.embedded.process import Program, identity, is_ready, start
from deploy.local.embedded.process import end as end_process
from shared.delivery.kafka.address import KafkaAddress
from tests.faults.proxies import Proxies
from tests.faults.volume import Volume

NODES = (1, 2, 3)
SERVICES = ("intake", "routing", "followup")
READY_SECONDS = 90.0
POLL_SECONDS = 0.1
# Brokers talk to one another past the network that can fail; what fails between the services and Kafka is meant.
BROKER_SETTINGS = {
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,CLIENT:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "offsets.topic.num.partitions": "3",
    # A broker that was killed is missed sooner, so that a run has time for more faults.
    "broker.session.timeout.ms": "4000",
    "broker.heartbeat.interval.ms": "500",
    "controlled.shutdown.enable": "false",
}


@dataclass(slots=True)
class Running:
    """A server's program, and the process that runs it."""

    program: Program
    child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.child = start(self.program)

    def send(self, number: signal.Signals) -> None:
        if self.child is not None and self.child.poll() is None:
            self.child.send_signal(number)

    async def ready(self) -> None:
        assert self.child is not None
        async with asyncio.timeout(READY_SECONDS):
            while not await asyncio.to_thread(is_ready, self.child.pid, self.program):
                assert self.child.poll() is None, f"{self.program.name} ended: {self.program.log}"
                await asyncio.sleep(POLL_SECONDS)

    async def end(self, number: signal.Signals) -> None:
        if self.child is None:
            return
        if who := identity(self.child.pid):
            await asyncio.to_thread(end_process, who, number, self.program.stop_seconds)
        await asyncio.to_thread(self.child.wait, 10)
        self.child = None


@dataclass(slots=True)
class Cluster:
    """All servers of a run, below one folder; `start` and `stop` them, and break them in between."""

    folder: Path
    ports: dict[str, int] = field(default_factory=dict)
    cluster_id: str = ""
    kafka: dict[int, Running] = field(default_factory=dict)
    postgres: Running | None = None
    proxies: Proxies | None = None
    volume: Volume | None = None

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.volume = Volume(self.folder / "volume")
        await asyncio.to_thread(self.volume.mount)
        await asyncio.gather(self.form_kafka(), self._form_postgres())
        self.proxies = await Proxies.start(self._routes())

    async def stop(self) -> None:
        if self.proxies is not None:
            await self.proxies.stop()
        # The last controllers of a cluster wait long for the others before they end by themselves.
        await asyncio.gather(*(node.end(signal.SIGKILL) for node in self.kafka.values()))
        if self.postgres is not None:
            await self.postgres.end(signal.SIGINT)
        if self.volume is not None:
            await asyncio.to_thread(self.volume.unmount)

    @property
    def bootstrap(self) -> str:
        """Kafka for the load and the checker, whom no fault of the network concerns."""
        return ",".join(f"{LOOPBACK}:{self._port(f'broker-{node}')}" for node in NODES)

    @property
    def services_bootstrap(self) -> str:
        """Kafka as the services reach it."""
        return ",".join(f"{LOOPBACK}:{self._port(f'kafka-{node}')}" for node in NODES)

    def url(self, database: str) -> str:
        """A database for the checker."""
        return self._postgres().url(database)

    def services_url(self, service: str, database: str) -> str:
        """A database as a service reaches it, each by a way of its own."""
        direct = self._postgres()
        return replace(direct, port=self._port(f"postgres-{service}")).url(database)

    async def form_kafka(self) -> None:
        """Start three brokers on whatever is on their disks, formatting those that hold nothing."""
        self.cluster_id = self.cluster_id or new_cluster_id()
        brokers = [self._broker(node) for node in NODES]
        prepared = (asyncio.to_thread(broker.prepare, self.cluster_id) for broker in brokers)
        await asyncio.gather(*prepared)
        self.kafka = {node: Running(self._broker(node).program()) for node in NODES}
        for node in self.kafka.values():
            node.start()
        await self.kafka_ready()

    async def kafka_ready(self) -> None:
        """Wait until all brokers are up and know one another."""
        await asyncio.gather(*(node.ready() for node in self.kafka.values()))
        async with asyncio.timeout(READY_SECONDS):
            while await self._members() < len(NODES):
                await asyncio.sleep(POLL_SECONDS)

    async def wipe_kafka(self) -> None:
        """Kill all brokers, empty their disks, and make a new cluster without topics."""
        await asyncio.gather(*(node.end(signal.SIGKILL) for node in self.kafka.values()))
        for node in NODES:
            shutil.rmtree(self._broker(node).folder)
        self.cluster_id = new_cluster_id()
        await self.form_kafka()

    async def make_topics(self, prefix: str, partitions: int) -> None:
        await ensure_topics(KafkaAddress(self.bootstrap, prefix), partitions=partitions)

    async def _members(self) -> int:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=5000)
        try:
            await admin.start()
            return len((await admin.describe_cluster())["brokers"])
        except (KafkaError, OSError):
            return 0
        finally:
            await admin.close()

    def _broker(self, node: int) -> Broker:
        client, proxy = self._port(f"client-{node}"), self._port(f"kafka-{node}")
        inner = self._port(f"broker-{node}")
        controllers = {each: self._port(f"controller-{each}") for each in NODES}
        listeners = (
            f"PLAINTEXT://{LOOPBACK}:{inner},CLIENT://{LOOPBACK}:{client},"
            f"CONTROLLER://{LOOPBACK}:{controllers[node]}"
        )
        advertised = f"PLAINTEXT://{LOOPBACK}:{inner},CLIENT://{LOOPBACK}:{proxy}"
        return Broker(
            folder=self.folder / f"kafka-{node}",
            port=inner,
            log=self.folder / "logs" / f"kafka-{node}.log",
            classpath=jars.classpath(lambda come, expected: None),
            controllers=controllers,
            node=node,
            heap_mb=384,
            settings=BROKER_SETTINGS | {"listeners": listeners, "advertised.listeners": advertised},
        )

    async def _form_postgres(self) -> None:
        server = self._postgres()
        await asyncio.to_thread(server.prepare)
        self.postgres = Running(server.program())
        self.postgres.start()
        await self.postgres.ready()

    def _postgres(self) -> Postgres:
        folder = self.folder / "volume" / "postgres"
        log = self.folder / "logs" / "postgres.log"
        return Postgres(folder, self._port("postgres"), log, durable=True)

    def _routes(self) -> dict[str, tuple[int, int]]:
        ways = {
            f"kafka-{node}": (self._port(f"kafka-{node}"), self._port(f"client-{node}"))
            for node in NODES
        }
        for service in SERVICES:
            name = f"postgres-{service}"
            ways[name] = (self._port(name), self._port("postgres"))
        return ways

    def _port(self, name: str) -> int:
        if name not in self.ports:
            self.ports[name] = pick(None, self.ports.values())
        return self.ports[name]
