"""Follows topics from their present end, without a consumer group, for readers that only need to know of changes."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.delivery.kafka.address import KafkaAddress

POLL_MS: Final = 1_000
MOST_RECORDS: Final = 2_000
METADATA_MS: Final = 30_000
STARTING: Final = "starting"
GRACE_SECONDS: Final = 15.0
"""A reader that was lost begins again within seconds, and what it is for can wait so long."""


class TopicTail:
    """Reads the keys of new records. Nothing is kept and no offset is committed, so every replica reads all of them.

    FastStream's subscribers answer for each record once (`shared.delivery.kafka.consumer`); here a record that was
    missed while nobody read is not read any more, and `on_start` says so.
    """

    def __init__(
        self,
        kafka: KafkaAddress,
        name: str,
        topics: Sequence[str],
        on_keys: Callable[[frozenset[str]], None],
        on_start: Callable[[], None],
    ) -> None:
        """`name` names the reader in health checks; `on_keys` is called for each batch that has keys."""
        self._kafka = kafka
        self._name = name
        self._topics = topics
        self._on_keys = on_keys
        self._on_start = on_start
        self._reads = False
        self._lost_at = -math.inf

    def hindrances(self) -> Mapping[str, str]:
        """Return why no records come in, by the reader's name; empty while they do, and for 15 s after."""
        if self._reads or time.monotonic() - self._lost_at < GRACE_SECONDS:
            return {}
        return {self._name: STARTING}

    async def run(self) -> None:
        """Read for ever. Raises KafkaError when Kafka goes away; the supervisor begins it again."""
        consumer = AIOKafkaConsumer(
            *(self._kafka.topic(topic) for topic in self._topics),
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
            self._reads = True
            self._on_start()
            while True:
                batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=MOST_RECORDS)
                if keys := frozenset(_keys(batches)):
                    self._on_keys(keys)
        finally:
            if self._reads:
                self._reads, self._lost_at = False, time.monotonic()
            await consumer.stop()


def _keys(
    batches: Mapping[TopicPartition, Sequence[ConsumerRecord[bytes, bytes]]],
) -> Iterator[str]:
    for records in batches.values():
        for record in records:
            if record.key:
                yield record.key.decode("ascii", "replace")
