"""One town for all SDKs, and what is heard of what they send."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.jobs.topics import ensure_topics
from deploy.local.embedded.postgres import Postgres
from shared.contracts import topics
from shared.contracts.topics import TOPICS
from shared.delivery.kafka.address import KafkaAddress
from tests.clients.sdks.programs import Message
from tests.conftest import fresh_database
from tests.flow.processes import Stack, write_tokens
from tests.flow.town import Town

PREFIX = "sdks."
HEARD_SECONDS = 60.0


class Wire:
    """Sends messages as they are, and keeps what the services say of them, by whom it names."""

    def __init__(self, kafka: str) -> None:
        self._producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all")
        self._consumer = AIOKafkaConsumer(
            f"{PREFIX}{topics.REQUESTS}",
            f"{PREFIX}{topics.REPLIES}",
            bootstrap_servers=kafka,
            auto_offset_reset="earliest",
        )
        self._heard: dict[str, tuple[dict[str, Any], dict[str, str]]] = {}

    async def start(self) -> None:
        await self._producer.start()
        await self._consumer.start()

    async def stop(self) -> None:
        await self._producer.stop()
        await self._consumer.stop()

    async def send(self, topic: str, message: Message) -> None:
        await self._producer.send_and_wait(
            f"{PREFIX}{topic}", message.body, headers=list(message.headers)
        )

    async def heard(self, name: str) -> tuple[dict[str, Any], dict[str, str]]:
        """The first event about a submission (its `source_ref`) or a command (its id), and its headers."""
        async with asyncio.timeout(HEARD_SECONDS):
            while name not in self._heard:
                record = await self._consumer.getone()
                value: dict[str, Any] = json.loads(record.value)
                about = value.get("source_ref") or value.get("command_id") or ""
                headers = {key: text.decode() for key, text in record.headers}
                self._heard.setdefault(about, (value, headers))
        return self._heard[name]


@pytest.fixture(scope="session")
async def stack(
    postgres_server: Postgres,
    migrated_template: str,
    kafka: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Stack]:
    folder = tmp_path_factory.mktemp("sdks")
    write_tokens(folder / "tokens.json")
    await ensure_topics(KafkaAddress(kafka, PREFIX), topics=TOPICS, partitions=3)
    async for url in fresh_database(postgres_server, migrated_template):
        environment = {
            "LIAISON_DATABASE_URL": url,
            "LIAISON_KAFKA": kafka,
            "LIAISON_TOPIC_PREFIX": PREFIX,
            "LIAISON_TOKENS_FILE": str(folder / "tokens.json"),
        }
        stack = Stack(environment, folder)
        try:
            await stack.start()
            yield stack
        finally:
            stack.stop()


@pytest.fixture(scope="session")
async def town(stack: Stack, kafka: str) -> AsyncIterator[Town]:
    async with Town(stack, kafka, PREFIX) as settled:
        await settled.settle_in()
        yield settled


@pytest.fixture(scope="session")
async def wire(kafka: str, town: Town) -> AsyncIterator[Wire]:
    made = Wire(kafka)
    await made.start()
    yield made
    await made.stop()
