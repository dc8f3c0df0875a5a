"""Where milestones stand on the wall chart: days from its left edge, and how far each has slipped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

LEAST_DAYS: Final = 14
MOST_DAYS: Final = 400
MARKS: Final = 6
"""About so many dates are written along the top."""


@dataclass(frozen=True, slots=True)
class MilestoneDates:
    """One milestone's dates."""

    original: datetime
    due: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where a milestone is drawn, each in parts of the chart's width (0 to 1); one beyond an edge stands on it."""

    original: float
    due: float
    slipped_days: int


@dataclass(frozen=True, slots=True)
class Wall:
    """The chart's days: `start` at its left edge, `days` wide; `now` is today's place."""

    start: datetime
    days: int
    now: float
    marks: Sequence[tuple[float, datetime]]

    def place(self, span: MilestoneDates) -> Place:
        """Where a milestone stands."""
        return Place(self._at(span.original), self._at(span.due), (span.due - span.original).days)

    def _at(self, moment: datetime) -> float:
        share = (moment - self.start) / timedelta(days=self.days)
        return min(max(share, 0.0), 1.0)


def wall_of(spans: Sequence[MilestoneDates], now: datetime, zone: tzinfo) -> Wall:
    """The chart that shows all of `spans` and today, between 14 and 400 days wide, on whole days of the town."""
    moments = [now, *(span.original for span in spans), *(span.due for span in spans)]
    first = min(moments).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    start = max(first, now.astimezone(zone) - timedelta(days=MOST_DAYS // 2))
    days = min(max((max(moments) - start).days + 2, LEAST_DAYS), MOST_DAYS)
    step = max(days // MARKS, 1)
    marks = [(day / days, start + timedelta(days=day)) for day in range(0, days, step)]
    return Wall(start, days, (now - start) / timedelta(days=days), marks)
