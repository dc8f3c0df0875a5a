"""A restored history meets no other one in Kafka, and what strangers sent there is read again."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.common.trouble import Trouble
from deploy.operations.backups.freshness import commands_since, make_ready
from shared.delivery.kafka.address import KafkaAddress

NOW = datetime.now(UTC)

pytestmark = pytest.mark.timeout(120)


async def test_a_kafka_with_another_history_is_refused(kafka: str, kafka_prefix: str):
    assert await make_ready(KafkaAddress(kafka, kafka_prefix), NOW) == []
    await sent(kafka, f"{kafka_prefix}liaison.submissions", b"{}")
    assert await make_ready(KafkaAddress(kafka, kafka_prefix), NOW) == []
    await sent(kafka, f"{kafka_prefix}liaison.matters", b"{}")
    with pytest.raises(Trouble, match=f"restore.kafka.topics.*{kafka_prefix}liaison.matters"):
        await make_ready(KafkaAddress(kafka, kafka_prefix), NOW)
    with pytest.raises(Trouble, match=r"restore\.kafka\.away"):
        await make_ready(KafkaAddress("127.0.0.1:1", kafka_prefix), NOW)


async def sent(kafka: str, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all")
    await producer.start()
    await producer.send_and_wait(topic, value, partition=1)
    await producer.stop()


async def test_what_others_wrote_is_read_again_once_no_service_reads(kafka: str, kafka_prefix: str):
    topic, group = f"{kafka_prefix}liaison.submissions", f"{kafka_prefix}liaison.intake.submissions"
    for _ in range(3):
        await sent(kafka, topic, b"{}")
    reader = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka, group_id=group, auto_offset_reset="earliest"
    )
    await reader.start()
    try:
        for _ in range(3):
            await asyncio.wait_for(reader.getone(), 30)
        await reader.commit()
        with pytest.raises(Trouble, match=r"restore\.working"):
            await make_ready(KafkaAddress(kafka, kafka_prefix), NOW)
    finally:
        await reader.stop()
    assert await committed(kafka, group, topic) == 3
    assert await make_ready(KafkaAddress(kafka, kafka_prefix), NOW) == [topic]
    assert await committed(kafka, group, topic) == 0


async def committed(kafka: str, group: str, topic: str) -> int | None:
    reader = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=group, enable_auto_commit=False)
    await reader.start()
    try:
        return await reader.committed(TopicPartition(topic, 1))
    finally:
        await reader.stop()


async def test_commands_are_read_again_from_a_while_before_the_backup(
    kafka: str, kafka_prefix: str
):
    topic, group = f"{kafka_prefix}liaison.commands", f"{kafka_prefix}liaison.routing.commands"
    await sent(kafka, topic, b"{}")
    reader = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=group, enable_auto_commit=False)
    await reader.start()
    reader.assign([TopicPartition(topic, 1)])
    await reader.commit({TopicPartition(topic, 1): 1})
    await reader.stop()
    await make_ready(KafkaAddress(kafka, kafka_prefix), NOW + timedelta(days=2))
    assert await committed(kafka, group, topic) == 1, "known to the backup for long"
    assert await make_ready(KafkaAddress(kafka, kafka_prefix), NOW) == [topic]
    assert await committed(kafka, group, topic) == 0


@pytest.mark.parametrize(("age", "before"), [(0, 24), (5, 24), (5.5, 12), (6, 0), (30, 0)])
def test_no_command_is_read_again_whose_answer_may_be_forgotten(age: float, before: float):
    made_at = NOW - timedelta(days=age)
    assert made_at - commands_since(made_at, NOW) == timedelta(hours=before)
