"""A restored history meets no other one in Kafka, and what strangers sent there is read again."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.embedded.trouble import Trouble
from deploy.operating.freshness import make_ready

pytestmark = pytest.mark.timeout(120)


async def test_a_kafka_with_another_history_is_refused(kafka: str, kafka_prefix: str):
    assert await make_ready(kafka, kafka_prefix) == []
    await sent(kafka, f"{kafka_prefix}liaison.submissions", b"{}")
    assert await make_ready(kafka, kafka_prefix) == []
    await sent(kafka, f"{kafka_prefix}liaison.matters", b"{}")
    with pytest.raises(Trouble, match=f"restore.kafka.topics.*{kafka_prefix}liaison.matters"):
        await make_ready(kafka, kafka_prefix)
    with pytest.raises(Trouble, match=r"restore\.kafka\.away"):
        await make_ready("127.0.0.1:1", kafka_prefix)


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
            await make_ready(kafka, kafka_prefix)
    finally:
        await reader.stop()
    assert await committed(kafka, group, topic) == 3
    assert await make_ready(kafka, kafka_prefix) == [topic]
    assert await committed(kafka, group, topic) == 0


async def committed(kafka: str, group: str, topic: str) -> int | None:
    reader = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=group, enable_auto_commit=False)
    await reader.start()
    try:
        return await reader.committed(TopicPartition(topic, 1))
    finally:
        await reader.stop()
