"""Reads moments and days: one strict form on the wire, and what an office types in its files. Pure; it has no clock.

A number is never seconds since 1970. `Misread.code` names the rule that a text breaks; the words for it are the
`field.<code>` entries of the message catalogue.
"""

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Final

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2200
"""The years of what is sent: far enough from the ends of the calendar that no zone and no limit runs past them."""

_WIRE: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt _](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)? ?([Zz]|([+-])(\d\d)(?::?(\d\d))?)?",
    re.ASCII,
)
_DAY: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_DIGITS: Final = re.compile(r"\s*[+-]?\d+(?:[.,]\d*)?(?:[eE][+-]?\d+)?\s*", re.ASCII)
# A `+` that nobody escaped in a query arrives as a space; before hours and minutes it can have been nothing else.
_LOST_PLUS: Final = re.compile(r"(.*\d) (\d\d:?\d\d)", re.ASCII)
_WIDEST_OFFSET: Final = timedelta(hours=16)


class Misread(ValueError):
    """A text that is no moment, or no day, of the form that is asked for; `code` says why.

    `rule` tells apart what the same code needs other words for: `query` for a parameter.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.rule = ""


def read_moment(text: str) -> datetime:
    """The moment in UTC that an RFC 3339 text names, in the years 1900 to 2200. Raises Misread.

    What senders really write is understood too: a space for the `T`, small letters, no seconds (Java), an offset
    without its colon (`%z`) or without its minutes (PostgreSQL), a blank before the offset (Ruby), more than six digits
    of a second (cut off), and a leap second (the second after it). `24:00` is refused, as RFC 3339 has it.
    """
    moment = read_recorded(text)
    if not FIRST_YEAR <= int(text[:4]) <= LAST_YEAR:
        raise Misread("datetime_range")
    return moment


def read_recorded(text: str) -> datetime:
    """The same of any year that UTC can hold: for what was recorded before the years had limits."""
    # What our own services write, a tenth of the time.
    if len(text) in (20, 27) and text[7] == "-" and text[10] == "T" and text[-1] == "Z":
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    found = _WIRE.fullmatch(text)
    if found is None:
        if _DIGITS.fullmatch(text):
            raise Misread("datetime_number")
        raise Misread("datetime_from_date_parsing" if _DAY.fullmatch(text) else "datetime_parsing")
    year, month, day, hour, minute, second, fraction, offset, *_ = found.groups()
    if offset is None:
        raise Misread("timezone_aware")
    leap = second == "60"
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour), int(minute),
            59 if leap else int(second or 0), _microseconds(fraction), _zone(found),
        ).astimezone(UTC)  # fmt: skip
    except ValueError:
        raise Misread("datetime_parsing") from None
    except OverflowError:
        raise Misread("datetime_range") from None
    return _after_leap_second(moment) if leap else moment


def _microseconds(fraction: str | None) -> int:
    return int(fraction[:6].ljust(6, "0")) if fraction else 0


def _zone(found: re.Match[str]) -> tzinfo:
    sign, hours, minutes = found[9], found[10], found[11]
    if sign is None:
        return UTC
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    if offset >= _WIDEST_OFFSET or int(minutes or 0) > 59:
        raise Misread("datetime_parsing")
    return timezone(-offset if sign == "-" else offset)


def _after_leap_second(moment: datetime) -> datetime:
    if (moment.hour, moment.minute) != (23, 59):
        raise Misread("datetime_parsing")
    return moment.replace(microsecond=0) + timedelta(seconds=1)


def read_day(text: str) -> date:
    """The day of `YYYY-MM-DD`, in the years 1900 to 2200. Raises Misread."""
    return in_range(read_recorded_day(text))


def read_recorded_day(text: str) -> date:
    """The same of any year: for what was recorded before the years had limits."""
    found = _DAY.fullmatch(text)
    if found is None:
        if _DIGITS.fullmatch(text):
            raise Misread("date_number")
        raise Misread("date_from_datetime_parsing" if _WIRE.fullmatch(text) else "date_parsing")
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        raise Misread("date_parsing") from None


def in_range(day: date) -> date:
    """The day, when its year is one of 1900 to 2200. Raises Misread."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Misread("date_range")
    return day


def with_lost_plus(text: str) -> str:
    """A moment of a query with the `+` of its offset put back, where it arrived as a space."""
    found = _LOST_PLUS.fullmatch(text)
    if found is None:
        return text
    mended = f"{found[1]}+{found[2]}"
    # `2026-03-02 09:30` has its space before the time, and no offset at all.
    return mended if _WIRE.fullmatch(mended) else text


# -- What an office types -----------------------------------------------------------------------------------------

_EXCEL_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - a wall clock
# Five digits are the days from 1927 to 2173; fewer or more are a year or a month with its year.
_EXCEL: Final = re.compile(r"\d{5}(?:\.\d+)?", re.ASCII)
_DATE: Final = (
    r"(?P<year>\d{4})(?:\s*(?P<mark>[-/.])\s*(?P<month>\d{1,2})\s*(?P=mark)\s*(?P<day>\d{1,2})"
    r"|\s*年\s*(?P<month_>\d{1,2})\s*月\s*(?P<day_>\d{1,2})\s*[日号]?"
    r"|(?P<month__>\d\d)(?P<day__>\d\d))"
)
_WEEKDAY: Final = r"(?:\s*\(?(?:星期|周|礼拜)(?P<weekday>[一二三四五六日天])\)?)?"
_TIME: Final = (
    r"(?P<half>凌晨|清晨|早晨|早上|上午|中午|下午|傍晚|晚上|晚|am|pm)?\s*"
    r"(?:(?P<hour>\d{1,2})(?:\s*[:时点]\s*(?P<minute>\d{1,2}|半|整)?(?:\s*[:分]\s*(?P<second>\d{1,2})?(?:\.\d+)?\s*秒?)?)"
    r"|(?P<hour_>\d\d)(?P<minute_>\d\d)(?P<second_>\d\d)?)\s*(?P<half_>am|pm)?"
)
_TYPED: Final = re.compile(rf"{_DATE}{_WEEKDAY}(?:\s*t?\s*{_TIME})?", re.ASCII)
_AMBIGUOUS: Final = re.compile(
    r"\d{1,2}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*(?:\d{4}|\d{1,2})(?!\d).*", re.ASCII
)
_WEEKDAYS: Final = "一二三四五六日"
# The hours of a day of 24 that each word may mean. People say 上午12:30 of noon, and Excel writes it of midnight.
_HALVES: Final = {
    "凌晨": range(7), "清晨": range(3, 10), "早晨": range(4, 12), "早上": range(4, 12), "上午": range(12),
    "中午": range(10, 15), "下午": range(12, 24), "傍晚": range(16, 21), "晚上": range(17, 24), "晚": range(17, 24),
    "am": range(12), "pm": range(12, 24),
}  # fmt: skip
_FROM_MIDNIGHT: Final = frozenset({"凌晨", "am"})
_FROM_ZERO: Final = frozenset({"凌晨", "上午", "am"})


def typed_moment(text: str, zone: tzinfo) -> datetime:
    """The moment in UTC that a cell names; without an offset it is of the wall clock in `zone`. Raises Misread.

    20260101, 2026/1/1, 2026.1.1, 2026-1-1, 2026年1月1日, each alone (its midnight) or with a time: 9:30, 9时30分,
    下午3点半, 202601010930; full-width digits; Excel's day number (45239.5 is noon).
    """
    found = typed_time(text, zone)
    if isinstance(found, datetime):
        return found
    return datetime.combine(found, time(), zone).astimezone(UTC)


def typed_day(text: str) -> date:
    """The day that a cell names, of the same forms; a time of midnight is passed over. Raises Misread."""
    written = _plain(text)
    if _has_offset(written):
        raise Misread("date_from_datetime_parsing")
    day, clock = _typed(written, "date")
    if clock:
        raise Misread("date_from_datetime_parsing")
    return in_range(day)


def typed_time(text: str, zone: tzinfo) -> date | datetime:
    """The day that a cell names, or the moment where it has a time. Raises Misread."""
    written = _plain(text)
    if _has_offset(written):
        return read_moment(written)
    day, clock = _typed(written, "datetime")
    try:
        in_range(day)
    except Misread:
        raise Misread("datetime_range") from None
    if clock is None:
        return day
    return (datetime.combine(day, time(), zone) + clock).astimezone(UTC)


def _plain(text: str) -> str:
    """Full-width characters as half-width ones, invisible ones left out, in small letters."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(each for each in plain if unicodedata.category(each) != "Cf").strip().lower()


def _has_offset(written: str) -> bool:
    found = _WIRE.fullmatch(written)
    return found is not None and found[8] is not None


def _typed(written: str, kind: str) -> tuple[date, timedelta | None]:
    """The day, and the time from its midnight, None where no time is written."""
    if _EXCEL.fullmatch(written):
        return _of_excel(written)
    found = _TYPED.fullmatch(written)
    if found is None:
        raise Misread(_why_not(written, kind))
    part = found.groupdict()
    try:
        day = date(int(part["year"]), _number(part, "month"), _number(part, "day"))
        clock = _clock(part)
    except ValueError:
        raise Misread(f"{kind}_parsing") from None
    if part["weekday"] and _WEEKDAYS.index(part["weekday"].replace("天", "日")) != day.weekday():
        raise Misread("weekday_differs")
    return day, clock


def _why_not(written: str, kind: str) -> str:
    if _DIGITS.fullmatch(written):
        return f"{kind}_number"
    return "date_ambiguous" if _AMBIGUOUS.fullmatch(written) else f"{kind}_parsing"


def _of_excel(written: str) -> tuple[date, timedelta | None]:
    days, _, fraction = written.partition(".")
    # Excel keeps a time as a binary fraction of a day: to the second it is what was typed.
    seconds = round(float(f"0.{fraction or 0}") * 86_400)
    day = (_EXCEL_EPOCH + timedelta(days=int(days))).date()
    return day, timedelta(seconds=seconds) if seconds else None


def _number(part: dict[str, str | None], name: str) -> int:
    """The number of a group, under whichever of its names it was found."""
    return int(next(part[each] for each in (name, f"{name}_", f"{name}__") if part.get(each)) or 0)


def _clock(part: dict[str, str | None]) -> timedelta | None:
    hours = part["hour"] or part["hour_"]
    if hours is None:
        return None
    hour = _on_a_day_of_24(int(hours), part["half"] or part["half_"])
    written = part["minute"] or part["minute_"] or "0"
    minute = {"半": 30, "整": 0}[written] if written in "半整" else int(written)
    second = int(part["second"] or part["second_"] or 0)
    if minute > 59 or second > 59 or hour > 24 or (hour == 24 and (minute or second)):
        raise ValueError("no such time")
    return timedelta(hours=hour, minutes=minute, seconds=second)


def _on_a_day_of_24(hour: int, half: str | None) -> int:
    """`hour` of a part of the day as one of 24. Raises ValueError for one that is not of it, or may be two."""
    if half is None:
        return hour
    noon = 0 if half in _FROM_MIDNIGHT else 12
    later = hour if hour in _HALVES[half] else hour + 12
    meant = noon if hour == 12 else later
    from_zero = hour > 0 or half in _FROM_ZERO
    if hour > 23 or not from_zero or meant not in _HALVES[half]:
        raise ValueError("no hour of that part of the day")
    return meant
