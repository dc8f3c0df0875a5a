"""Which matters change, read from Kafka: the key of each event is its matter's id."""

from typing import Final

from services.desk.handlers.changes import ChangeHub
from shared.contracts import topics
from shared.delivery.kafka.address import KafkaAddress
from shared.delivery.kafka.tail import TopicTail

TOPICS: Final = (topics.MATTERS, topics.ASSIGNMENTS)
READER: Final = "liaison.desk"


def changes(kafka: KafkaAddress, hub: ChangeHub) -> TopicTail:
    """Return the reader that tells open pages of every change. After a gap anything may have changed."""
    return TopicTail(kafka, READER, TOPICS, hub.publish, hub.publish_anything)
