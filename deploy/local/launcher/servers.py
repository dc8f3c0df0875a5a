"""Starts the embedded PostgreSQL and Kafka, or uses the servers of the settings."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from aiokafka.errors import KafkaError

from deploy.common.folder import Folder, read_json, write_json
from deploy.common.trouble import Trouble
from deploy.jobs.migrations import migrate_all
from deploy.jobs.topics import ensure_topics
from deploy.local.embedded import jars
from deploy.local.embedded.guard import SERVICES, Guard
from deploy.local.embedded.kafka import Broker, new_cluster_id
from deploy.local.embedded.ports import LOOPBACK, is_free, pick
from deploy.local.embedded.postgres import Postgres
from deploy.local.embedded.process import Program
from deploy.local.embedded.supervisor import Supervisor
from deploy.local.kafka_users import bring_users, broker_secret, own_login
from deploy.local.launcher.report import Note, Progress, Step, Tell
from shared.delivery.kafka.address import KafkaAddress
from shared.runtime.migrate import EditedMigration
from shared.service.settings import ServerSettings, read_settings

DATABASE = "liaison"
USUAL = {"postgres": 5432, "kafka": 9092, "controller": 9093, "kafka_sasl": 9094, "web": 8000}
START_SECONDS = 90.0
PORT_ATTEMPTS = 3

SELECT_DATABASE = "select 1 from pg_database where datname = $1"
CREATE_DATABASE = f"create database {DATABASE}"


@dataclass(slots=True)
class Memory:
    """Ports and ids of a stack that stay the same from one start to the next."""

    folder: Folder
    ports: dict[str, int] = field(default_factory=dict)
    cluster_id: str = field(default_factory=new_cluster_id)

    @classmethod
    def of(cls, folder: Folder) -> "Memory":
        kept: dict[str, Any] = read_json(folder.remembered) or {}
        return cls(folder, **kept)

    def pick(self, name: str, *, any_port: bool = False) -> int:
        """Return a free port: that of the last start, the default, or any that no other part has."""
        others = {port for other, port in self.ports.items() if other != name}
        wanted = None if any_port else self.ports.get(name) or USUAL.get(name)
        self.ports[name] = pick(wanted, others)
        self.save()
        return self.ports[name]

    def save(self) -> None:
        write_json(self.folder.remembered, {"ports": self.ports, "cluster_id": self.cluster_id})


@dataclass(slots=True)
class Servers:
    """PostgreSQL and Kafka of a stack."""

    folder: Folder
    memory: Memory
    supervisor: Supervisor
    tell: Tell
    demo: bool = False
    open_kafka: str = ""
    """Where our own Kafka asks for no password, which is in the sample town alone."""

    def database_url(self) -> str:
        """Return the URL of the migrated database, on the server of the settings or the embedded one."""
        url = read_settings(ServerSettings).database or self.postgres()
        self.tell(Step("migrate"))
        try:
            asyncio.run(migrate_all(url))
        except EditedMigration as fault:
            raise Trouble("migrate.edited", reason=fault) from fault
        except (asyncpg.PostgresError, OSError) as fault:
            raise Trouble("migrate.failed", reason=fault) from fault
        return url

    def kafka(self) -> KafkaAddress:
        """Return the address of Kafka with all topics created, of the settings or embedded."""
        kafka = read_settings(ServerSettings).kafka_address
        guard = None if kafka.bootstrap else self._start_kafka()
        if guard is not None:
            login = own_login(self.folder)
            kafka = KafkaAddress(f"{LOOPBACK}:{guard.port}", kafka.prefix, login)
        self.tell(Step("topics"))
        try:
            if guard is not None:
                asyncio.run(bring_users(self.folder, guard, kafka))
            asyncio.run(ensure_topics(kafka))
        except (KafkaError, OSError) as fault:
            raise Trouble("topics.failed", kafka=kafka.bootstrap, reason=fault) from fault
        if guard is not None and guard.open_port is not None:
            self.open_kafka = f"{LOOPBACK}:{guard.open_port}"
            self.tell(Note("kafka.open", {"open": self.open_kafka, "sasl": kafka.bootstrap}))
        return kafka

    def postgres(self) -> str:
        """Start the embedded PostgreSQL and create its database."""
        self.tell(Step("postgres"))

        def server() -> Postgres:
            port = self.memory.ports["postgres"]
            return Postgres(self.folder.postgres, port, self.folder.log("postgres"))

        def on_free_port() -> Program:
            self.memory.pick("postgres")
            server().prepare()
            return server().program()

        start_on_free_port(self.supervisor, on_free_port)
        asyncio.run(make_database(server().url()))
        return server().url(DATABASE)

    def _start_kafka(self) -> Guard:
        self.tell(Step("jars"))
        classpath = jars.classpath(lambda come, expected: self.tell(Progress(come, expected)))
        self.tell(Step("kafka"))

        ran_before = "controller" in self.memory.ports
        guards: list[Guard] = []

        def on_free_ports() -> Program:
            guard = self._guard()
            guards[:] = [guard]
            broker = Broker(
                folder=self.folder.kafka,
                port=guard.port,
                log=self.folder.log("kafka"),
                classpath=classpath,
                controllers={1: guard.controller},
                settings=guard.settings(),
            )
            if broker.prepare(self.memory.cluster_id) and ran_before:
                self.tell(Note("kafka.empty"))
            return broker.program()

        start_on_free_port(self.supervisor, on_free_ports)
        return guards[-1]

    def kafka_login(self) -> dict[str, str]:
        """Return the login settings of services for the embedded Kafka; empty for an external one."""
        if read_settings(ServerSettings).kafka:
            return {}
        return {
            "LIAISON_KAFKA_USER": SERVICES,
            "LIAISON_KAFKA_PASSWORD_FILE": str(self.folder.kafka_password(SERVICES)),
            "LIAISON_KAFKA_CA_FILE": "",
        }

    def _guard(self) -> Guard:
        return Guard(
            port=self.memory.pick("kafka_sasl"),
            controller=self.memory.pick("controller"),
            secret=broker_secret(self.folder),
            open_port=self.memory.pick("kafka") if self.demo else None,
        )


def start_on_free_port(supervisor: Supervisor, program: Callable[[], Program]) -> None:
    """Start a program and wait for it; retry once on other ports when another program took its port first."""
    for attempt in range(1, PORT_ATTEMPTS + 1):
        wanted = program()
        try:
            supervisor.add_ready(wanted, START_SECONDS)
        except Trouble:
            raced = wanted.port is not None and not is_free(wanted.port)
            if not raced or attempt == PORT_ATTEMPTS:
                raise
        else:
            return


async def make_database(url: str) -> None:
    """Create the database if it is missing."""
    connection = await asyncpg.connect(url, timeout=10)
    try:
        if await connection.fetchval(SELECT_DATABASE, DATABASE) is None:
            await connection.execute(CREATE_DATABASE)
    finally:
        await connection.close()
