"""All working time of some years laid end to end, in whole microseconds; it knows no word but time.

`elapsed` is the one idea: the working time from the beginning up to an instant. It never falls, so
that adding working time is running it backwards, and every question is a bisection of a tuple.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from shared.calendar.hours import Hours

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Instants are microseconds of Unix time; days are counted from the first, which is 0."""

    begins: int
    ends: int
    opens: tuple[int, ...]
    closes: tuple[int, ...]
    worked: tuple[int, ...]
    """Working time before each interval, and at the end the whole of it: one longer than `opens`."""
    day_opens: tuple[int, ...]
    day_closes: tuple[int, ...]
    """First opening and last closing of each working day."""
    days_before: tuple[int, ...]
    """Working days before each day, and at the end all of them: one longer than there are days."""

    def elapsed(self, instant: int) -> int:
        """Working time from the beginning up to `instant`."""
        at = bisect_right(self.opens, instant) - 1
        if at < 0:
            return 0
        return self.worked[at] + min(instant, self.closes[at]) - self.opens[at]

    def earliest(self, elapsed: int) -> int | None:
        """First instant with that much working time behind it: a closing, never an opening."""
        at = bisect_left(self.worked, elapsed) - 1
        if not 0 <= at < len(self.opens):
            return None
        return self.opens[at] + elapsed - self.worked[at]

    def latest(self, elapsed: int) -> int | None:
        """Last instant with that much working time behind it: an opening, never a closing."""
        at = bisect_right(self.worked, elapsed) - 1
        if not 0 <= at < len(self.opens):
            return None
        return self.opens[at] + elapsed - self.worked[at]


def lay_out(days: list[Hours], first: date, zone: ZoneInfo) -> Timeline:
    """Puts the hours of consecutive days, the first being `first`, on one line."""
    opens: list[int] = []
    closes: list[int] = []
    day_opens: list[int] = []
    day_closes: list[int] = []
    days_before = [0]
    for number, hours in enumerate(days):
        free_from = closes[-1] if closes else None
        spans = list(_spans(hours, first + timedelta(days=number), zone, free_from))
        opens.extend(span[0] for span in spans)
        closes.extend(span[1] for span in spans)
        if spans:
            day_opens.append(spans[0][0])
            day_closes.append(spans[-1][1])
        days_before.append(len(day_opens))
    lengths = (closed - opened for opened, closed in zip(opens, closes, strict=True))
    return Timeline(
        begins=_instant(first, 0, zone),
        ends=_instant(first + timedelta(days=len(days)), 0, zone),
        opens=tuple(opens),
        closes=tuple(closes),
        worked=tuple(accumulate(lengths, initial=0)),
        day_opens=tuple(day_opens),
        day_closes=tuple(day_closes),
        days_before=tuple(days_before),
    )


def _spans(
    hours: Hours, day: date, zone: ZoneInfo, free_from: int | None
) -> Iterator[tuple[int, int]]:
    """The instants of a day's intervals.

    When clocks go forward, an interval inside the lost hour can fall onto its neighbour or turn
    round: it gives way to what came before, so that no instant is counted twice.
    """
    for interval in hours:
        opened = _instant(day, interval.opens, zone)
        if free_from is not None:
            opened = max(opened, free_from)
        closed = _instant(day, interval.closes, zone)
        if opened < closed:
            yield opened, closed
            free_from = closed


def _instant(day: date, minute: int, zone: ZoneInfo) -> int:
    """What the clock on the wall shows, as an instant; the first of the two when it shows twice."""
    shown = datetime.combine(day, time(), zone) + timedelta(minutes=minute)
    return (shown - EPOCH) // MICROSECOND
