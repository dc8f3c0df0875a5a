"""Reads from Kafka which matters change. Nothing is kept and no offset committed: every replica reads all of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from services.desk.handlers.changes import ChangeHub
from shared.contracts import topics
from shared.delivery.kafka.address import KafkaAddress

TOPICS: Final = (topics.MATTERS, topics.ASSIGNMENTS)
POLL_MS: Final = 1_000
MOST_RECORDS: Final = 2_000
METADATA_MS: Final = 30_000
STARTING: Final = "starting"
GROUP: Final = "liaison.desk"


class Changes:
    """Follows the topics from their present end, and publishes the id of every matter that a record is about."""

    def __init__(self, kafka: KafkaAddress, hub: ChangeHub) -> None:
        self._kafka = kafka
        self._hub = hub
        self._hindrance: str | None = STARTING

    def hindrances(self) -> Mapping[str, str]:
        """Why no changes come in, by the reader's name; empty while they do."""
        return {} if self._hindrance is None else {GROUP: self._hindrance}

    async def run(self) -> None:
        """Read for ever. Raises KafkaError when Kafka goes away; whoever supervises this begins it again."""
        consumer = AIOKafkaConsumer(
            *(self._kafka.topic(topic) for topic in TOPICS),
            **self._kafka.client(),
            # Without a group it has all partitions, those that are added later too.
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            isolation_level="read_committed",
            metadata_max_age_ms=METADATA_MS,
            fetch_max_wait_ms=POLL_MS,
        )
        try:
            await consumer.start()
            self._hindrance = None
            # What came while nobody read is not read any more.
            self._hub.publish_anything()
            while True:
                batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=MOST_RECORDS)
                if matters := frozenset(_matters(batches)):
                    self._hub.publish(matters)
        finally:
            self._hindrance = STARTING
            await consumer.stop()


def _matters(
    batches: Mapping[TopicPartition, Sequence[ConsumerRecord[bytes, bytes]]],
) -> Iterator[str]:
    """The matters that records are about: the key is the matter's id."""
    for records in batches.values():
        for record in records:
            if record.key:
                yield record.key.decode("ascii", "replace")
