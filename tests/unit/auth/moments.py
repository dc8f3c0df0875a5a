"""Time that goes on only when a test says so."""

from datetime import UTC, datetime, timedelta

BEGINNING = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Moments:
    """One time, as each part of the kit wants to be told it."""

    def __init__(self) -> None:
        self._gone = timedelta()

    def go_on(self, seconds: float) -> None:
        self._gone += timedelta(seconds=seconds)

    def clock(self) -> datetime:
        return BEGINNING + self._gone

    def seconds(self) -> float:
        return 1000.0 + self._gone.total_seconds()

    def nanoseconds(self) -> int:
        return 10**12 + self._gone // timedelta(microseconds=1) * 1000
