"""A consumer that does not get on is noticed, says so, and is made anew."""

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer

from deploy.jobs.topics import ensure_topics
from shared.contracts import topics
from shared.contracts.topics import TOPICS
from shared.delivery.cloudevents import Raw
from shared.delivery.kafka import consumer as kafka_module
from shared.delivery.kafka import watchdog
from shared.delivery.kafka.address import KafkaAddress
from shared.delivery.kafka.consumer import Consumer
from shared.delivery.kafka.watchdog import IDLE, MISSING, STARTING, Stalled
from tests.integration.delivery.test_consumer import Taking, has_applied
from tests.integration.delivery.town import Records, Town, amended
from tests.integration.delivery.wire import as_bool, send, under_way, until


async def test_one_that_hangs_is_noticed(
    records: Records, address: KafkaAddress, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(watchdog, "WORKING_SECONDS", 1.0)
    monkeypatch.setattr(watchdog, "LAG_SECONDS", 0.2)

    async def hang(raws: Sequence[Raw]) -> None:
        await asyncio.sleep(60)

    await send(address, records.matter("a", [1]))
    with pytest.raises(Stalled):
        await asyncio.wait_for(
            Consumer(address, "town", [topics.REQUESTS], Taking(hang).process).run(), 30
        )


async def test_one_that_takes_nothing_in_does_not_say_that_it_works(
    town: Town, records: Records, address: KafkaAddress, monkeypatch: pytest.MonkeyPatch
):
    """A lock that somebody holds for long: Kafka answers all the while, and nothing is taken in."""
    monkeypatch.setattr(watchdog, "LATE_SECONDS", 1.0)
    monkeypatch.setattr(watchdog, "LAG_SECONDS", 0.2)
    await town.inbound.process(records.matter("a", [1]))
    consumer = Consumer(address, "town", [topics.REQUESTS], town.inbound.process)
    other = await asyncpg.connect(town.url, server_settings={"search_path": "town"})
    async with under_way(consumer.run):
        await until(lambda: as_bool(consumer.hindrance is None))
        async with other.transaction():
            await other.execute("select from seen where subject = 'a' for update")
            await send(address, records.matter("a", [2]))
            await until(lambda: as_bool(consumer.hindrance == IDLE))
        await until(lambda: has_applied(town, 2))
        await until(lambda: as_bool(consumer.hindrance is None))
    await other.close()


async def test_one_that_fetches_nothing_is_noticed(
    town: Town, records: Records, address: KafkaAddress, monkeypatch: pytest.MonkeyPatch
):
    """Its own memory of the ends is as old as its last fetch: only Kafka knows that there is more."""
    monkeypatch.setattr(watchdog, "STALL_SECONDS", 1.5)
    monkeypatch.setattr(watchdog, "LAG_SECONDS", 0.2)
    await send(address, records.matter("a", [1]))
    consumer = Consumer(address, "town", [topics.REQUESTS], town.inbound.process)
    seen: list[AIOKafkaConsumer] = []
    lag = consumer._watch._lag

    async def watched(inner: AIOKafkaConsumer) -> object:
        seen.append(inner)
        return await lag(inner)

    monkeypatch.setattr(consumer._watch, "_lag", watched)
    task = asyncio.create_task(consumer.run())
    await until(lambda: has_applied(town, 1))
    seen[0].pause(*seen[0].assignment())
    monkeypatch.setattr(seen[0], "resume", lambda *partitions: None)
    await send(address, records.matter("a", [2]))
    with pytest.raises(Stalled):
        await asyncio.wait_for(task, 30)


async def test_topics_that_are_made_later_are_found(
    town: Town, records: Records, kafka: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(kafka_module, "METADATA_SECONDS", 1.0)
    address = KafkaAddress(kafka, f"later{id(town)}.")
    consumer = Consumer(address, "town", [topics.REQUESTS], town.inbound.process)
    async with under_way(consumer.run):
        await asyncio.sleep(1.5)
        assert consumer.hindrance in (STARTING, MISSING)
        await ensure_topics(KafkaAddress(kafka, address.prefix), topics=TOPICS, partitions=2)
        await send(address, [records(amended("a"), "a", 1)])
        await until(lambda: has_applied(town, 1))
        await until(lambda: as_bool(consumer.hindrance is None))
