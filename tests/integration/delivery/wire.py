"""What the tests read and write on the broker, and how they wait."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from shared.delivery.cloudevents import Raw
from shared.delivery.kafka.address import KafkaAddress


async def until(check: Callable[[], Awaitable[Any]], seconds: float = 45.0) -> Any:
    """What `check` returns as soon as it is true. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not (found := await check()):
            await asyncio.sleep(0.02)
    return found


async def as_bool(value: object) -> bool:
    return bool(value)


@asynccontextmanager
async def under_way(work: Callable[[], Awaitable[None]]):
    """Run `work` beside the block and end it afterwards; what it raised is not hidden."""
    task = asyncio.ensure_future(work())
    try:
        yield task
    finally:
        task.cancel()
        results = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(results[0], asyncio.CancelledError | None), results


async def read_records(
    kafka: KafkaAddress, topics: Sequence[str], count: int, seconds: float = 45.0
) -> list[ConsumerRecord]:
    """The first `count` records of these topics, each partition in order."""
    counted = itertools.count(1)
    return await read_until(kafka, topics, lambda item: next(counted) >= count, seconds)


async def read_until(
    kafka: KafkaAddress,
    topics: Sequence[str],
    is_last: Callable[[ConsumerRecord], bool],
    seconds: float = 45.0,
) -> list[ConsumerRecord]:
    """The records of these topics from their begin, each partition in order, up to one that is the last."""
    consumer = AIOKafkaConsumer(
        *(kafka.topic(name) for name in topics),
        bootstrap_servers=kafka.bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    found: list[ConsumerRecord] = []
    try:
        async with asyncio.timeout(seconds):
            while True:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    for item in records:
                        found.append(item)
                        if is_last(item):
                            return found
    finally:
        await consumer.stop()


async def send(kafka: KafkaAddress, raws: Sequence[Raw]) -> None:
    """Send records as they are, in order."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all")
    await producer.start()
    try:
        for raw in raws:
            await producer.send(
                kafka.topic(raw.topic),
                value=raw.value,
                key=raw.key,
                headers=list(raw.headers),
            )
        await producer.flush()
    finally:
        await producer.stop()
