"""The consumer on a real broker: nothing lost at a fault, a stop or a change of hands."""

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.contracts import topics
from shared.delivery.cloudevents import Raw
from shared.delivery.kafka import consumer as kafka_module
from shared.delivery.kafka.address import KafkaAddress
from shared.delivery.kafka.consumer import Consumer
from shared.delivery.kafka.fetching import WAIT_MS
from tests.integration.delivery.town import Records, Town
from tests.integration.delivery.wire import as_bool, send, under_way, until


@pytest.fixture
def consumer(address: KafkaAddress, town: Town) -> Consumer:
    return Consumer(address, "town", [topics.REQUESTS, topics.ASSIGNMENTS], town.inbound.process)


async def committed(address: KafkaAddress, topic: str) -> int:
    """How many records of a topic the town's group has acknowledged."""
    reader = AIOKafkaConsumer(
        bootstrap_servers=address.bootstrap,
        group_id=f"{address.prefix}liaison.town",
        enable_auto_commit=False,
    )
    await reader.start()
    try:
        offsets = [
            await reader.committed(TopicPartition(address.topic(topic), n)) for n in range(3)
        ]
    finally:
        await reader.stop()
    return sum(offset or 0 for offset in offsets)


async def test_records_are_taken_in_and_acknowledged(
    town: Town, records: Records, consumer: Consumer, address: KafkaAddress
):
    await send(address, [raw for n in range(20) for raw in records.matter(f"m{n}", [1, 2, 3])])
    async with under_way(consumer.run):
        await until(lambda: has_applied(town, 60))
        await until(lambda: has_committed(address, 60))
    assert all([await town.versions(f"m{n}") == [1, 2, 3] for n in range(20)])


async def has_applied(town: Town, count: int) -> bool:
    return len(await town.applied()) >= count


async def has_committed(address: KafkaAddress, count: int) -> bool:
    return await committed(address, topics.REQUESTS) == count


async def test_what_was_there_before_the_group_is_read_too(
    town: Town, records: Records, consumer: Consumer, address: KafkaAddress
):
    await send(address, records.matter("a", [1, 2]))
    async with under_way(consumer.run):
        await until(lambda: has_applied(town, 2))


async def test_it_waits_where_records_arrive_and_not_after(
    town: Town,
    records: Records,
    consumer: Consumer,
    address: KafkaAddress,
    monkeypatch: pytest.MonkeyPatch,
):
    """After a time-out FastStream pauses, and what comes meanwhile waits for its end."""
    waits: list[int] = []
    getmany = AIOKafkaConsumer.getmany

    async def noted(self, *partitions, timeout_ms=0, max_records=None):
        waits.append(timeout_ms)
        return await getmany(self, *partitions, timeout_ms=timeout_ms, max_records=max_records)

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", noted)
    await send(address, records.matter("a", [1, 2]))
    async with under_way(consumer.run):
        await until(lambda: has_applied(town, 2))
    assert waits
    assert set(waits) == {WAIT_MS}


async def test_headers_that_faststream_cannot_read_lose_nothing(
    town: Town, records: Records, consumer: Consumer, address: KafkaAddress
):
    """A header that is not UTF-8 or null, in the middle of good records, and a tombstone."""
    good = records.matter("a", [1, 2, 3, 4])
    bad = [
        Raw(good[0].topic, 0, 0, b"a", b"{}", (*good[0].headers, ("reply_to", b"\xff\xfe"))),
        Raw(good[0].topic, 0, 0, b"a", b"{}", (("ce_type", None), ("correlation_id", None))),
        Raw(good[0].topic, 0, 0, b"a", None, ()),
        Raw(good[0].topic, 0, 0, None, b"1", (("content-type", b"application/json"),)),
    ]
    await send(address, [good[0], bad[0], good[1], bad[1], good[2], bad[2], bad[3], good[3]])
    async with under_way(consumer.run):
        await until(lambda: has_applied(town, 4))
        await until(lambda: has_letters(town, 4))
        await until(lambda: has_committed(address, 8))
    letters = await town.letters()
    assert [row["fate"] for row in letters] == ["poison"] * 4
    assert {bytes(row["value"]) if row["value"] is not None else None for row in letters} == {
        b"{}",
        None,
        b"1",
    }
    assert await town.versions("a") == [1, 2, 3, 4]


async def has_letters(town: Town, count: int) -> bool:
    return len(await town.letters()) == count


ODD = """
import asyncio, os, sys
os.environ["AIOKAFKA_NO_EXTENSIONS"] = "1"
from aiokafka import AIOKafkaProducer

class Odd(str):
    def encode(self, *how):
        return bytes([255, 254])

async def main(bootstrap, topic):
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    for partition in range(3):
        await producer.send(topic, b"{}", headers=[(Odd("x"), b"1")], partition=partition)
    await producer.stop()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_headers_whose_name_is_not_utf8_lose_nothing(
    town: Town, records: Records, consumer: Consumer, address: KafkaAddress
):
    """aiokafka cannot unpack such a record, in any partition, with good ones before and after it."""
    names = [f"m{number}" for number in range(12)]
    await send(address, [raw for name in names for raw in records.matter(name, [1])])
    sender = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ODD, address.bootstrap, address.topic(topics.REQUESTS)
    )
    assert await sender.wait() == 0
    await send(address, [raw for name in names for raw in records.matter(name, [2])])
    async with under_way(consumer.run):
        await until(lambda: has_letters(town, 3))
        await until(lambda: has_committed(address, 27))
    assert all([await town.versions(name) == [1, 2] for name in names])
    letters = await town.letters()
    assert {row["partition"] for row in letters} == {0, 1, 2}
    assert all("UnicodeDecodeError" in row["reason"] for row in letters)


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_senders_may_compress_as_they_like(
    town: Town, records: Records, consumer: Consumer, address: KafkaAddress, codec: str
):
    producer = AIOKafkaProducer(bootstrap_servers=address.bootstrap, compression_type=codec)
    await producer.start()
    for raw in records.matter("a", [1, 2, 3]):
        topic = address.topic(raw.topic)
        await producer.send(topic, raw.value, raw.key, headers=list(raw.headers))
    await producer.stop()
    async with under_way(consumer.run):
        await until(lambda: has_applied(town, 3))


class Taking:
    """A way in that does what the test says and counts what it was given."""

    def __init__(self, answer: Callable[[Sequence[Raw]], object]) -> None:
        self.answer = answer
        self.given: Counter[tuple[int, int]] = Counter()
        self.at_work: Counter[tuple[int, int]] = Counter()
        self.together: list[tuple[int, int]] = []

    async def process(self, raws: Sequence[Raw]) -> None:
        places = [(raw.partition, raw.offset) for raw in raws]
        self.given.update(places)
        self.at_work.update(places)
        self.together += [place for place in places if self.at_work[place] > 1]
        try:
            await self.answer(raws)
        finally:
            self.at_work.subtract(places)


async def test_a_fault_is_followed_by_the_same_records(
    records: Records, address: KafkaAddress, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(kafka_module, "AGAIN_SECONDS", 0.05)
    calls = 0

    async def fail_twice(raws: Sequence[Raw]) -> None:
        nonlocal calls
        calls += 1
        if calls < 3:
            raise ValueError("not this time")

    taking = Taking(fail_twice)
    await send(address, records.matter("a", range(1, 6)))
    consumer = Consumer(address, "town", [topics.REQUESTS], taking.process)
    async with under_way(consumer.run):
        await until(lambda: has_committed(address, 5))
    assert len(taking.given) == 5
    assert set(taking.given.values()) == {3}


async def test_a_fault_does_not_spin(records: Records, address: KafkaAddress):
    """Without a pause the same records would be read a thousand times a second, and nobody would be told."""

    async def fail(raws: Sequence[Raw]) -> None:
        raise ValueError("never")

    taking = Taking(fail)
    await send(address, records.matter("a", [1]))
    async with under_way(Consumer(address, "town", [topics.REQUESTS], taking.process).run):
        await until(lambda: as_bool(taking.given))
        await asyncio.sleep(2.5)
    assert sum(taking.given.values()) <= 5


async def test_a_stop_in_the_middle_of_a_batch_is_bounded_and_loses_nothing(
    records: Records, address: KafkaAddress
):
    began = asyncio.Event()

    async def hang(raws: Sequence[Raw]) -> None:
        began.set()
        await asyncio.sleep(60)

    await send(address, records.matter("a", [1, 2, 3]))
    task = asyncio.create_task(
        Consumer(address, "town", [topics.REQUESTS], Taking(hang).process).run()
    )
    await asyncio.wait_for(began.wait(), 45)
    begun = asyncio.get_running_loop().time()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.get_running_loop().time() - begun < kafka_module.STOP_SECONDS + 1

    async def accept(raws: Sequence[Raw]) -> None:
        return

    again = Taking(accept)
    async with under_way(Consumer(address, "town", [topics.REQUESTS], again.process).run):
        await until(lambda: has_committed(address, 3))
    assert len(again.given) == 3


async def test_a_batch_under_way_is_finished_before_another_consumer_gets_its_records(
    records: Records, address: KafkaAddress
):
    """A second replica joins while the first works: nothing is worked on twice, at once or at all."""
    working = asyncio.Event()

    async def slowly(raws: Sequence[Raw]) -> None:
        working.set()
        await asyncio.sleep(2)

    taking = Taking(slowly)
    await send(address, [raw for n in range(30) for raw in records.matter(f"m{n}", [1])])
    consumers = [Consumer(address, "town", [topics.REQUESTS], taking.process) for _ in range(2)]
    async with under_way(consumers[0].run):
        await asyncio.wait_for(working.wait(), 45)
        async with under_way(consumers[1].run):
            await until(lambda: has_committed(address, 30))
    assert taking.together == []
    assert set(taking.given.values()) == {1}


async def test_replicas_that_come_and_go_apply_each_event_once(
    town: Town, records: Records, address: KafkaAddress
):
    """Three replicas, one always on its way in or out, over two topics."""
    batch = [
        raw
        for version in range(1, 11)
        for n in range(40)
        for raw in records.matter(f"m{n}", [version])
    ]
    steady = Consumer(address, "town", [topics.REQUESTS], town.inbound.process)
    async with under_way(steady.run):
        for part in range(4):
            await send(address, batch[part * 100 : part * 100 + 100])
            other = Consumer(address, "town", [topics.REQUESTS], town.make_inbound().process)
            async with under_way(other.run):
                await asyncio.sleep(0.5)
        await until(lambda: has_applied(town, 400))
    assert all([await town.versions(f"m{n}") == list(range(1, 11)) for n in range(40)])
    assert await town.letters() == []
