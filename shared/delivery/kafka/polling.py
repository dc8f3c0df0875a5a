"""Poll loop: a batch is acknowledged only under the assignment it was read under, also across a rebalance."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import KafkaError
from faststream.message import AckStatus

log = structlog.get_logger()

REBALANCE_SECONDS = 30.0
DRAIN_SECONDS = REBALANCE_SECONDS - 5
ACKNOWLEDGE_SECONDS = 10.0


class PolledBatch(Protocol):
    """A batch as FastStream passes it."""

    raw_message: Sequence[ConsumerRecord]
    committed: AckStatus | None

    async def ack(self) -> None:
        """Acknowledge it."""


class Drain(ConsumerRebalanceListener):  # type: ignore[misc]
    """Holds a rebalance until the current batch is acknowledged, so that no other consumer processes it too.

    aiokafka commits an offset for as long as that fails, under whatever assignment the consumer has by then, and a
    batch that failed is sought back to wherever its partition stands by then. In a Kafka that was made anew, such old
    offsets skip what is there: so of a batch whose assignment has gone nothing is said. Whoever has its partitions
    next reads it again.
    """

    def __init__(self, on_revoked: Callable[[], None] = lambda: None) -> None:
        self._on_revoked = on_revoked
        self.working = asyncio.Lock()
        self._assignment = 0
        self._between = False

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                async with self.working:
                    log.info("consumer.revoked", partitions=len(revoked))
        self._assignment += 1
        self._between = True
        self._on_revoked()

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        self._between = False
        log.info("consumer.assigned", partitions=len(assigned))

    @contextlib.asynccontextmanager
    async def holding(self, batch: PolledBatch) -> AsyncIterator[None]:
        """Process `batch` in the block; it is acknowledged when that ends well.

        Lets out what the block raises while the batch is ours to read again. It may be processed twice, to no harm.
        """
        assignment = self._assignment
        async with self.working:
            try:
                yield
            except Exception:
                if not self._is_gone(assignment):
                    raise
            if not self._is_gone(assignment):
                await self._acknowledge(batch)
            # Left to itself, FastStream would acknowledge what is not marked, with no limit.
            batch.committed = AckStatus.ACKED

    def _is_gone(self, assignment: int) -> bool:
        return self._between or assignment != self._assignment

    @staticmethod
    async def _acknowledge(batch: PolledBatch) -> None:
        # It is durable by now: an acknowledgement that fails means that it is read again some day, to no harm.
        try:
            async with asyncio.timeout(ACKNOWLEDGE_SECONDS):
                await batch.ack()
        except (KafkaError, TimeoutError) as fault:
            log.warning("batch.not_acknowledged", fault=type(fault).__name__)
