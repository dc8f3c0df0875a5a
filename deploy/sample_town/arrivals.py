"""Submits the town's requests as other systems do: over HTTP one by one, as a CloudEvents batch, and over Kafka."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from deploy.sample_town.calls import Calls
from deploy.sample_town.town import Story
from shared.contracts import topics
from shared.contracts.cloudevents import SUBMITTED_TYPE
from shared.contracts.events.requests import RequestRegistered, RequestRejected

REGISTRATION_SECONDS: Final = 90.0
SEND_TIMEOUT_MS: Final = 20_000
LARGEST_BATCH: Final = 100


class NotTaken(Exception):
    """A request was not registered; its text says why."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A registered request: its id, which is also its matter's, and its receipt."""

    request_id: str
    receipt: str


def groups(stories: Sequence[Story]) -> list[list[Story]]:
    """Yield the stories in order as they are submitted: neighbours of a batch together, others one by one."""
    found: list[list[Story]] = []
    for via, neighbours in groupby(stories, key=lambda story: story.via):
        together = list(neighbours)
        size = LARGEST_BATCH if via == "batch" else 1
        found += [together[at : at + size] for at in range(0, len(together), size)]
    return found


async def post(calls: Calls, story: Story) -> Taken:
    """Submit one request over HTTP; repeating it is harmless. Raises Refused."""
    answer = await calls.write(
        "POST", "/intake/requests", dict(story.submission), token=calls.tokens.system
    )
    return Taken(answer["request_id"], answer["receipt"])


async def post_batch(calls: Calls, batch: Sequence[Story]) -> list[Taken | NotTaken]:
    """Submit many requests in one call as CloudEvents; each has its own result. Raises Refused."""
    answer = await calls.write(
        "POST",
        "/intake/requests",
        [_envelope(story) for story in batch],
        token=calls.tokens.system,
        headers={"content-type": "application/cloudevents-batch+json"},
    )
    return [_one_of_many(item) for item in answer["items"]]


def _one_of_many(item: Mapping[str, Any]) -> Taken | NotTaken:
    if "receipt" in item:
        return Taken(item["request_id"], item["receipt"])
    return NotTaken(json.dumps(item, ensure_ascii=False)[:300])


def _envelope(story: Story) -> dict[str, Any]:
    source, _ = story.key
    return {
        "specversion": "1.0",
        "id": event_id(story),
        "source": source,
        "type": SUBMITTED_TYPE,
        "datacontenttype": "application/json",
        "data": story.submission,
    }


def event_id(story: Story) -> str:
    """Return an event id that is equal for equal submissions."""
    return str(uuid5(NAMESPACE_URL, "/".join(story.key)))


class Post:
    """Submits requests over Kafka and reads the results on `liaison.requests`."""

    def __init__(self, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer) -> None:
        self._producer = producer
        self._consumer = consumer
        self._answers: dict[tuple[str, str], asyncio.Future[str]] = {}

    async def send(self, story: Story) -> None:
        """Send one submission to Kafka; returns when it is acknowledged. Raises KafkaError."""
        source, _ = story.key
        headers = {
            "ce_specversion": "1.0",
            "ce_id": event_id(story),
            "ce_source": source,
            "ce_type": SUBMITTED_TYPE,
            "ce_time": datetime.now(UTC).isoformat(),
            "content-type": "application/json",
        }
        await self._producer.send_and_wait(
            topics.SUBMISSIONS,
            json.dumps(story.submission, ensure_ascii=False).encode(),
            key=story.name.encode(),
            headers=[(name, value.encode()) for name, value in headers.items()],
        )

    async def registered(self, story: Story) -> str:
        """Return the id of the registered request. Raises NotTaken when it was rejected or no event arrives."""
        try:
            async with asyncio.timeout(REGISTRATION_SECONDS):
                return await asyncio.shield(self._answer(story.key))
        except TimeoutError:
            raise NotTaken(f"nothing heard for {REGISTRATION_SECONDS:.0f} s") from None

    def _answer(self, key: tuple[str, str]) -> asyncio.Future[str]:
        return self._answers.setdefault(key, asyncio.get_running_loop().create_future())

    async def listen(self) -> None:
        """Read `liaison.requests` from its beginning until cancelled. Raises KafkaError."""
        async for record in self._consumer:
            self._hear(record)

    def _hear(self, record: ConsumerRecord) -> None:
        wire_type = dict(record.headers).get("ce_type", b"").decode()
        if wire_type not in (RequestRegistered.wire_type(), RequestRejected.wire_type()):
            return
        data = json.loads(record.value)
        answer = self._answer((data["source"], data["source_ref"]))
        if answer.done():
            return
        if wire_type == RequestRegistered.wire_type():
            answer.set_result(data["request_id"])
        else:
            answer.set_exception(NotTaken(f"{data['reason']} {data.get('faults') or ''}"))
            # Nobody may be waiting for it: other senders' requests are rejected here too.
            answer.exception()


@asynccontextmanager
async def connect(bootstrap: str) -> AsyncIterator[Post]:
    """Connect a producer and a consumer. Raises KafkaError when the broker is unreachable."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        request_timeout_ms=SEND_TIMEOUT_MS,
        client_id="sample-town",
    )
    # Without a group: it is to read everything, and leaves nothing behind on the broker.
    consumer = AIOKafkaConsumer(
        topics.REQUESTS,
        bootstrap_servers=bootstrap,
        group_id=None,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        client_id="sample-town",
    )
    try:
        await producer.start()
        await consumer.start()
        post_office = Post(producer, consumer)
        listening = asyncio.create_task(post_office.listen())
        try:
            yield post_office
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
    finally:
        await consumer.stop()
        await producer.stop()
