"""Packs a relay's rows into Kafka record batches, one a partition where they fit."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.contracts.topics import key_of
from shared.delivery.cloudevents import Recorded, headers_of

Acknowledgement = asyncio.Future[object]

_PARTITIONER: Final = DefaultPartitioner()


@dataclass(slots=True)
class Sending:
    """Rows being sent, with a future for each that the producer has accepted."""

    rows: Sequence[Recorded]
    taken: dict[int, Acknowledgement] = field(default_factory=dict)
    """By the row's place; rows of one batch share theirs."""

    def acknowledged(self) -> list[int]:
        """Return the rows that Kafka has, without any that follows a missing one of the same subject."""
        found: list[int] = []
        blocked: set[str] = set()
        for place, row in enumerate(self.rows):
            future = self.taken.get(place)
            if row.subject not in blocked and future is not None and _succeeded(future):
                found.append(row.seq)
            else:
                blocked.add(row.subject)
        return found


def _succeeded(future: Acknowledgement) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


@dataclass(slots=True)
class _PackedBatch:
    """A record batch being filled for one partition, with its rows."""

    builder: BatchBuilder
    places: list[int] = field(default_factory=list)


class Packing:
    """Packs rows into record batches: in order within each partition, and so within each subject."""

    def __init__(self, producer: AIOKafkaProducer, source: str, sending: Sending) -> None:
        self._producer = producer
        self._source = source
        self._sending = sending
        self._filling: dict[tuple[str, int], _PackedBatch] = {}
        self._partitions: dict[str, list[int]] = {}

    async def add(self, place: int, row: Recorded, topic: str) -> None:
        """Add a row to its partition's batch; a full batch is sent first. Raises what the producer raises."""
        key = key_of(row.topic, row.subject).encode()
        if (partitions := self._partitions.get(topic)) is None:
            # Asking may take as long as a broker is away: what is packed must not wait for it.
            await self._flush()
            partitions = sorted(await self._producer.partitions_for(topic))
            self._partitions[topic] = partitions
        partition = partitions[_place(key, len(partitions))]
        batch = self._filling.get((topic, partition))
        if batch is None or not self._append(batch, key, row):
            if batch is not None:
                await self._out((topic, partition), batch)
            batch = _PackedBatch(self._producer.create_batch())
            # The first message is taken whatever its size.
            self._append(batch, key, row)
            self._filling[topic, partition] = batch
        batch.places.append(place)

    async def finish(self) -> None:
        """Send the remaining batches and wait for Kafka. Raises the error of the first row that Kafka lacks."""
        await self._flush()
        await asyncio.gather(*set(self._sending.taken.values()))

    async def _flush(self) -> None:
        for target, batch in self._filling.items():
            await self._out(target, batch)
        self._filling.clear()

    def _append(self, batch: _PackedBatch, key: bytes, row: Recorded) -> bool:
        # The record's own time is when it is sent, for that is what brokers check and retention counts from;
        # `ce_time` says when it happened.
        headers = headers_of(row, self._source)
        added = batch.builder.append(
            timestamp=None, key=key, value=row.data.encode(), headers=headers
        )
        return added is not None

    async def _out(self, target: tuple[str, int], batch: _PackedBatch) -> None:
        topic, partition = target
        future = await self._producer.send_batch(batch.builder, topic, partition=partition)
        self._sending.taken |= dict.fromkeys(batch.places, future)


@lru_cache(maxsize=8192)
def _place(key: bytes, partitions: int) -> int:
    """Return the partition that Kafka's own clients would choose for the key."""
    place: int = _PARTITIONER(key, range(partitions), ())
    return place
