"""Reads and checks a town's own calendar file (TOML or JSON); it decides no deadline.

Such a file is typed by office workers, so every problem in it is reported, and all at once.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from shared.calendar.hours import Hours, Interval, Week, in_order
from shared.contracts.fields.folding import compact, is_visible, turns_text_round
from shared.contracts.fields.moments import Misread, typed_day

# Dashes, and the words and signs that stand for one between two hours.
_DASH = re.compile("[\u2010-\u2015\u2212~\u301c至到]|--")
_ONE_DIGIT = re.compile(r"(?<![0-9:])[0-9](?=:)")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FIRST_YEAR, LAST_YEAR = 2020, 2045
"""The years that the services' calendar covers."""
LONGEST_SPAN_DAYS = 60
LENGTH_OF_EXCELS = 5


class CalendarFileError(ValueError):
    """The calendar file cannot be used; the message names the file and every problem in it."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        super().__init__("\n".join(f"{path}: {problem}" for problem in problems))
        self.problems = problems


def _read_hours(value: object) -> Hours:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError('write a list of intervals such as ["09:00-12:00", "13:30-17:30"]')
    return in_order(Interval.parse(_plain_hours(item)) for item in value)


def _plain_hours(written: str) -> str:
    """`9：00～12：00`, as an office types it, in the form 09:00-12:00."""
    plain = _DASH.sub("-", compact(written))
    return _ONE_DIGIT.sub(r"0\g<0>", plain)


def _read_zone(value: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(value))
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{value!r} is no time zone that this machine knows") from error


def _read_date(value: object) -> date:
    """A date of TOML, or one as an office types it: "2026-05-01", 20260501, "2026年5月1日"."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return _within_years(value)
    written = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    try:
        # Excel's day numbers are meant where there are columns, not here.
        if len(written) != LENGTH_OF_EXCELS:
            return _within_years(typed_day(written))
    except Misread:
        pass
    raise ValueError("Input should be a date such as 2026-05-01")


def _within_years(day: date) -> date:
    # A day that the calendar does not cover would change nothing, with nobody told.
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(
            f"Input should be a date in the years {FIRST_YEAR} to {LAST_YEAR}, not {day}"
        )
    return day


def _read_reason(reason: str) -> str:
    if not is_visible(reason) or turns_text_round(reason) or not reason.isprintable():
        raise ValueError("write words that can be seen, in one line without control characters")
    return reason


HoursField = Annotated[Hours, PlainValidator(_read_hours)]
ZoneField = Annotated[ZoneInfo, PlainValidator(_read_zone)]
DateField = Annotated[date, BeforeValidator(_read_date)]

DEFAULT_HOURS = _read_hours(["09:00-12:00", "13:30-17:30"])


class _StrictFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class WeekHours(_StrictFile):
    """`workdays` is Monday to Friday; a weekday named on its own overrules it."""

    workdays: HoursField = DEFAULT_HOURS
    make_up: HoursField | None = None
    monday: HoursField | None = None
    tuesday: HoursField | None = None
    wednesday: HoursField | None = None
    thursday: HoursField | None = None
    friday: HoursField | None = None
    saturday: HoursField | None = None
    sunday: HoursField | None = None

    @model_validator(mode="after")
    def _some_work(self) -> Self:
        if not any(self.week()):
            raise ValueError("no weekday has any working hours")
        if not self.make_up_hours():
            raise ValueError("make-up working days have no hours")
        return self

    def week(self) -> Week:
        """The hours from Monday to Sunday."""
        named = [getattr(self, name) for name in WEEKDAYS]
        usual = [self.workdays] * 5 + [()] * 2
        chosen = [own if own is not None else usual[at] for at, own in enumerate(named)]
        return cast(Week, tuple(chosen))

    def make_up_hours(self) -> Hours:
        """The hours of a make-up working day: its own if written, else those of a workday."""
        return self.workdays if self.make_up is None else self.make_up


class LocalDay(_StrictFile):
    """One date, or all from `date` to `until` inclusive, that differs; `hours` only when worked."""

    start: DateField = Field(alias="date")
    until: DateField | None = None
    day_is: Literal["holiday", "workday"] = Field(alias="is")
    hours: HoursField | None = None
    reason: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
        AfterValidator(_read_reason),
    ]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not 0 < self._length() <= LONGEST_SPAN_DAYS:
            raise ValueError(
                f"until {self.until} is not within {LONGEST_SPAN_DAYS} days from {self.start}"
            )
        if self.day_is == "holiday" and self.hours is not None:
            raise ValueError('a holiday has no hours; write is = "workday" for a short day')
        if self.hours == ():
            raise ValueError('a workday has some hours; write is = "holiday" for a day off')
        return self

    def dates(self) -> Iterator[date]:
        """Every date that this entry speaks of."""
        for number in range(self._length()):
            yield self.start + timedelta(days=number)

    def _length(self) -> int:
        return ((self.until or self.start) - self.start).days + 1


class LocalCalendar(_StrictFile):
    """The whole file. `announced_through` is the last year whose plan is typed out in `day`."""

    zone: ZoneField = Field(default_factory=lambda: _read_zone("Asia/Shanghai"))
    announced_through: int | None = Field(default=None, ge=2000, le=2099)
    hours: WeekHours = WeekHours()
    day: tuple[LocalDay, ...] = ()

    @model_validator(mode="after")
    def _each_date_once(self) -> Self:
        seen: set[date] = set()
        for at, entry in enumerate(self.day, start=1):
            twice = sorted(seen.intersection(entry.dates()))
            if twice:
                raise ValueError(f"{twice[0]} is in day[{at}] and in an entry before it")
            seen.update(entry.dates())
        return self


def read_local_file(path: Path) -> LocalCalendar:
    """The file's content. CalendarFileError when it is missing, unreadable or wrong anywhere."""
    try:
        return LocalCalendar.model_validate(_load(path))
    except ValidationError as error:
        raise CalendarFileError(path, [_in_words(each) for each in error.errors()]) from error


def _load(path: Path) -> dict[str, Any]:
    try:
        # Editors on Windows put a byte order mark before what they save.
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CalendarFileError(path, [f"cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise CalendarFileError(path, ["is not saved as UTF-8"]) from error
    try:
        is_json = path.suffix.lower() == ".json"
        content = json.loads(text, object_pairs_hook=_once) if is_json else tomllib.loads(text)
    except RecursionError as error:
        raise CalendarFileError(path, ["is nested too deeply"]) from error
    except ValueError as error:
        raise CalendarFileError(path, [f"is not well formed: {error}"]) from error
    if not isinstance(content, dict):
        raise CalendarFileError(path, ["is not an object of settings"])
    return content


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object. Raises ValueError for a name that stands twice, whose first value would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice} stands twice in one object")
    return found


def _in_words(error: ErrorDetails) -> str:
    """`day[3].hours: …`, counting entries from 1 as a person does."""
    place = ""
    for part in error["loc"]:
        place += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if place else part
    message = error["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
