"""How records that come one by one are put together into batches, on a real broker."""

import asyncio
from collections.abc import Sequence

from shared.contracts import topics
from shared.delivery.cloudevents import Raw
from shared.delivery.kafka.address import KafkaAddress
from shared.delivery.kafka.consumer import Consumer
from shared.delivery.kafka.fetching import READ_AHEAD_BYTES
from tests.integration.delivery.town import Records
from tests.integration.delivery.wire import as_bool, send, under_way, until


class Sizes:
    """Takes everything in, holds up the first batch until it is told to go on, and notes how many came together."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.go_on = asyncio.Event()

    async def process(self, raws: Sequence[Raw]) -> None:
        self.sizes.append(len(raws))
        await self.go_on.wait()

    async def has(self, count: int) -> bool:
        return sum(self.sizes) == count


async def test_what_comes_while_a_small_batch_is_at_work_comes_together(
    records: Records, address: KafkaAddress
):
    """aiokafka would have read the first of them ahead, alone, and the others after that one's batch."""
    taking = Sizes()
    async with under_way(Consumer(address, "town", [topics.REQUESTS], taking.process).run):
        await send(address, records.matter("first", [1]))
        await until(lambda: as_bool(taking.sizes))
        for number in range(8):
            await send(address, records.matter(f"m{number}", [1]))
        # Longer than a fetch waits for records.
        await asyncio.sleep(0.3)
        taking.go_on.set()
        await until(lambda: taking.has(9))
    assert taking.sizes == [1, 8]


async def test_after_a_small_batch_records_gather_where_that_is_wanted(
    records: Records, address: KafkaAddress
):
    taking = Sizes()
    taking.go_on.set()
    consumer = Consumer(address, "town", [topics.REQUESTS], taking.process, linger_seconds=3)
    async with under_way(consumer.run):
        await send(address, records.matter("first", [1]))
        await until(lambda: as_bool(taking.sizes))
        for number in range(8):
            await send(address, records.matter(f"m{number}", [1]))
        await until(lambda: taking.has(9))
    assert taking.sizes == [1, 8]


async def test_a_record_larger_than_what_is_read_ahead_is_read(
    records: Records, address: KafkaAddress
):
    """It comes alone, and what lies before and behind it is not held up."""
    [small, after] = records.matter("a", [1, 2])
    large = Raw(small.topic, 0, 0, b"a", b"x" * (READ_AHEAD_BYTES * 3 // 2), ())
    taking = Sizes()
    taking.go_on.set()
    async with under_way(Consumer(address, "town", [topics.REQUESTS], taking.process).run):
        await send(address, [small, large, after])
        await until(lambda: taking.has(3))
