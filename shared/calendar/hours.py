"""Working hours of a day, of a week and of days that differ."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TypeAlias

DAY_MINUTES = 24 * 60
_TEXT = re.compile(r"([0-9]{2}):([0-5][0-9])-([0-9]{2}):([0-5][0-9])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Interval:
    """From `opens` (inclusive) to `closes` (exclusive), minutes of the local day, 0 to 1440.

    Work through the night is written as two: 22:00-24:00 and, the day after, 00:00-06:00.
    """

    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not 0 <= self.opens < self.closes <= DAY_MINUTES:
            raise ValueError(f"{self} does not open before it closes, within one day")

    @classmethod
    def parse(cls, text: str) -> "Interval":
        """Reads `09:00-12:00`, up to `24:00`; ValueError for all else."""
        found = _TEXT.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no interval: write 09:00-12:00")
        opens, opens_minute, closes, closes_minute = map(int, found.groups())
        return cls(opens * 60 + opens_minute, closes * 60 + closes_minute)

    def __str__(self) -> str:
        opens, closes = divmod(self.opens, 60), divmod(self.closes, 60)
        return f"{opens[0]:02}:{opens[1]:02}-{closes[0]:02}:{closes[1]:02}"


Hours: TypeAlias = tuple[Interval, ...]
"""A day's intervals in order, apart from each other; none on a day of rest."""

Week: TypeAlias = tuple[Hours, Hours, Hours, Hours, Hours, Hours, Hours]
"""Monday to Sunday."""


def in_order(intervals: Iterable[Interval]) -> Hours:
    """The same intervals as a tuple; ValueError if they overlap or run backwards."""
    hours = tuple(intervals)
    for earlier, later in pairwise(hours):
        if later.opens < earlier.closes:
            raise ValueError(f"{later} begins before {earlier} ends")
    return hours


class DayKind(StrEnum):
    """Why a day differs from its weekday."""

    HOLIDAY = "holiday"
    MAKE_UP = "make_up"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """One date that differs from its weekday: no hours is a day off, some hours a working day.

    `name` is what people call it (国庆节) or the reason for a local rule; it may be empty.
    """

    kind: DayKind
    hours: Hours
    name: str = ""

    def __post_init__(self) -> None:
        in_order(self.hours)
