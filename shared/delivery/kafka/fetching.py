"""Consumer that fetches nothing ahead while a small batch is processed, and lingers off the request path."""

import asyncio
import time
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.contracts.topics import MAX_MESSAGE_BYTES

WAIT_MS: Final = 1000
WORTHWHILE: Final = 125
"""Records from which on a batch is not small: the next one is fetched while it is processed."""
LINGER_SECONDS: Final = 0.05
"""Linger in seconds after a small batch, for consumers and relays that are off the request path."""
READ_AHEAD_BYTES: Final = MAX_MESSAGE_BYTES // 4
"""Bytes fetched of each partition; Kafka gives a larger record nevertheless, alone."""


class LingeringConsumer(AIOKafkaConsumer):  # type: ignore[misc]
    """Pauses its partitions during small batches, and polls for up to 1 s after a linger of `linger_seconds`.

    FastStream sleeps after each poll that timed out, for as long as its time-out was: the poll here waits itself.
    aiokafka fetches ahead while a batch is processed, and fetches nothing more before that is used: of small batches
    it would get the one record that was there when the work began, and all later ones would wait for another batch.
    """

    def __init__(
        self,
        *topics: str,
        linger_seconds: float = 0.0,
        **settings: Any,  # noqa: ANN401 - aiokafka's own
    ) -> None:
        super().__init__(*topics, **settings)
        self._linger_seconds = linger_seconds
        self._not_before = 0.0

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Poll: return what is available, wait at most 1 s."""
        await asyncio.sleep(self._not_before - time.monotonic())
        self.resume(*self.paused())
        found: dict[TopicPartition, list[ConsumerRecord]] = await super().getmany(
            *partitions, timeout_ms=WAIT_MS, max_records=max_records
        )
        if found and sum(map(len, found.values())) < WORTHWHILE:
            self._not_before = time.monotonic() + self._linger_seconds
            self.pause(*self.assignment())
        return found
