"""The town that the kit is tried in: a schema of its own in a database of the test's own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.jobs.topics import ensure_topics
from deploy.local.embedded.ports import pick_apart
from shared.contracts.topics import TOPICS
from shared.delivery.kafka.address import KafkaAddress
from shared.runtime.database import open_database
from shared.runtime.migrate import DELIVERY_MIGRATIONS, migrate
from tests.integration.delivery.machine import Machine
from tests.integration.delivery.town import Records, Town
from tests.support.brokers import prepared_broker

SCHEMA = "town"


@pytest.fixture
def records() -> Records:
    return Records()


@pytest.fixture
async def town(bare_database_url: str) -> AsyncIterator[Town]:
    await migrate(bare_database_url, SCHEMA, [DELIVERY_MIGRATIONS])
    connection = await asyncpg.connect(bare_database_url, server_settings={"search_path": SCHEMA})
    await connection.execute(Path(__file__).with_name("town.sql").read_text())
    await connection.close()
    db = await open_database(bare_database_url, SCHEMA)
    yield Town(db, bare_database_url)
    await db.close()


@pytest.fixture
def address(kafka: str, kafka_prefix: str) -> KafkaAddress:
    return KafkaAddress(kafka, kafka_prefix)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("outages")
    machine = Machine(prepared_broker(folder, *pick_apart(2)))
    yield machine
    machine.kill()


@pytest.fixture
async def kafka_up(machine: Machine) -> Machine:
    """The machine, running, with the project's topics empty or not: tests look at their own subjects."""
    await machine.up()
    await ensure_topics(KafkaAddress(machine.broker.address), topics=TOPICS, partitions=3)
    return machine
