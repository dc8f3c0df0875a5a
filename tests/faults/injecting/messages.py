"""What strangers put on the topics: copies at the wrong time and records that nobody can use."""

import asyncio
import contextlib
import json
import random
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import KafkaError

from tests.faults.load import stop_quietly
from tests.faults.stand import Stand
from tests.faults.topics import MARK

SEND_SECONDS = 15.0
ROUND_SECONDS = 0.5
MOST_COPIES = 500
REFUSED = (413, 422)
Headers = list[tuple[str, bytes | None]]

READERS = {
    "liaison.submissions": ("intake",),
    "liaison.requests": ("routing", "followup"),
    "liaison.assignments": ("followup",),
    "liaison.matters": ("routing", "intake"),
    # What is no command of anybody's is kept by one service.
    "liaison.commands": ("routing",),
}
TYPES = {
    "liaison.requests": "liaison.request.registered.v1",
    "liaison.assignments": "liaison.offer.made.v1",
    "liaison.matters": "liaison.matter.opened.v1",
}


@contextlib.asynccontextmanager
async def producing(stand: Stand) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that sends each record once."""
    producer = AIOKafkaProducer(
        bootstrap_servers=stand.cluster.bootstrap,
        enable_idempotence=True,
        max_request_size=2 * 1024 * 1024,
    )
    try:
        await asyncio.wait_for(producer.start(), SEND_SECONDS)
        yield producer
    finally:
        await stop_quietly(producer)


async def copied(stand: Stand, seconds: float) -> None:
    """Every tenth record is sent again: at once, later, and in another order."""
    stand.reader.recent.clear()
    stand.reader.keeping = True
    later: list[ConsumerRecord] = []
    begun = time.monotonic()
    # When Kafka is away there is nothing to copy it to.
    with contextlib.suppress(KafkaError, TimeoutError):
        async with producing(stand) as producer:
            while (passed := time.monotonic() - begun) < seconds:
                await asyncio.sleep(ROUND_SECONDS)
                taken, stand.reader.recent = stand.reader.recent[:MOST_COPIES], []
                later += taken
                stand.chance.shuffle(taken)
                if passed >= seconds / 2:
                    taken, later = taken + later, []
                await asyncio.wait_for(_send_again(producer, taken), SEND_SECONDS)
    stand.reader.keeping = False


async def _send_again(producer: AIOKafkaProducer, records: Sequence[ConsumerRecord]) -> None:
    sent = [
        await producer.send(
            record.topic,
            record.value,
            key=record.key,
            partition=record.partition,
            headers=list(record.headers),
        )
        for record in records
    ]
    await asyncio.gather(*sent)


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that its readers must set aside."""

    topic: str
    value: bytes | None
    headers: Headers
    key: bytes | None = None
    mark: str = field(default_factory=lambda: str(uuid.uuid4()))


async def poisoned(stand: Stand) -> None:
    """One of each kind on each topic, with good records before and behind."""
    victims = [str(each) for each in list(stand.checker.ids.values())[-50:]]
    await _posted(stand)
    async with producing(stand) as producer:
        for poison in every_kind(stand.chance, victims or [str(uuid.uuid4())]):
            mark = (MARK, poison.mark.encode())
            stand.checker.maybe.add(poison.mark)
            sending = producer.send_and_wait(
                stand.prefix + poison.topic,
                poison.value,
                key=poison.key,
                headers=[*poison.headers, mark],
            )
            with contextlib.suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(sending, SEND_SECONDS)
                stand.checker.poison[poison.mark] = READERS[poison.topic]


async def _posted(stand: Stand) -> None:
    """The same over HTTP: each is refused, and nothing of it is kept."""
    good = stand.load.town.submission(0) | {"source": "urn:stranger"}
    bodies = [
        b"{",
        b"\xff\xfe\x00",
        b"[" * 50_000,
        json.dumps(good | {"summary": "x" * 1_000_000}).encode(),
        json.dumps(good | {"summary": "a\0b"}).encode(),
        json.dumps(good | {"occurred_at": "9999-12-31T23:59:59-23:59"}).encode(),
        json.dumps(good | {"occurred_at": "0000-00-00T00:00:00Z"}).encode(),
        b" " * (9 * 1024 * 1024),
    ]
    for body in bodies:
        answer = await stand.load.callers.once(
            "system", "POST", "/intake/requests", {"content-type": "application/json"}, content=body
        )
        if answer is not None and answer.status_code not in REFUSED:
            stand.load.journal.complain(f"a bad body of {len(body)}: {answer.status_code}")


def every_kind(chance: random.Random, victims: Sequence[str]) -> Iterator[Poison]:
    """Records that cannot be used, some of them under the name of a matter that exists."""
    yield from _submissions()
    for topic, wire_type in TYPES.items():
        for value in _values():
            yield Poison(topic, value, _headers(chance.choice(victims), wire_type), key=b"any")
        for headers in _bad_headers(chance.choice(victims), wire_type):
            yield Poison(topic, b"{}", headers, key=chance.choice((None, b"\xff\xfe")))


def _submissions() -> Iterator[Poison]:
    for value in _values():
        yield Poison("liaison.commands", value, [("ce_type", b"\xff\xfe")], key=b"any")
    topic = "liaison.submissions"
    for value in (*_values(), b"null", b"[]", b'"text"', b"1"):
        yield Poison(topic, value, [], key=b"any")
    yield Poison(topic, b"{}", [("ce_type", b"liaison.request.submitted.v9")])
    yield Poison(topic, b"{}", [("ce_source", b"\xff\xfe"), ("ce_id", None)])
    yield Poison(topic, b"{}", [("anything", b"\xff\xfe"), ("nothing", None)])


def _values() -> Iterator[bytes | None]:
    yield None
    yield b""
    yield b"{"
    yield b"\xff\xfe\x00"
    yield b"\0" * 64
    yield b"[" * 50_000
    yield json.dumps({"summary": "x" * 1_000_000}).encode()
    yield json.dumps({"summary": "x" * 1_500_000}).encode()
    yield json.dumps({"summary": "a\0b", "occurred_at": "9999-12-31T23:59:59-23:59"}).encode()
    yield json.dumps({"received_at": "0000-00-00T00:00:00Z", "round": 10**30}).encode()


def _headers(subject: str, wire_type: str, **changes: bytes | None) -> Headers:
    headers: dict[str, bytes | None] = {
        "ce_specversion": b"1.0",
        "ce_id": str(uuid.uuid4()).encode(),
        "ce_source": b"urn:stranger",
        "ce_type": wire_type.encode(),
        "ce_time": b"2026-01-01T00:00:00+00:00",
        "ce_subject": subject.encode(),
        "ce_sequence": b"1",
    } | changes
    return list(headers.items())


def _bad_headers(subject: str, wire_type: str) -> Iterator[Headers]:
    yield []
    yield _headers(subject, "liaison.request.registered.v2")
    yield _headers(subject, "nonsense")
    yield _headers(subject, "liaison.dead_letter.recorded.v1")
    yield _headers(subject, wire_type, ce_type=b"\xff\xfe")
    yield _headers(subject, wire_type, ce_id=None)
    yield _headers(subject, wire_type, ce_id=b"7")
    yield _headers(subject, wire_type, ce_time=b"+99999-01-01T00:00:00Z")
    yield _headers(subject, wire_type, ce_time=b"0001-01-01T00:00:00+23:59")
    yield _headers(subject, wire_type, ce_sequence=b"-1")
    yield _headers(subject, wire_type, ce_sequence=b"9" * 40)
    yield _headers(subject, wire_type, ce_subject=b"a\0b")
    yield _headers(subject, wire_type, ce_subject=b"x" * 5000)
    yield _headers(subject, wire_type, anything=b"\xff\xfe", nothing=None)
