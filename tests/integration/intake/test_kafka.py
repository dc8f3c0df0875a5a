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
from shared.contracts import topics
from shared.delivery.inbox.dead_letters import ask, list_letters, mend_letter
from tests.integration.intake.samples import submission
from tests.support.content_modes import event, records_of

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


async def test_case_20_whom_the_headers_name_is_told_of_a_value_that_cannot_be_read(
    intake: httpx.AsyncClient,
    settings: Settings,
    producer: AIOKafkaProducer,
    events: AIOKafkaConsumer,
    conn: asyncpg.Connection,
) -> None:
    topic = settings.kafka_address.topic("liaison.submissions")
    good = json.dumps(submission()).encode()
    values: list[Any] = [
        good.replace(b'"summary": "', b'"summary": "\\ud83d', 1),
        b"\xef\xbb\xbf" + good,
        b"\0\0\0\0\7" + good,
        b"[%s]" % good,
        b'{"summary": ' + b"[" * 300 + b"]" * 300 + b"}",
        b"\xff\xfe",
        b"",
        None,
    ]
    for number, value in enumerate(values):
        headers = [("ce_source", b"https://hotline.example"), ("ce_id", b"call-%d" % number)]
        await producer.send_and_wait(topic, value, key=b"k", partition=0, headers=headers)
    await producer.send_and_wait(topic, good, partition=0)
    records = await take(events, len(values) + 1)
    values_told = [json.loads(record.value) for record in records]
    told = [value for value in values_told if "reason" in value]
    assert len(told) == len(values)
    assert len(values_told) - len(told) == 1, "the neighbour is taken"
    by_name = {(value["source"], value["source_ref"]) for value in told}
    whole = json.loads(good)
    # Where the value names itself its own name counts; the headers' name counts where it does not.
    assert by_name >= {("https://hotline.example", f"call-{number}") for number in range(3, 8)}
    assert by_name >= {(whole["source"], whole["source_ref"])}
    assert all(value["faults"][0]["message"] for value in told)
    assert await list_letters(conn, 10) == []


async def test_an_event_is_taken_in_each_content_mode_and_a_foreign_one_refused(
    intake: httpx.AsyncClient,
    settings: Settings,
    producer: AIOKafkaProducer,
    events: AIOKafkaConsumer,
    conn: asyncpg.Connection,
) -> None:
    topic = settings.kafka_address.topic(topics.SUBMISSIONS)
    sent = {}
    for kind in records_of(event({}), topics.SUBMISSIONS):
        data = submission(summary=kind)
        sent[data["source_ref"]] = kind
        raw = records_of(event(data, lang="en"), topics.SUBMISSIONS)[kind]
        await producer.send_and_wait(topic, raw.value, partition=0, headers=list(raw.headers))
        data = submission(summary=f"foreign {kind}")
        sent[data["source_ref"]] = "foreign"
        foreign = event(data, lang="en", type="org.example.other")
        raw = records_of(foreign, topics.SUBMISSIONS)[kind]
        await producer.send_and_wait(topic, raw.value, partition=0, headers=list(raw.headers))
    for record in await take(events, len(sent)):
        value = json.loads(record.value)
        kind = sent.pop(value["source_ref"])
        assert header(record, "ce_causationid") == event({})["id"]
        if kind == "foreign":
            assert header(record, "ce_type") == "liaison.request.rejected.v1"
            assert value["faults"][0]["message"] == "Must be liaison.request.submitted.v1."
        else:
            assert (value["summary"], "reason" in value) == (kind, False)
    assert sent == {}
    assert await list_letters(conn, 10) == []


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
