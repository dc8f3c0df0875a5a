"""A known load: submissions over HTTP, in batches and over Kafka, each noted outside of every database."""

import asyncio
import contextlib
import itertools
import json
import random
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self

import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.delivery.kafka.address import KafkaAddress
from tests.faults.callers import Callers, Gate
from tests.faults.journal import Journal
from tests.faults.town import Town

SUBMITTED = "liaison.request.submitted.v1"
TOPIC = "liaison.submissions"
TICK_SECONDS = 0.1
TRIES = 60
SEND_SECONDS = 12.0
MOST_AT_ONCE = 40
AGAIN_SHARE = 0.1
LEFT_UNKNOWN_SHARE = 0.1
REFUSED_SHARE = 0.005


@dataclass(frozen=True, slots=True)
class Rates:
    """Submissions a second by each way, `batch` in one CloudEvents batch; and how many matters are taken further."""

    singles: float = 30.0
    batches: float = 2.0
    batch: int = 25
    kafka: float = 60.0
    walkers: int = 8


@dataclass(slots=True)
class Load:
    """The senders. `go` and `rest` in turns; what was told them is in the journal."""

    town: Town
    journal: Journal
    callers: Callers
    kafka: KafkaAddress
    rates: Rates
    chance: random.Random
    gate: Gate = field(default_factory=Gate)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    paces: list["asyncio.Task[None]"] = field(default_factory=list)
    tasks: set["asyncio.Task[Any]"] = field(default_factory=set)
    on_kafka: bool = True
    sending: int = 0
    faults: list[BaseException] = field(default_factory=list)
    producer: AIOKafkaProducer | None = None
    producing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __aenter__(self) -> Self:
        self.paces = [
            asyncio.create_task(self._pace(self.rates.singles, self._single)),
            asyncio.create_task(self._pace(self.rates.batches, self._batch)),
            asyncio.create_task(self._pace(self.rates.kafka / 10, self._ten_on_kafka)),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in (*self.paces, *self.tasks):
            task.cancel()
        await asyncio.gather(*self.paces, *self.tasks, return_exceptions=True)
        await self._drop_producer()
        await self.callers.close()

    async def _pace(self, rate: float, begin: Callable[[], Awaitable[None]]) -> None:
        """Begin `rate` a second, each by itself; what could not begin in time is left out."""
        owed = 0.0
        under_way: set[asyncio.Task[None]] = set()
        while rate:
            await asyncio.sleep(TICK_SECONDS)
            await self.gate.going.wait()
            owed = min(owed + rate * TICK_SECONDS, rate)
            # Each way by itself: one that waits for Kafka takes no room from the others.
            while owed >= 1 and len(under_way) < MOST_AT_ONCE:
                task = self.begin(begin)
                under_way.add(task)
                task.add_done_callback(under_way.discard)
                owed -= 1
                await asyncio.sleep(0)

    def begin(self, work: Callable[[], Awaitable[Any]]) -> "asyncio.Task[None]":
        """Do something by itself; a fault of the load's own ends the run."""

        async def counted() -> None:
            async with self.gate.work():
                await work()

        task = asyncio.create_task(counted())
        self.tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()):
            self.faults.append(fault)

    async def _single(self) -> None:
        number = next(self.numbers)
        if await self.post(number) is not None and self.chance.random() < AGAIN_SHARE:
            await self._again(number)

    async def _again(self, number: int) -> None:
        """Send it once more, by either way, as a sender does that has lost the answer."""
        if self.on_kafka and self.chance.random() < 0.5:
            await self._send([number])
        else:
            await self.post(number)

    async def post(self, number: int) -> dict[str, Any] | None:
        """Submit over HTTP until it is answered; the answer. Some senders give up after a fault: None."""
        self.journal.sent(number)
        body = self.town.submission(number)
        gives_up = self.chance.random() < LEFT_UNKNOWN_SHARE
        answer = await self.callers.patiently(
            "system", "POST", "/intake/requests", {}, 1 if gives_up else TRIES, json=body
        )
        return None if answer is None else self._take(number, answer, "http")

    def _take(self, number: int, answer: httpx.Response, way: str) -> dict[str, Any] | None:
        if answer.status_code not in (200, 202):
            self.journal.complain(f"submission {number}: {answer.status_code} {answer.text[:200]}")
            return None
        found: dict[str, Any] = answer.json()
        self.journal.ack(number, found["request_id"], way=way)
        return found

    async def _batch(self) -> None:
        numbers = [next(self.numbers) for _ in range(self.rates.batch)]
        # A batch may name one submission twice, and one that came before.
        sent = numbers + [n for n in numbers if self.chance.random() < AGAIN_SHARE]
        for number in sent:
            self.journal.sent(number)
        content = json.dumps([self._envelope(number) for number in sent]).encode()
        headers = {"content-type": "application/cloudevents-batch+json"}
        answer = await self.callers.patiently(
            "system", "POST", "/intake/requests", headers, TRIES, content=content
        )
        if answer is None:
            return
        if answer.status_code != 200:
            self.journal.complain(f"a batch: {answer.status_code} {answer.text[:200]}")
            return
        for number, item in zip(sent, answer.json()["items"], strict=True):
            if item["status"] in (200, 202):
                self.journal.ack(number, item["request_id"], way="batch")
            else:
                self.journal.complain(f"submission {number} in a batch: {item}")

    def _envelope(self, number: int) -> dict[str, Any]:
        source, source_ref = self.town.name(number)
        return {
            "specversion": "1.0",
            "type": SUBMITTED,
            "id": source_ref,
            "source": source,
            "datacontenttype": "application/json",
            "data": self.town.submission(number),
        }

    async def _ten_on_kafka(self) -> None:
        if not self.on_kafka:
            return
        numbers = [next(self.numbers) for _ in range(10)]
        again = [number for number in numbers if self.chance.random() < AGAIN_SHARE]
        if self.chance.random() < 10 * REFUSED_SHARE:
            await self._send_refused()
        left = await self._send(numbers + again)
        for number in left:
            # Whoever hears nothing from Kafka asks over HTTP: it is one request either way.
            self.begin(partial(self.post, number))

    async def _send(self, numbers: Sequence[int]) -> list[int]:
        """Put submissions on Kafka; those that it did not acknowledge."""
        self.sending += 1
        try:
            return await self._send_each(numbers)
        finally:
            self.sending -= 1

    async def _send_each(self, numbers: Sequence[int]) -> list[int]:
        sending: dict[int, asyncio.Future[Any]] = {}
        for number in numbers:
            self.journal.sent(number)
        with contextlib.suppress(KafkaError, TimeoutError, OSError):
            # One time for all of them: while Kafka is away nobody waits for each in turn.
            async with asyncio.timeout(SEND_SECONDS):
                for number in numbers:
                    sending[number] = await self._put(*self._record(number))
                await asyncio.wait(sending.values())
        taken = {number for number, future in sending.items() if _succeeded(future)}
        for number in sorted(taken):
            self.journal.ack(number, None, way="kafka")
        left = sorted(set(numbers) - taken)
        if left:
            await self._drop_producer()
        return left

    async def _send_refused(self) -> None:
        """A submission that its sender must be told is wrong."""
        body = self.town.submission(next(self.numbers))
        body["source_ref"] = f"refused-{uuid.uuid4()}"
        body["requester"]["id"] = "91310117MA20000000"
        try:
            sent = await self._put(json.dumps(body).encode(), None, [])
            await asyncio.wait_for(sent, SEND_SECONDS)
        except (KafkaError, TimeoutError, OSError):
            await self._drop_producer()
        else:
            self.journal.refuse(body["source_ref"])

    def _record(self, number: int) -> tuple[bytes, bytes | None, list[tuple[str, bytes]]]:
        """A submission in one of the forms in which systems send them."""
        source, source_ref = self.town.name(number)
        key = self.chance.choice((None, b"hot", source_ref.encode()))
        match number % 3:
            case 0:
                return json.dumps(self._envelope(number)).encode(), key, []
            case 1:
                headers = [
                    ("ce_specversion", b"1.0"),
                    ("ce_type", SUBMITTED.encode()),
                    ("ce_id", str(uuid.uuid4()).encode()),
                    ("ce_source", source.encode()),
                ]
                return json.dumps(self.town.submission(number)).encode(), key, headers
            case _:
                return json.dumps(self.town.submission(number)).encode(), key, []

    async def _put(
        self, value: bytes, key: bytes | None, headers: list[tuple[str, bytes]]
    ) -> "asyncio.Future[Any]":
        async with self.producing:
            if self.producer is None:
                producer = AIOKafkaProducer(
                    **self.kafka.client(),
                    acks="all",
                    linger_ms=5,
                    request_timeout_ms=8000,
                    metadata_max_age_ms=5000,
                )
                try:
                    await asyncio.wait_for(producer.start(), SEND_SECONDS)
                except BaseException:
                    await stop_quietly(producer)
                    raise
                self.producer = producer
            producer = self.producer
        sending = producer.send(self.kafka.topic(TOPIC), value, key=key, headers=headers)
        found: asyncio.Future[Any] = await asyncio.wait_for(sending, SEND_SECONDS)
        return found

    async def _drop_producer(self) -> None:
        producer, self.producer = self.producer, None
        if producer is not None:
            await stop_quietly(producer)


def _succeeded(future: "asyncio.Future[Any]") -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


async def stop_quietly(client: Any) -> None:
    """Stop a Kafka client whose brokers may be away."""
    with contextlib.suppress(KafkaError, TimeoutError, OSError):
        await asyncio.wait_for(client.stop(), 2)
