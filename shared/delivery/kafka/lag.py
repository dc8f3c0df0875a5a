"""Consumer lag of one partition: the definition for metrics, readiness, status and doctor."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PartitionPosition:
    """A partition with a reader's position. Offsets are those of the next record.

    `start` is the log's first record, `stable` the end of what is committed (the last stable offset), `end` that of
    everything (the high watermark). `position` is what the reader takes next.
    """

    start: int
    stable: int
    end: int
    position: int

    @property
    def lag(self) -> int:
        """Records in the log that were not processed, including those held by open transactions."""
        return max(0, self.end - max(self.position, self.start))

    @property
    def readable(self) -> int:
        """Records that could be consumed now: a reader with some and no progress is stuck."""
        return max(0, min(self.stable, self.end) - max(self.position, self.start))

    @property
    def held(self) -> int:
        """Records behind a transaction that is still open."""
        return self.lag - self.readable

    @property
    def lost(self) -> int:
        """Offsets that were deleted before they were read."""
        return max(0, self.start - self.position)
