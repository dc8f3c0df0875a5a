"""The working calendar: when a limit ends; standard library only, and it never asks what time it is.

Instants are aware datetimes; results are in UTC. How a limit is counted follows the law that Chinese
offices count by (stated at `WorkingCalendar.add`).
"""

import hashlib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from shared.calendar.hours import Hours, SpecialDay, Week, in_order
from shared.calendar.limit import Limit, Unit
from shared.calendar.timeline import EPOCH, MICROSECOND, Timeline, lay_out

MINUTE_MICROSECONDS = 60_000_000


class CalendarExhausted(LookupError):
    """The answer, or an instant asked about, lies outside the years that the calendar covers."""


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Working time in `zone` from the day `first` to the day `last`, both included.

    `weekly` holds from Monday to Sunday; `special` replaces it for single dates (those outside the
    range are dropped). Days after `announced_through` are an estimate: the year's plan of holidays
    was not known when the calendar was made.

    `version` is a short hash of all that can move a deadline, and of nothing else: names of days do
    not change it. Store it beside every deadline. Calendars of the same version are equal.
    """

    zone: ZoneInfo
    weekly: Week = field(compare=False)
    special: Mapping[date, SpecialDay] = field(compare=False, repr=False)
    first: date
    last: date
    announced_through: date
    version: str = field(init=False)
    _line: Timeline = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.weekly) != 7:
            raise ValueError(f"a week has 7 days, not {len(self.weekly)}")
        if self.last < self.first:
            raise ValueError(f"the calendar ends on {self.last}, before its first day {self.first}")
        for hours in self.weekly:
            in_order(hours)
        special = {day: self.special[day] for day in sorted(self.special) if self._covers(day)}
        object.__setattr__(self, "special", MappingProxyType(special))
        length = (self.last - self.first).days + 1
        days = [self.hours_of(self.first + timedelta(days=number)) for number in range(length)]
        object.__setattr__(self, "_line", lay_out(days, self.first, self.zone))
        object.__setattr__(self, "version", self._hash())

    # -- what a moment or a day is ---------------------------------------------------------------

    def is_working(self, at: datetime) -> bool:
        """Whether `at` is working time: the opening moment is, the closing moment is not."""
        instant = self._instant(at)
        position = bisect_right(self._line.opens, instant) - 1
        return position >= 0 and instant < self._line.closes[position]

    def is_working_day(self, day: date) -> bool:
        """Whether there is any working time on that local day."""
        number = self._number(day)
        return self._line.days_before[number] < self._line.days_before[number + 1]

    def hours_of(self, day: date) -> Hours:
        """The working intervals of that local day; none on a day of rest."""
        if not self._covers(day):
            raise self._exhausted(f"{day} is outside")
        special = self.special.get(day)
        return self.weekly[day.weekday()] if special is None else special.hours

    def is_provisional(self, at: datetime) -> bool:
        """Whether `at` lies after the last day whose holidays are announced, and may yet move."""
        return self._local_day(self._instant(at)) > self.announced_through

    def next_opening(self, at: datetime) -> datetime:
        """The first moment of working time from `at` on; `at` itself during working time."""
        moment = self._line.latest(self._line.elapsed(self._instant(at)))
        if moment is None:
            raise self._exhausted(f"the next opening from {at.isoformat()} is outside")
        return _moment(moment)

    def after_rest(self, at: datetime) -> datetime:
        """`at` itself on a day with working time, at whatever hour; on a day off the next opening."""
        day = self._local_day(self._instant(at))
        return at if self.is_working_day(day) else self.next_opening(at)

    def working_time_between(self, a: datetime, b: datetime) -> timedelta:
        """Working time from `a` to `b`; negative when `b` is the earlier."""
        worked = self._line.elapsed(self._instant(b)) - self._line.elapsed(self._instant(a))
        return timedelta(microseconds=worked)

    # -- limits ----------------------------------------------------------------------------------

    def add(self, start: datetime, limit: Limit) -> datetime:
        """When a limit that starts at `start` ends: always in working time or at its close.

        - Working hours run from `start`, or from the next opening when `start` is outside working
          time; used up exactly at the close of an interval, they end there and not at the opening
          after it.
        - Working days: the day of `start` does not count, at whatever hour and whether or not it
          is worked; the limit ends at the close of the last working day. 5 working days from
          Tuesday 10:00 end on the next Tuesday at 17:30.
        - Calendar days: the day of `start` does not count; the limit ends at the close of the last
          day, or of the first working day after it when that is a day of rest.

        Law: Civil Code (民法典) art. 201 (开始的当日不计入，自下一日开始计算; hours run from the
        moment itself) and art. 203 (a last day of rest moves to the day after it; 有业务时间的，
        停止业务活动的时间为截止时间); Administrative Licensing Law (行政许可法) art. 82 (limits in
        working days leave out the statutory holidays).

        CalendarExhausted when `start` or the end lies outside the calendar's years.
        """
        line, instant = self._line, self._instant(start)
        match limit.unit:
            case Unit.WORKING_MINUTES:
                worked = line.elapsed(instant) + limit.amount * MINUTE_MICROSECONDS
                end = line.earliest(worked)
            case Unit.WORKING_DAYS:
                today = self._number(self._local_day(instant))
                end = _pick(line.day_closes, line.days_before[today + 1] + limit.amount - 1)
            case Unit.CALENDAR_DAYS:
                day = self._number(self._local_day(instant)) + limit.amount
                end = _pick(line.day_closes, _pick(line.days_before, day))
        if end is None:
            raise self._exhausted(f"the end of {limit} from {start.isoformat()} is outside")
        return _moment(end)

    def before(self, deadline: datetime, limit: Limit) -> datetime:
        """The latest moment in working time with the whole limit left to `deadline`: for reminders.

        The mirror of `add`. Working hours are counted back from `deadline`; days end with the
        opening of that many working days (calendar days: or the working day before a day of rest)
        before the day of `deadline`. CalendarExhausted when that lies outside the calendar's years.
        """
        line, instant = self._line, self._instant(deadline)
        match limit.unit:
            case Unit.WORKING_MINUTES:
                worked = line.elapsed(instant) - limit.amount * MINUTE_MICROSECONDS
                moment = line.latest(worked)
            case Unit.WORKING_DAYS:
                moment = _pick(
                    line.day_opens, line.days_before[self._last_number(instant)] - limit.amount
                )
            case Unit.CALENDAR_DAYS:
                day = self._last_number(instant) - limit.amount
                through = _pick(line.days_before, day + 1)
                moment = _pick(line.day_opens, None if through is None else through - 1)
        if moment is None:
            raise self._exhausted(f"{limit} before {deadline.isoformat()} is outside")
        return _moment(moment)

    def resume(self, due: datetime, paused_at: datetime, resumed_at: datetime) -> datetime:
        """`due` later by the working time that the clock stood still.

        At `resumed_at` exactly as much working time is left as was left at `paused_at`. A limit
        that had already ended when the pause began stays where it was: a pause undoes no breach.
        ValueError when `resumed_at` is before `paused_at`.
        """
        line, instant = self._line, self._instant(due)
        paused, resumed = self._instant(paused_at), self._instant(resumed_at)
        if resumed < paused:
            raise ValueError(f"resumed at {resumed_at}, before the pause at {paused_at}")
        lost = line.elapsed(resumed) - line.elapsed(paused)
        if lost == 0 or instant <= paused:
            return _moment(instant)
        end = line.earliest(line.elapsed(instant) + lost)
        if end is None:
            raise self._exhausted(f"the end of the limit due at {due.isoformat()} is outside")
        return _moment(end)

    # -- inside ----------------------------------------------------------------------------------

    def _covers(self, day: date) -> bool:
        return self.first <= day <= self.last

    def _number(self, day: date) -> int:
        if not self._covers(day):
            raise self._exhausted(f"{day} is outside")
        return (day - self.first).days

    def _last_number(self, deadline: int) -> int:
        """The number of the day that a deadline ends: at midnight, the day before it."""
        return self._number(self._local_day(deadline - 1))

    def _instant(self, at: datetime) -> int:
        if at.tzinfo is None:
            raise ValueError(f"{at.isoformat()} has no time zone, so it is no moment in time")
        instant = (at - EPOCH) // MICROSECOND
        if not self._line.begins <= instant <= self._line.ends:
            raise self._exhausted(f"{at.isoformat()} is outside")
        return instant

    def _local_day(self, instant: int) -> date:
        return _moment(instant).astimezone(self.zone).date()

    def _exhausted(self, what: str) -> CalendarExhausted:
        return CalendarExhausted(
            f"{what} the working calendar, which covers {self.first} to {self.last} {self.zone.key}"
        )

    def _hash(self) -> str:
        lines = ["working calendar 1", self.zone.key, str(self.first), str(self.last)]
        lines += [_text(hours) for hours in self.weekly]
        lines += [
            f"{day} {_text(special.hours)}"
            for day, special in self.special.items()
            if special.hours != self.weekly[day.weekday()]
        ]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def _moment(instant: int) -> datetime:
    return EPOCH + timedelta(microseconds=instant)


def _pick(items: tuple[int, ...], at: int | None) -> int | None:
    """The item there, None beyond either end."""
    return items[at] if at is not None and 0 <= at < len(items) else None


def _text(hours: Hours) -> str:
    return ",".join(map(str, hours))
