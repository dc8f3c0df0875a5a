"""Tries what a user of Kafka may do; for tests of who may do what."""

import asyncio
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from shared.delivery.kafka.address import KafkaAddress

REFUSED_MS: Final = 2_000


async def may_read(kafka: KafkaAddress, topic: str) -> bool:
    """Whether what lies there is given out. aiokafka waits for a topic of which it is told nothing."""
    consumer = AIOKafkaConsumer(**kafka.client(), enable_auto_commit=False)
    await consumer.start()
    try:
        place = TopicPartition(topic, 0)
        consumer.assign([place])
        consumer.seek(place, 0)
        return bool(await consumer.getmany(place, timeout_ms=REFUSED_MS))
    except TopicAuthorizationFailedError:
        return False
    finally:
        await consumer.stop()


async def may_write(kafka: KafkaAddress, topic: str) -> bool:
    """Whether a record is taken within a while."""
    producer = AIOKafkaProducer(**kafka.client(), request_timeout_ms=REFUSED_MS)
    await producer.start()
    try:
        await producer.send_and_wait(topic, b"{}", key=b"key")
    except KafkaError:
        return False
    finally:
        await producer.stop()
    return True


async def may_join(kafka: KafkaAddress, group: str, topic: str) -> bool:
    """Whether the places of a consumer group are told, as they are to whoever reads in it."""
    consumer = AIOKafkaConsumer(**kafka.client(), group_id=group, enable_auto_commit=False)
    try:
        await consumer.start()
        place = TopicPartition(topic, 0)
        consumer.assign([place])
        await asyncio.wait_for(consumer.committed(place), REFUSED_MS / 1000)
    except (GroupAuthorizationFailedError, TimeoutError):
        return False
    finally:
        await consumer.stop()
    return True
