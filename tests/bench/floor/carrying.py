"""One loop of the floor: a batch of records, one transaction, the messages that follow from it, the offsets."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from shared.contracts.topics import MAX_MESSAGE_BYTES

MAX_RECORDS = 500
WAIT_MS = 200


@dataclass(frozen=True, slots=True)
class Out:
    """A message to send: the key is its subject."""

    topic: str
    key: str
    value: bytes
    headers: list[tuple[str, bytes]]


Take = Callable[[asyncpg.Connection, Sequence[ConsumerRecord]], Awaitable[Sequence[Out]]]


async def carry(service: str, group: str, topics: Sequence[str], take: Take) -> None:
    """Consume `topics` for ever; `take` writes a batch's rows and says what is to be sent."""
    prefix, bootstrap = os.environ["LIAISON_TOPIC_PREFIX"], os.environ["LIAISON_KAFKA"]
    conn = await asyncpg.connect(
        os.environ["LIAISON_DATABASE_URL"], server_settings={"search_path": service}
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        acks="all",
        linger_ms=2,
        max_batch_size=256 * 1024,
        max_request_size=MAX_MESSAGE_BYTES // 2,
    )
    consumer = AIOKafkaConsumer(
        *(prefix + topic for topic in topics),
        bootstrap_servers=bootstrap,
        group_id=f"{prefix}{group}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
        max_partition_fetch_bytes=2 * MAX_MESSAGE_BYTES,
    )
    await producer.start()
    await consumer.start()
    print("ready", flush=True)  # noqa: T201 - whoever started it waits for this
    while True:
        found = await consumer.getmany(timeout_ms=WAIT_MS, max_records=MAX_RECORDS)
        records = [record for batch in found.values() for record in batch]
        if not records:
            continue
        async with conn.transaction():
            outs = await take(conn, records)
        await _send(producer, prefix, outs)
        await consumer.commit()


async def _send(producer: AIOKafkaProducer, prefix: str, outs: Sequence[Out]) -> None:
    sent = [
        await producer.send(prefix + out.topic, out.value, out.key.encode(), headers=out.headers)
        for out in outs
    ]
    await asyncio.gather(*sent)
