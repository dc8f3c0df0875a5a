"""The town that the kit is tried in: a schema of its own in a database of the test's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from shared.kit.address import KafkaAddress
from shared.kit.db import open_database
from shared.kit.migrate import KIT_MIGRATIONS, migrate
from tests.integration.kit.town import Records, Town

SCHEMA = "town"


@pytest.fixture
def records() -> Records:
    return Records()


@pytest.fixture
async def town(bare_database_url: str) -> AsyncIterator[Town]:
    await migrate(bare_database_url, SCHEMA, [KIT_MIGRATIONS])
    connection = await asyncpg.connect(bare_database_url, server_settings={"search_path": SCHEMA})
    await connection.execute(Path(__file__).with_name("town.sql").read_text())
    await connection.close()
    db = await open_database(bare_database_url, SCHEMA)
    yield Town(db, bare_database_url)
    await db.close()


@pytest.fixture
def address(kafka: str, kafka_prefix: str) -> KafkaAddress:
    return KafkaAddress(kafka, kafka_prefix)
