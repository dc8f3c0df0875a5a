"""Tries what a user of Kafka may do; for tests of who may do what."""

from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from shared.kit.address import KafkaAddress

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
        await producer.send_and_wait(topic, b"{}")
    except KafkaError:
        return False
    finally:
        await producer.stop()
    return True
