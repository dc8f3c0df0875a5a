"""Routing as it runs: a registration on Kafka, an offer on Kafka, an answer over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from services.routing.app import build
from services.routing.settings import Settings
from shared.contracts import topics
from shared.contracts.events.event import Event
from shared.delivery.cloudevents import Message
from shared.runtime.ids import new_id
from tests.integration.routing.conftest import Routing
from tests.integration.routing.samples import registered, withdrawn


@pytest.fixture
def settings(database_url: str, kafka: str, kafka_prefix: str, tokens_file) -> Settings:
    return Settings(
        database_url=database_url, kafka=kafka, topic_prefix=kafka_prefix, tokens_file=tokens_file
    )


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    app = build(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://routing",
            headers={"authorization": "Bearer L001"},
        ) as client,
    ):
        async with asyncio.timeout(30):
            while (await client.get("/readyz")).status_code != 200:
                await asyncio.sleep(0.05)
        yield client


@pytest.fixture
async def said(kafka: str, kafka_prefix: str) -> AsyncIterator[AIOKafkaConsumer]:
    """What routing says on liaison.assignments, from the beginning."""
    consumer = AIOKafkaConsumer(
        f"{kafka_prefix}{topics.ASSIGNMENTS}",
        bootstrap_servers=kafka,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    yield consumer
    await consumer.stop()


@pytest.fixture
async def producer(kafka: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    yield producer
    await producer.stop()


def record(message: Message) -> dict[str, Any]:
    event: Event = message.event
    headers = {
        "ce_specversion": "1.0",
        "ce_id": new_id(),
        "ce_source": "urn:liaison:intake",
        "ce_type": event.wire_type(),
        "ce_time": datetime.now(UTC).isoformat(),
        "ce_subject": message.subject,
        "ce_sequence": str(message.sequence),
    }
    return {
        "key": message.subject.encode(),
        "value": event.model_dump_json().encode(),
        "headers": [(name, value.encode()) for name, value in headers.items()],
    }


async def take(said: AIOKafkaConsumer, matter_id: str, count: int) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    async with asyncio.timeout(20):
        while len(found) < count:
            one = await said.getone()
            if one.key == matter_id.encode():
                headers = {name: value.decode() for name, value in one.headers}
                assert headers["ce_sequence"] == str(len(found) + 1)
                found.append((headers["ce_type"], orjson.loads(one.value)))
    return found


async def test_from_a_registration_to_an_owner(
    routing: Routing,
    client: httpx.AsyncClient,
    producer: AIOKafkaProducer,
    said: AIOKafkaConsumer,
    kafka_prefix: str,
):
    request, taken_back = registered(), registered()
    requests, matters = (f"{kafka_prefix}{topic}" for topic in (topics.REQUESTS, topics.MATTERS))
    for message in (request, taken_back):
        await producer.send_and_wait(requests, **record(message))
    await producer.send_and_wait(matters, **record(withdrawn(taken_back.subject)))
    ((kind, offer),) = await take(said, request.subject, 1)
    assert (kind, offer["party"]["id"]) == ("liaison.offer.made.v1", "L001")
    queue = (await client.get("/routing/queues/me")).json()["items"]
    assert request.subject in [item["matter_id"] for item in queue]
    accepted = await client.post(f"/routing/offers/{offer['offer_id']}/accept")
    assert accepted.status_code == 200
    async with asyncio.timeout(20):
        while len(await routing.events(request.subject)) < 2:
            await asyncio.sleep(0.05)
        while await routing.said(taken_back.subject) != ["offer.made", "offer.rescinded"]:
            await asyncio.sleep(0.05)
        while await routing.rows("select 1 from outbox"):
            await asyncio.sleep(0.05)


async def test_the_timers_act_by_themselves(
    routing: Routing, settings: Settings, client: httpx.AsyncClient
):
    request = registered()
    await routing.take_requests(request, at=datetime(2026, 3, 2, 2, tzinfo=UTC))
    async with asyncio.timeout(10):
        while (await routing.current(request.subject))["attempt"] == 1:
            await asyncio.sleep(0.1)
    assert (await routing.offers(request.subject))[0]["state"] == "timed_out"


async def test_http_is_there_before_kafka_is(database_url: str, tokens_file):
    settings = Settings(database_url=database_url, kafka="127.0.0.1:1", tokens_file=tokens_file)
    app = build(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://routing") as client,
    ):
        assert (await client.get("/healthz")).status_code == 200
        said = (await client.get("/readyz")).json()
        assert said["checks"]["kafka"] is False
        assert said["consumers"] == {
            "liaison.routing": "starting",
            "liaison.routing.commands": "starting",
        }
        answer = await client.get(
            "/routing/queues/me", headers={"authorization": "Bearer coordinator"}
        )
        assert answer.status_code == 200
