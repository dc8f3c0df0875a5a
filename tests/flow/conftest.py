"""A small town on the three services, each in a process of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.embedded.postgres import Postgres
from tests.conftest import fresh_database
from tests.flow.processes import Stack, write_tokens
from tests.flow.town import Town


@pytest.fixture
async def stack(
    postgres_server: Postgres,
    migrated_template: str,
    kafka: str,
    kafka_prefix: str,
    tmp_path: Path,
) -> AsyncIterator[Stack]:
    tokens = tmp_path / "tokens.json"
    write_tokens(tokens)
    async for url in fresh_database(postgres_server, migrated_template):
        environment = {
            "LIAISON_DATABASE_URL": url,
            "LIAISON_KAFKA": kafka,
            "LIAISON_TOPIC_PREFIX": kafka_prefix,
            "LIAISON_TOKENS_FILE": str(tokens),
            # All that is tried comes from this one address.
            "LIAISON_WRONG_RECEIPTS_PER_MINUTE": "1000000",
        }
        stack = Stack(environment, tmp_path)
        try:
            await stack.start()
            yield stack
        finally:
            stack.stop()


@pytest.fixture
async def town(stack: Stack, kafka: str, kafka_prefix: str) -> AsyncIterator[Town]:
    async with Town(stack, kafka, kafka_prefix) as town:
        await town.settle_in()
        yield town
