"""A limit as a value: an amount of working minutes, working days or calendar days."""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction


class Unit(StrEnum):
    """What a limit counts; the values are the units of its text form."""

    WORKING_MINUTES = "min"
    WORKING_DAYS = "wd"
    CALENDAR_DAYS = "cd"


_TEXT = re.compile(r"([1-9][0-9]{0,8})(h|min|wd|cd)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Limit:
    """A number of units, at least one; `WorkingCalendar.add` defines what each unit means."""

    unit: Unit
    amount: int

    def __post_init__(self) -> None:
        if self.amount < 1:
            raise ValueError(f"a limit is at least one {self.unit.name.lower()}, not {self.amount}")

    @classmethod
    def hours(cls, amount: int | Decimal | Fraction) -> "Limit":
        """Working hours; a fraction must come to whole minutes. ValueError if not, or below 1."""
        minutes = Fraction(amount) * 60
        if minutes.denominator != 1:
            raise ValueError(f"{amount} working hours are not whole minutes")
        return cls(Unit.WORKING_MINUTES, minutes.numerator)

    @classmethod
    def minutes(cls, amount: int) -> "Limit":
        """Working minutes, at least one; ValueError if fewer."""
        return cls(Unit.WORKING_MINUTES, amount)

    @classmethod
    def days(cls, amount: int) -> "Limit":
        """Working days, at least one; ValueError if fewer."""
        return cls(Unit.WORKING_DAYS, amount)

    @classmethod
    def calendar_days(cls, amount: int) -> "Limit":
        """Days of the calendar, rest days counted, at least one; ValueError if fewer."""
        return cls(Unit.CALENDAR_DAYS, amount)

    @classmethod
    def parse(cls, text: str) -> "Limit":
        """Reads what `str` writes: `2h`, `90min`, `5wd`, `15cd`; ValueError for all else."""
        found = _TEXT.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no limit: write 2h, 90min, 5wd or 15cd")
        amount, unit = int(found[1]), found[2]
        return cls.hours(amount) if unit == "h" else cls(Unit(unit), amount)

    def __str__(self) -> str:
        if self.unit is Unit.WORKING_MINUTES and self.amount % 60 == 0:
            return f"{self.amount // 60}h"
        return f"{self.amount}{self.unit.value}"
