"""Replaces a record that aiokafka cannot parse by a marked one, and continues after it (poison message).

As aiokafka has it, such a record (a header's name that is no UTF-8, a codec that is not installed, a broken batch)
stops its partition for ever, and records of other partitions that were drained in the same call are lost.
"""

from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.consumer import fetcher

from shared.delivery.cloudevents import UNREADABLE

log = structlog.get_logger()

TRIES = 3
"""How often a record is fetched before it is given up: what was broken on the way may come whole."""


class TolerantRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    """One fetch of one partition, of which each record is given in order, readable or not."""

    next_fetch_offset: int
    _tp: TopicPartition
    _records_iterator: Iterator[ConsumerRecord] | None
    _failures: ClassVar[Counter[tuple[TopicPartition, int]]] = Counter()

    def __next__(self) -> ConsumerRecord:
        try:
            return super().__next__()
        except StopIteration:
            raise
        except Exception as fault:  # noqa: BLE001 - whatever it was, the other records must not suffer
            # What comes after it in this fetch is fetched again.
            self._records_iterator = iter(())
            return self._instead(f"aiokafka cannot unpack it: {type(fault).__name__}")

    def _instead(self, reason: str) -> ConsumerRecord:
        offset = self.next_fetch_offset
        place = (self._tp, offset)
        self._failures[place] += 1
        if self._failures[place] < TRIES:
            raise StopIteration
        del self._failures[place]
        log.error(
            "record.unreadable", topic=self._tp.topic, partition=self._tp.partition, offset=offset
        )
        self.next_fetch_offset = offset + 1
        return ConsumerRecord(
            self._tp.topic, self._tp.partition, offset, 0, 0,
            None, None, None, -1, -1, ((UNREADABLE, reason.encode()),),
        )  # fmt: skip


def install() -> None:
    """Have aiokafka's consumers in this process unpack what they fetch in this way; it has no setting for it."""
    fetcher.PartitionRecords = TolerantRecords
