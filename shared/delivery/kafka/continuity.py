"""Detects gaps between committed offsets and the log's first record (`auto.offset.reset` passes over them silently)."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final, TypeAlias

import asyncpg
import structlog
from aiokafka import ConsumerRecord, TopicPartition

from shared.delivery.kafka.losses import Loss, Partition, ReadingLog
from shared.observability.redaction import reason_of

log = structlog.get_logger()

Committed: TypeAlias = Callable[[TopicPartition], Awaitable[int | None]]

SAVE_SECONDS: Final = 15.0
DATABASE_FAULTS: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)


class Continuity:
    """Tracks a group's partitions: the next expected offset of each, and offsets that were never delivered.

    `topics` are our names by Kafka's. A gap is a loss where the log begins behind it; elsewhere it is a transaction's
    own mark, or something that its sender took back. Without a `reading_log` losses are logged alone.
    """

    def __init__(
        self, group: str, topics: Mapping[str, str], reading_log: ReadingLog | None = None
    ) -> None:
        self._group = group
        self._topics = topics
        self._reading_log = reading_log
        self._remembered: Mapping[Partition, int] | None = None if reading_log else {}
        self._next: dict[TopicPartition, int] = {}
        self._gaps: list[tuple[TopicPartition, int, int]] = []
        self._unsaved: list[Loss] = []
        self._saved: dict[Partition, int] = {}
        self._saved_at = 0.0

    def forget(self) -> None:
        """Forget partitions after a rebalance: another replica may consume them now."""
        self._next.clear()

    async def follow(self, places: Iterable[TopicPartition], committed: Committed) -> None:
        """Begin to track partitions at the group's positions, before any of their records is acknowledged.

        Where Kafka knows of no place, the one that the service wrote itself counts, else the log's very beginning.
        Raises KafkaError.
        """
        await self._remember()
        for place in places:
            if place in self._next or place.topic not in self._topics:
                continue
            offset = await committed(place)
            if offset is None and self._remembered is not None:
                offset = self._remembered.get(self._named(place), 0)
            if offset is not None:
                self._next.setdefault(place, offset)

    def note(self, records: Iterable[ConsumerRecord]) -> None:
        """Record that these records were processed, in order per partition."""
        for record in records:
            place = TopicPartition(record.topic, record.partition)
            expected = self._next.get(place, record.offset)
            if record.offset > expected:
                self._gaps.append((place, expected, record.offset))
            self._next[place] = max(expected, record.offset + 1)

    def losses(self, starts: Mapping[TopicPartition, int]) -> list[Loss]:
        """Return what was deleted unread, by the present beginnings of the logs; each loss once."""
        found = [
            self._loss(place, expected, min(came, starts[place]))
            for place, expected, came in self._gaps
            if starts.get(place, 0) > expected
        ]
        self._gaps = [gap for gap in self._gaps if gap[0] not in starts]
        for place, start in starts.items():
            expected = self._next.get(place)
            if expected is not None and start > expected:
                found.append(self._loss(place, expected, start))
                self._next[place] = start
        return found

    async def keep(self, starts: Mapping[TopicPartition, int]) -> None:
        """Detect losses, and write them with the positions: losses at once, positions every 15 s.

        A database that is away has them later.
        """
        self._unsaved += self.losses(starts)
        positions = {self._named(place): offset for place, offset in self._next.items()}
        changed = {k: v for k, v in positions.items() if self._saved.get(k) != v}
        is_time = time.monotonic() - self._saved_at >= SAVE_SECONDS
        if self._reading_log is None or not (self._unsaved or (changed and is_time)):
            return
        try:
            await self._reading_log.save(self._group, changed, self._unsaved)
        except DATABASE_FAULTS as fault:
            log.warning("positions.unsaved", group=self._group, fault=reason_of(fault))
            return
        self._unsaved, self._saved_at = [], time.monotonic()
        self._saved |= changed

    async def _remember(self) -> None:
        if self._remembered is None and self._reading_log is not None:
            try:
                self._remembered = await self._reading_log.positions(self._group)
            except DATABASE_FAULTS as fault:
                log.warning("positions.unknown", group=self._group, fault=reason_of(fault))

    def _loss(self, place: TopicPartition, first: int, end: int) -> Loss:
        topic, partition = self._named(place)
        loss = Loss(topic, partition, first, end - 1)
        log.error(
            "records.lost", topic=topic, partition=partition, first=first, last=end - 1,
            count=loss.count,
        )  # fmt: skip
        return loss

    def _named(self, place: TopicPartition) -> Partition:
        return self._topics[place.topic], place.partition
