"""Makes the working calendar of a Chinese town; it reads holiday data and one file, once at start.

The holidays and make-up working days (调休上班) are the State Council's yearly plans as the `holidays`
package has them. It announces a year's plan in the autumn before it; for a year without a plan only
the statutory holidays can be known.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from holidays import country_holidays

from shared.calendar.hours import DayKind, Hours, SpecialDay
from shared.calendar.local_file import FIRST_YEAR, LAST_YEAR, LocalCalendar, read_local_file
from shared.calendar.working import WorkingCalendar

SATURDAY = 5


def service_calendar(path: Path | None) -> WorkingCalendar:
    """The calendar as every service loads it: of the same years always, since they are part of its version.

    Raises CalendarFileError naming every problem of the file at `path`.
    """
    return load_calendar(path, FIRST_YEAR, LAST_YEAR)


def load_calendar(path: Path | None, first_year: int, last_year: int) -> WorkingCalendar:
    """The calendar from 1 January of `first_year` to 31 December of `last_year` (2001 to 2099).

    `path` is the town's own file (`example.toml` explains it) and may be left out; what it says of
    a date takes the place of what the plan says. ValueError when the years are wrong,
    CalendarFileError (one too) naming every problem of the file.
    """
    if not 2001 <= first_year <= last_year <= 2099:
        raise ValueError(f"{first_year} to {last_year} are no years within 2001 to 2099")
    local = LocalCalendar() if path is None else read_local_file(path)
    special, planned_year = _national_days(first_year, last_year, local.hours.make_up_hours())
    special |= _local_days(local)
    announced_year = max(planned_year, local.announced_through or 0)
    return WorkingCalendar(
        zone=local.zone,
        weekly=local.hours.week(),
        special=special,
        first=date(first_year, 1, 1),
        last=date(last_year, 12, 31),
        announced_through=date(min(announced_year, last_year), 12, 31),
    )


def _national_days(
    first_year: int, last_year: int, make_up_hours: Hours
) -> tuple[dict[date, SpecialDay], int]:
    """The special days, and the last year with a plan: the last with a make-up day in it.

    Every plan since 2001 has had make-up days. A plan can also name the last days of the year
    before, so that the year after `last_year` is asked for too.
    """
    years = range(first_year, last_year + 2)
    known = country_holidays("CN", years=years, language="zh_CN")
    make_up = known.weekend_workdays
    special = {day: SpecialDay(DayKind.HOLIDAY, (), name) for day, name in known.items()}
    for day in list(special):
        for weekend_day in _joined_weekend(day, make_up):
            special.setdefault(weekend_day, SpecialDay(DayKind.HOLIDAY, ()))
    special |= {day: SpecialDay(DayKind.MAKE_UP, make_up_hours) for day in make_up}
    planned = [day.year for day in make_up if day.year <= last_year]
    return special, max(planned, default=first_year - 1)


def _joined_weekend(holiday: date, make_up: set[date]) -> Iterator[date]:
    """The days of a weekend that a holiday touches: off for those too who else work on Saturdays.

    The data names only the weekdays and the statutory days of a long holiday.
    """
    for step in (timedelta(days=-1), timedelta(days=1)):
        day = holiday + step
        for _ in range(2):
            if day.weekday() < SATURDAY or day in make_up:
                break
            yield day
            day += step


def _local_days(local: LocalCalendar) -> dict[date, SpecialDay]:
    usual = local.hours.make_up_hours()
    week = local.hours.week()
    days = {}
    for entry in local.day:
        for day in entry.dates():
            hours: Hours = ()
            if entry.day_is == "workday":
                hours = entry.hours or week[day.weekday()] or usual
            days[day] = SpecialDay(DayKind.LOCAL, hours, entry.reason)
    return days
