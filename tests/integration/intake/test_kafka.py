"""Submissions over Kafka: the same rules; who can be told is told, the rest is set aside and holds up nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from services.intake.settings import Settings
from shared.kit.dead_letters import ask, list_letters, mend_letter
from tests.integration.intake.samples import submission

Check = Callable[[], Awaitable[Any]]


async def until(check: Check, seconds: float = 20.0) -> Any:
    """What `check` returns as soon as it is true."""
    async with asyncio.timeout(seconds):
        while not (found := await check()):
            await asyncio.sleep(0.05)
    return found


@pytest.fixture
async def producer(kafka: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    yield producer
    await producer.stop()


@pytest.fixture
async def events(kafka: str, kafka_prefix: str) -> AsyncIterator[AIOKafkaConsumer]:
    """What intake says on liaison.requests, from the beginning."""
    consumer = AIOKafkaConsumer(
        f"{kafka_prefix}liaison.requests", bootstrap_servers=kafka, auto_offset_reset="earliest"
    )
    await consumer.start()
    yield consumer
    await consumer.stop()


@pytest.fixture
async def conn(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "intake"})
    yield connection
    await connection.close()


async def take(events: AIOKafkaConsumer, count: int) -> list[Any]:
    async with asyncio.timeout(20):
        return [await events.getone() for _ in range(count)]


def header(record: Any, name: str) -> str:
    return dict(record.headers)[name].decode()


async def test_a_submission_on_kafka_is_registered_as_over_http(
    intake: httpx.AsyncClient,
    settings: Settings,
    producer: AIOKafkaProducer,
    events: AIOKafkaConsumer,
) -> None:
    sent = submission()
    topic = settings.kafka_address.topic("liaison.submissions")
    for _ in range(2):
        await producer.send_and_wait(topic, json.dumps(sent).encode(), key=b"any")
    (record,) = await take(events, 1)
    assert header(record, "ce_type") == "liaison.request.registered.v1"
    assert header(record, "ce_source") == "urn:liaison:intake"
    assert header(record, "ce_sequence") == "1"
    assert record.key.decode() == header(record, "ce_subject")
    value = json.loads(record.value)
    assert value["matter_id"] == header(record, "ce_subject")
    assert "000-5550-0101" not in record.value.decode()
    again = await intake.post("/intake/requests", json=sent)
    assert (again.status_code, again.json()["request_id"]) == (200, value["request_id"])


async def test_senders_are_told_where_they_can_be(
    intake: httpx.AsyncClient,
    settings: Settings,
    producer: AIOKafkaProducer,
    events: AIOKafkaConsumer,
) -> None:
    topic = settings.kafka_address.topic("liaison.submissions")
    good = submission()
    wrong = submission(kind="riddle")
    changed = good | {"summary": "另一件事"}
    for sent in (good, wrong, changed):
        await producer.send_and_wait(topic, json.dumps(sent).encode(), partition=0)
    records = await take(events, 3)
    told = {header(record, "ce_type").split(".")[2]: json.loads(record.value) for record in records}
    reasons = sorted(
        value["reason"]
        for value in map(lambda r: json.loads(r.value), records)
        if "reason" in value
    )
    assert reasons == ["conflict", "invalid"]
    assert told["rejected"]["source"] == good["source"]


async def test_garbage_ends_in_dead_letters_and_holds_up_nothing(
    intake: httpx.AsyncClient,
    settings: Settings,
    producer: AIOKafkaProducer,
    events: AIOKafkaConsumer,
    conn: asyncpg.Connection,
) -> None:
    topic = settings.kafka_address.topic("liaison.submissions")
    garbage: list[Any] = [
        b"\xff\xfe",
        b"",
        None,
        b"[1]",
        b"{}",
        b'"text"',
        b"{" * 1000,
        b"\x00" * 10,
    ]
    for value in garbage:
        await producer.send_and_wait(
            topic, value, key=b"k", partition=0, headers=[("ce_id", b"\xff"), ("x", b"")]
        )
    await producer.send_and_wait(topic, json.dumps(submission()).encode(), partition=0)
    (record,) = await take(events, 1)
    assert header(record, "ce_type") == "liaison.request.registered.v1"
    letters = await list_letters(conn, 100)
    assert len(letters) == len(garbage)
    assert {letter["fate"] for letter in letters} == {"poison"}


async def test_a_mended_letter_is_replayed(
    intake: httpx.AsyncClient,
    settings: Settings,
    producer: AIOKafkaProducer,
    events: AIOKafkaConsumer,
    conn: asyncpg.Connection,
) -> None:
    topic = settings.kafka_address.topic("liaison.submissions")
    await producer.send_and_wait(topic, b"not JSON")
    (letter,) = await until(lambda: list_letters(conn, 10))
    letter_id: UUID = letter["id"]
    await mend_letter(conn, letter_id, json.dumps(submission()).encode())
    assert await ask(conn, [letter_id], "replay", "O001", "mended") == [letter_id]
    (record,) = await take(events, 1)
    assert header(record, "ce_type") == "liaison.request.registered.v1"

    async def settled() -> bool:
        return not await list_letters(conn, 10)

    await until(settled)
    (done,) = await list_letters(conn, 10, settled=True)
    assert done["state"] == "replayed"
