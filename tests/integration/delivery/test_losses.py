"""Records that Kafka deleted before they were read are found, while the reader runs and while it does not."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from prometheus_client import REGISTRY

from deploy.operations.status import lag_of
from shared.contracts import topics
from shared.delivery.kafka import watchdog
from shared.delivery.kafka.address import KafkaAddress
from shared.delivery.kafka.consumer import Consumer
from shared.delivery.kafka.losses import ReadingLog, acknowledge, list_losses
from tests.integration.delivery.test_consumer import has_applied
from tests.integration.delivery.town import Records, Town
from tests.integration.delivery.wire import as_bool, under_way, until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "LAG_SECONDS", 0.2)


@pytest.fixture
async def admin(kafka: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await client.start()
    yield client
    await client.close()


def consumer_of(address: KafkaAddress, town: Town) -> Consumer:
    return Consumer(
        address, "town", [topics.REQUESTS], town.inbound.process, reading_log=ReadingLog(town.db)
    )


async def put(address: KafkaAddress, records: Records, subject: str, count: int) -> None:
    """`count` records of a subject's own, all on the first partition."""
    async with AIOKafkaProducer(bootstrap_servers=address.bootstrap) as producer:
        for raw in records.matter(subject, range(1, count + 1)):
            await producer.send_and_wait(
                address.topic(raw.topic), raw.value, key=raw.key, headers=list(raw.headers),
                partition=0,
            )  # fmt: skip


async def delete(admin: AIOKafkaAdminClient, address: KafkaAddress, before: int) -> None:
    place = TopicPartition(address.topic(topics.REQUESTS), 0)
    await admin.delete_records({place: RecordsToDelete(before)})


async def losses(town: Town) -> list[dict[str, Any]]:
    async with town.db.reading() as conn:
        return await list_losses(conn)


async def test_case_29_what_was_deleted_while_the_reader_was_down_is_told(
    town: Town, records: Records, address: KafkaAddress, admin: AIOKafkaAdminClient
):
    async with under_way(consumer_of(address, town).run):
        await put(address, records, "a", 3)
        await until(lambda: has_applied(town, 3))
    await put(address, records, "b", 4)
    await delete(admin, address, 5)
    async with under_way(consumer_of(address, town).run):
        [loss] = await until(lambda: losses(town))
        assert (loss["topic"], loss["partition"]) == (topics.REQUESTS, 0)
        assert (loss["first_offset"], loss["last_offset"]) == (3, 4)
    # It was found once, and is known on the next start too.
    async with under_way(consumer_of(address, town).run):
        await asyncio.sleep(1)
    assert len(await losses(town)) == 1
    async with town.db.transaction() as conn:
        assert await acknowledge(conn, [], "O001", "sent again") == [loss["id"]]
    assert await losses(town) == []


async def test_case_29_what_was_deleted_before_anything_was_ever_read_is_told(
    town: Town, records: Records, address: KafkaAddress, admin: AIOKafkaAdminClient
):
    await put(address, records, "a", 2)
    await delete(admin, address, 2)
    async with under_way(consumer_of(address, town).run):
        [loss] = await until(lambda: losses(town))
        assert (loss["first_offset"], loss["last_offset"]) == (0, 1)


async def test_what_was_read_and_then_deleted_is_no_loss(
    town: Town, records: Records, address: KafkaAddress, admin: AIOKafkaAdminClient
):
    async with under_way(consumer_of(address, town).run):
        await put(address, records, "a", 3)
        await until(lambda: has_applied(town, 3))
        await delete(admin, address, 3)
        await put(address, records, "b", 2)
        await until(lambda: has_applied(town, 5))
        await asyncio.sleep(1)
    assert await losses(town) == []


async def test_case_30_what_an_open_transaction_holds_is_seen_and_is_no_stuck_reader(
    town: Town, records: Records, address: KafkaAddress, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(watchdog, "STALL_SECONDS", 2.0)
    monkeypatch.setattr(watchdog, "LATE_SECONDS", 1.0)
    held = {"service": "town", "topic": topics.REQUESTS}
    consumer = consumer_of(address, town)
    producer = AIOKafkaProducer(
        bootstrap_servers=address.bootstrap, transactional_id=f"{address.prefix}open",
        transaction_timeout_ms=30_000,
    )  # fmt: skip
    async with under_way(consumer.run):
        await until(lambda: as_bool(consumer.hindrance is None))
        await producer.start()
        await producer.begin_transaction()
        await producer.send_and_wait(address.topic(topics.REQUESTS), b"open", partition=0)
        await put(address, records, "a", 3)
        await until(
            lambda: as_bool(
                (REGISTRY.get_sample_value("liaison_consumer_held_seconds", held) or 0) > 3
            )
        )
        assert REGISTRY.get_sample_value("liaison_consumer_lag_records", held) == 4
        assert consumer.hindrance is None
        assert await town.applied() == []
        await producer.abort_transaction()
        await until(lambda: has_applied(town, 3))
        await until(
            lambda: as_bool(REGISTRY.get_sample_value("liaison_consumer_held_seconds", held) == 0)
        )
        await asyncio.sleep(1)
    await producer.stop()
    # The abort's own mark is an offset that nobody gives, and no loss.
    assert await losses(town) == []


async def test_status_reads_lag_by_the_same_definition(
    town: Town, records: Records, address: KafkaAddress
):
    intake = Consumer(address, "intake", [topics.REQUESTS], town.inbound.process)
    async with under_way(intake.run):
        await put(address, records, "a", 2)
        await until(lambda: has_applied(town, 2))
    await put(address, records, "b", 3)

    async def behind() -> bool:
        places = (await lag_of(address))["intake"]
        return (sum(place.lag for place in places), sum(place.held for place in places)) == (3, 0)

    await until(behind)
