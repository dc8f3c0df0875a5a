"""Very many small records, fast: what other systems send, and what intake says of it, without intake."""

import asyncio
import itertools
import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer

from tests.faults.town import Town

BATCH_BYTES = 512 * 1024
IN_FLIGHT = 24
SEND_SECONDS = 60.0
SMALL = {"summary": "路灯不亮", "detail": "请修"}
AT = "2026-03-02T01:30:00Z"

Headers = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Bulk:
    """A record to send; `key` is what it is about."""

    key: bytes
    value: bytes
    headers: Headers


async def send_all(
    bootstrap: str, topic: str, partitions: Sequence[int], records: Iterator[Bulk]
) -> None:
    """Send records in large batches, one partition after the other, acknowledged by all replicas.

    A record goes wherever its batch goes: no two of `records` may be of one key.
    """
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", max_batch_size=BATCH_BYTES, max_request_size=2**21
    )
    await asyncio.wait_for(producer.start(), SEND_SECONDS)
    sending: set[asyncio.Future[Any]] = set()
    try:
        for partition in itertools.cycle(partitions):
            batch = _filled(producer, records)
            if batch is None:
                break
            sending.add(await producer.send_batch(batch, topic, partition=partition))
            if len(sending) >= IN_FLIGHT:
                done, sending = await asyncio.wait(
                    sending, timeout=SEND_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                for sent in done:
                    sent.result()
        await asyncio.wait_for(asyncio.gather(*sending), SEND_SECONDS)
    finally:
        await producer.stop()


def _filled(producer: AIOKafkaProducer, records: Iterator[Bulk]) -> Any:
    batch = producer.create_batch()
    count = 0
    for record in records:
        batch.append(timestamp=None, key=record.key, value=record.value, headers=record.headers)
        count += 1
        if batch.size() > BATCH_BYTES - 8192:
            break
    return batch if count else None


def submissions(town: Town, count: int) -> Iterator[Bulk]:
    """Submissions of other systems, each another one."""
    value = _with_places(town.submission(0) | SMALL | {"source_ref": "@"})
    for number in range(count):
        name = b"%d" % number
        yield Bulk(name, value(name), [])


def registrations(town: Town, count: int, *, source: str = "urn:liaison:intake") -> Iterator[Bulk]:
    """What intake says of as many requests: each opens a matter."""
    asked = town.submission(0) | SMALL | {"source_ref": "@", "request_id": "@", "matter_id": "@"}
    asked |= {"received_at": AT, "actor": {"role": "system", "party": "https://load.example"}}
    value = _with_places(asked)
    fixed: Headers = [
        ("ce_specversion", b"1.0"),
        ("ce_source", source.encode()),
        ("ce_type", b"liaison.request.registered.v1"),
        ("ce_time", AT.encode()),
        ("ce_sequence", b"1"),
        ("content-type", b"application/json"),
    ]
    for _ in range(count):
        # Random ones are drawn fast enough, and say nothing of an order.
        name = str(uuid.uuid4()).encode()
        yield Bulk(name, value(name), [*fixed, ("ce_id", name), ("ce_subject", name)])


def _with_places(document: dict[str, Any]) -> Callable[[bytes], bytes]:
    """A maker of JSON that has a name in place of each `@`."""
    parts = json.dumps(document, ensure_ascii=False).encode().split(b"@")
    return lambda name: name.join(parts)
