"""An aiokafka consumer that asks for what is there now, never for what was there while the last batch was at work."""

import asyncio
import time
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.contracts.topics import MAX_MESSAGE_BYTES

WAIT_MS: Final = 1000
WORTHWHILE: Final = 125
"""So many records are a batch that is worth its transaction: the next one is fetched beside it, at once."""
GATHER_SECONDS: Final = 0.05
"""How long who is not on anybody's way to an answer lets records, or events, gather after a small batch."""
READ_AHEAD_BYTES: Final = MAX_MESSAGE_BYTES // 4
"""Of each partition; Kafka gives a larger record nevertheless, alone."""


class Waiting(AIOKafkaConsumer):  # type: ignore[misc]
    """Waits for records as long as they take, a second at most; after a small batch it has `gather_seconds` pass first.

    FastStream pauses after every time-out, as long as the time-out was: a short one costs its pause with most records
    that come alone, and a long one is no better.

    aiokafka fetches ahead while a batch is at work, and fetches nothing more before that is used. Of small batches it
    so gets the one record that was there as the work began, and all that come after it wait for another whole batch:
    its partitions are paused until the next is asked for.
    """

    def __init__(
        self,
        *topics: str,
        gather_seconds: float = 0.0,
        **settings: Any,  # noqa: ANN401 - aiokafka's own
    ) -> None:
        super().__init__(*topics, **settings)
        self._gather_seconds = gather_seconds
        self._not_before = 0.0

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """What has come, at once when there is something and its time has come."""
        await asyncio.sleep(self._not_before - time.monotonic())
        self.resume(*self.paused())
        found: dict[TopicPartition, list[ConsumerRecord]] = await super().getmany(
            *partitions, timeout_ms=WAIT_MS, max_records=max_records
        )
        if found and sum(map(len, found.values())) < WORTHWHILE:
            self._not_before = time.monotonic() + self._gather_seconds
            self.pause(*self.assignment())
        return found
