"""Topics followed from their end: what comes is told by key, on every partition, and to every reader."""

import asyncio
from contextlib import suppress

from aiokafka import AIOKafkaProducer

from shared.delivery.kafka.address import KafkaAddress
from shared.delivery.kafka.tail import TopicTail
from tests.conftest import MakeTopics

SECONDS = 30.0


class Told:
    """What one reader was told."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.starts = 0
        self.changed = asyncio.Event()

    def note(self, keys: frozenset[str]) -> None:
        self.keys |= keys
        self.changed.set()

    def start(self) -> None:
        self.starts += 1
        self.changed.set()

    async def until(self, keys: set[str]) -> None:
        async with asyncio.timeout(SECONDS):
            while not (keys <= self.keys and self.starts):
                self.changed.clear()
                await self.changed.wait()


async def test_every_reader_is_told_of_what_comes_and_of_nothing_before(
    kafka: str, make_topics: MakeTopics
):
    (topic,) = await make_topics(["tailed"], partitions=3)
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    await producer.send_and_wait(topic, b"{}", key=b"before")
    told = [Told(), Told()]
    tails = [
        TopicTail(KafkaAddress(kafka), "reader", [topic], each.note, each.start) for each in told
    ]
    assert all(tail.hindrances() == {"reader": "starting"} for tail in tails)
    running = [asyncio.create_task(tail.run()) for tail in tails]
    for each in told:
        await each.until(set())
    assert all(tail.hindrances() == {} for tail in tails)
    # A position is asked for when the first records are: some are sent until both readers are there.
    async with asyncio.timeout(SECONDS):
        while any("ready" not in each.keys for each in told):
            for partition in range(3):
                await producer.send_and_wait(topic, b"{}", key=b"ready", partition=partition)
            await asyncio.sleep(0.2)
    for number in range(30):
        key = f"matter-{number}".encode()
        await producer.send_and_wait(topic, b"{}", key=key, partition=number % 3)
    await producer.send_and_wait(topic, b"{}", key=None)
    for each in told:
        await each.until({f"matter-{number}" for number in range(30)})
        assert "before" not in each.keys
    for task in running:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert all(tail.hindrances() == {} for tail in tails), "it may begin again within seconds"
    await producer.stop()
