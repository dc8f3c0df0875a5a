"""The national plan day by day, and limits across the holidays that people remember."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.calendar import CalendarExhausted, DayKind, Limit, SpecialDay
from shared.calendar.china import load_calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")

# As announced by the State Council's General Office: first and last day off, then days to make up.
PLANS = {
    2024: (
        [
            "01-01 01-01",
            "02-10 02-17",
            "04-04 04-06",
            "05-01 05-05",
            "06-08 06-10",
            "09-15 09-17",
            "10-01 10-07",
        ],
        ["02-04", "02-18", "04-07", "04-28", "05-11", "09-14", "09-29", "10-12"],
    ),
    2025: (
        ["01-01 01-01", "01-28 02-04", "04-04 04-06", "05-01 05-05", "05-31 06-02", "10-01 10-08"],
        ["01-26", "02-08", "04-27", "09-28", "10-11"],
    ),
    2026: (
        [
            "01-01 01-03",
            "02-15 02-23",
            "04-04 04-06",
            "05-01 05-05",
            "06-19 06-21",
            "09-25 09-27",
            "10-01 10-07",
        ],
        ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"],
    ),
}


@pytest.fixture(scope="module")
def china():
    return load_calendar(None, 2023, 2028)


@pytest.fixture(scope="module")
def seven_days(tmp_path_factory):
    """A town whose service hall is open every day of the week."""
    path = tmp_path_factory.mktemp("town") / "calendar.toml"
    path.write_text('[hours]\nsaturday = ["09:00-11:30"]\nsunday = ["09:00-11:30"]\n')
    return load_calendar(path, 2023, 2028)


def local(text):
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def days_of(year):
    return (date(year, 1, 1) + timedelta(days=n) for n in range(366 if year % 4 == 0 else 365))


def planned(year):
    spans, make_up = PLANS[year]
    off = set()
    for span in spans:
        first, last = (date.fromisoformat(f"{year}-{part}") for part in span.split())
        off |= {first + timedelta(days=n) for n in range((last - first).days + 1)}
    return off, {date.fromisoformat(f"{year}-{part}") for part in make_up}


@pytest.mark.parametrize("year", PLANS)
def test_every_day_of_an_announced_year_is_as_announced(china, year):
    off, make_up = planned(year)
    expected = {day for day in days_of(year) if day.weekday() < 5} - off | make_up
    assert {day for day in days_of(year) if china.is_working_day(day)} == expected


@pytest.mark.parametrize("year", [2025, 2026])
def test_the_weekend_inside_a_holiday_is_off_where_weekends_are_worked(seven_days, year):
    off, _ = planned(year)
    assert {day for day in days_of(year) if not seven_days.is_working_day(day)} == off


def test_a_make_up_day_has_the_hours_of_a_workday_even_where_its_weekday_has_shorter_ones(
    seven_days,
):
    makes_up, ordinary = date(2026, 2, 14), date(2026, 3, 14)
    assert [str(each) for each in seven_days.hours_of(makes_up)] == ["09:00-12:00", "13:30-17:30"]
    assert [str(each) for each in seven_days.hours_of(ordinary)] == ["09:00-11:30"]


def test_special_days_say_what_they_are(china):
    assert china.special[date(2025, 10, 1)] == SpecialDay(DayKind.HOLIDAY, (), "国庆节")
    assert china.special[date(2025, 10, 11)].kind is DayKind.MAKE_UP


@pytest.mark.parametrize(
    ("given", "limit", "then"),
    [
        # An ordinary week: lunch does not count, an end at the close stays at the close.
        ("2026-03-10 09:00", "2h", "2026-03-10 11:00"),
        ("2026-03-10 10:00", "2h", "2026-03-10 12:00"),
        ("2026-03-10 11:00", "2h", "2026-03-10 14:30"),
        ("2026-03-10 12:00", "2h", "2026-03-10 15:30"),
        ("2026-03-10 12:45", "2h", "2026-03-10 15:30"),
        ("2026-03-10 06:00", "2h", "2026-03-10 11:00"),
        ("2026-03-10 16:30", "2h", "2026-03-11 10:00"),
        ("2026-03-10 23:59:59", "2h", "2026-03-11 11:00"),
        ("2026-03-13 17:29", "1min", "2026-03-13 17:30"),
        ("2026-03-13 17:30", "1min", "2026-03-16 09:01"),
        ("2026-03-10 09:00", "7h", "2026-03-10 17:30"),
        # National Day and Mid-Autumn 2025: off from 1 to 8 October, made up on 28 September and 11.
        ("2025-09-30 16:30", "2h", "2025-10-09 10:00"),
        ("2025-10-03 10:00", "2h", "2025-10-09 11:00"),
        ("2025-09-26 17:00", "2h", "2025-09-28 10:30"),
        ("2025-10-10 17:00", "2h", "2025-10-11 10:30"),
        ("2025-09-30 10:00", "1wd", "2025-10-09 17:30"),
        ("2025-09-30 10:00", "3wd", "2025-10-11 17:30"),
        ("2025-09-30 10:00", "5wd", "2025-10-14 17:30"),
        ("2025-09-26 10:00", "1wd", "2025-09-28 17:30"),
        # Spring Festival 2026: off from 15 to 23 February, made up on Saturdays 14 and 28.
        ("2026-02-13 17:00", "2h", "2026-02-14 10:30"),
        ("2026-02-14 17:00", "2h", "2026-02-24 10:30"),
        ("2026-02-10 10:00", "5wd", "2026-02-24 17:30"),
        ("2026-02-10 10:00", "15wd", "2026-03-09 17:30"),
        ("2026-02-27 10:00", "1wd", "2026-02-28 17:30"),
        ("2026-02-16 20:00", "1wd", "2026-02-24 17:30"),
        # Working days: the day of the start never counts, whatever the hour.
        ("2026-03-10 10:00", "5wd", "2026-03-17 17:30"),
        ("2026-03-10 00:00", "1wd", "2026-03-11 17:30"),
        ("2026-03-10 23:59", "1wd", "2026-03-11 17:30"),
        ("2026-03-13 17:45", "1wd", "2026-03-16 17:30"),
        ("2026-03-14 10:00", "1wd", "2026-03-16 17:30"),
        # Calendar days: a last day of rest moves to the next working day, make-up days are none.
        ("2026-03-10 10:00", "15cd", "2026-03-25 17:30"),
        ("2026-03-13 10:00", "1cd", "2026-03-16 17:30"),
        ("2026-02-06 10:00", "8cd", "2026-02-14 17:30"),
        ("2026-02-06 10:00", "9cd", "2026-02-24 17:30"),
        # Year boundaries: 1 to 3 January 2026 off, Sunday the 4th made up; 2024 ends on a Tuesday.
        ("2025-12-31 17:00", "2h", "2026-01-04 10:30"),
        ("2025-12-31 10:00", "1wd", "2026-01-04 17:30"),
        ("2024-12-31 17:00", "1h", "2025-01-02 09:30"),
        ("2023-12-29 17:00", "1h", "2024-01-02 09:30"),
    ],
)
def test_limits_end_when_an_office_says_so(china, given, limit, then):
    assert china.add(local(given), Limit.parse(limit)) == local(then)


@pytest.mark.parametrize(
    ("deadline", "limit", "then"),
    [
        ("2026-03-10 15:30", "2h", "2026-03-10 13:30"),
        ("2026-03-10 14:30", "2h", "2026-03-10 11:00"),
        ("2025-10-09 10:00", "2h", "2025-09-30 16:30"),
        ("2026-03-17 17:30", "1wd", "2026-03-16 09:00"),
        ("2026-03-16 17:30", "1wd", "2026-03-13 09:00"),
        ("2026-02-24 17:30", "1wd", "2026-02-14 09:00"),
        ("2025-10-09 17:30", "3wd", "2025-09-28 09:00"),
        ("2026-03-17 17:30", "2cd", "2026-03-13 09:00"),
        ("2026-02-24 17:30", "2cd", "2026-02-14 09:00"),
        ("2026-02-24 17:30", "11cd", "2026-02-13 09:00"),
    ],
)
def test_a_reminder_comes_while_people_work_and_with_the_whole_limit_left(
    china, deadline, limit, then
):
    assert china.before(local(deadline), Limit.parse(limit)) == local(then)


@pytest.mark.parametrize(
    ("given", "then"),
    [
        ("2025-09-30 17:30", "2025-10-09 09:00"),
        ("2025-09-27 09:00", "2025-09-28 09:00"),
        ("2026-02-28 12:00", "2026-02-28 13:30"),
        ("2026-02-28 13:30", "2026-02-28 13:30"),
        ("2026-02-28 15:12:13.000001", "2026-02-28 15:12:13.000001"),
    ],
)
def test_the_next_opening(china, given, then):
    assert china.next_opening(local(given)) == local(then)


@pytest.mark.parametrize(
    ("moment", "working"),
    [
        ("2025-10-11 09:00", True),
        ("2025-10-11 08:59:59.999999", False),
        ("2025-10-11 12:00", False),
        ("2025-10-11 11:59:59.999999", True),
        ("2025-10-11 12:30", False),
        ("2025-10-18 10:00", False),
        ("2025-10-06 10:00", False),
    ],
)
def test_working_time_opens_inclusive_and_closes_exclusive(china, moment, working):
    assert china.is_working(local(moment)) is working


@pytest.mark.parametrize(
    ("due", "paused", "resumed", "then"),
    [
        # One hour of a morning; over lunch; over a holiday; entirely inside one; after the end.
        ("2026-03-17 17:30", "2026-03-11 10:00", "2026-03-11 11:00", "2026-03-18 10:00"),
        ("2026-03-17 17:30", "2026-03-11 11:00", "2026-03-11 14:30", "2026-03-18 11:00"),
        ("2026-03-02 17:30", "2026-02-14 16:30", "2026-02-24 10:00", "2026-03-03 11:00"),
        ("2026-03-02 17:30", "2026-02-16 00:00", "2026-02-22 23:00", "2026-03-02 17:30"),
        ("2026-03-17 17:30", "2026-03-18 10:00", "2026-03-18 11:00", "2026-03-17 17:30"),
        ("2026-03-17 12:00", "2026-03-17 11:59", "2026-03-18 09:00", "2026-03-18 09:01"),
        # An end that somebody set outside working time stays there until a hold costs time.
        ("2026-03-17 20:00", "2026-03-17 12:00", "2026-03-17 13:30", "2026-03-17 20:00"),
        ("2026-03-17 20:00", "2026-03-17 10:00", "2026-03-17 11:00", "2026-03-18 10:00"),
    ],
)
def test_a_hold_moves_the_end_by_the_working_time_it_took(china, due, paused, resumed, then):
    assert china.resume(local(due), local(paused), local(resumed)) == local(then)


def test_years_without_a_plan_have_the_statutory_days_and_say_that_they_may_move():
    calendar = load_calendar(None, 2025, 2099)
    assert calendar.announced_through.year >= 2026
    unplanned = calendar.announced_through.year + 1
    assert calendar.is_provisional(local(f"{unplanned}-01-01 00:00"))
    assert not calendar.is_provisional(local(f"{unplanned - 1}-12-31 23:59"))
    assert not calendar.is_working_day(date(unplanned, 10, 1))
    assert not any(calendar.is_working_day(day) for day in days_of(unplanned) if day.weekday() >= 5)


def test_a_calendar_entirely_before_or_after_the_plans_knows_it():
    assert load_calendar(None, 2025, 2025).announced_through == date(2025, 12, 31)
    assert load_calendar(None, 2090, 2091).announced_through < date(2090, 1, 1)


@pytest.mark.parametrize(("first", "last"), [(2026, 2025), (1999, 2026), (2026, 2100)])
def test_refuses_years_it_cannot_know(first, last):
    with pytest.raises(ValueError, match="are no years within 2001 to 2099"):
        load_calendar(None, first, last)


def test_says_which_years_it_covers_when_it_cannot_answer():
    calendar = load_calendar(None, 2026, 2026)
    with pytest.raises(CalendarExhausted, match="covers 2026-01-01 to 2026-12-31 Asia/Shanghai"):
        calendar.add(local("2026-12-30 10:00"), Limit.days(2))
