"""What the calendar promises apart from any country: zones, edges, versions, refusals, speed."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest

from shared.calendar import (
    CalendarExhausted,
    DayKind,
    Interval,
    Limit,
    SpecialDay,
    WorkingCalendar,
)

NEW_YORK = ZoneInfo("America/New_York")
OFFICE = (Interval.parse("09:00-12:00"), Interval.parse("13:30-17:30"))
EVERY_NIGHT = (Interval.parse("00:00-04:00"), Interval.parse("22:00-24:00"))


def calendar_of(hours, *, days=5, zone=NEW_YORK, special=None):
    return WorkingCalendar(
        zone=zone,
        weekly=(hours,) * days + ((),) * (7 - days),
        special=special or {},
        first=date(2025, 1, 1),
        last=date(2026, 12, 31),
        announced_through=date(2026, 12, 31),
    )


@pytest.fixture(scope="module")
def office():
    return calendar_of(OFFICE)


def new_york(text, fold=0):
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK, fold=fold)


def hours(number):
    return timedelta(hours=number)


def test_office_hours_follow_the_wall_clock_when_it_changes(office):
    """Clocks go forward on 9 March 2025, back on 2 November: 17:30 is another hour of UTC."""
    assert office.add(new_york("2025-03-07 16:30"), Limit.hours(2)) == datetime(
        2025, 3, 10, 14, tzinfo=UTC
    )
    assert office.add(new_york("2025-03-03 10:00"), Limit.days(5)) == datetime(
        2025, 3, 10, 21, 30, tzinfo=UTC
    )
    assert office.add(new_york("2025-10-31 10:00"), Limit.days(1)) == datetime(
        2025, 11, 3, 22, 30, tzinfo=UTC
    )


def test_a_night_has_the_hours_that_really_pass():
    nights = calendar_of(EVERY_NIGHT, days=7)
    worked = nights.working_time_between
    assert worked(new_york("2025-03-08 12:00"), new_york("2025-03-09 12:00")) == hours(5)
    assert worked(new_york("2025-11-01 12:00"), new_york("2025-11-02 12:00")) == hours(7)
    assert worked(new_york("2025-06-01 12:00"), new_york("2025-06-02 12:00")) == hours(6)
    assert worked(new_york("2025-11-02 01:30"), new_york("2025-11-02 01:30", fold=1)) == hours(1)


@pytest.mark.parametrize(
    ("hours_written", "minutes"),
    [
        (["02:15-02:45"], 30),
        (["02:15-02:45", "03:00-04:00"], 45),
        (["02:30-03:15"], 0),
        (["01:30-02:30", "02:30-03:30"], 60),
        (["02:00-03:00", "03:00-04:00"], 60),
    ],
)
def test_no_moment_counts_twice_when_hours_fall_into_the_lost_hour(hours_written, minutes):
    lost = calendar_of(tuple(map(Interval.parse, hours_written)), days=7)
    begin, end = new_york("2025-03-09 00:00"), new_york("2025-03-10 00:00")
    assert lost.working_time_between(begin, end) == timedelta(minutes=minutes)
    assert lost.is_working_day(date(2025, 3, 9)) is (minutes > 0)


def test_a_deadline_at_midnight_belongs_to_the_day_it_ends():
    nights = calendar_of(EVERY_NIGHT, days=7)
    due = nights.add(new_york("2025-06-02 12:00"), Limit.days(1))
    assert due == new_york("2025-06-04 00:00")
    assert nights.before(due, Limit.days(1)) == new_york("2025-06-02 00:00")
    assert nights.before(due, Limit.calendar_days(1)) == new_york("2025-06-02 00:00")


def test_instants_are_taken_in_any_zone_and_given_in_utc(office):
    at = new_york("2025-06-02 10:00")
    results = {office.add(at.astimezone(zone), Limit.hours(2)) for zone in (UTC, NEW_YORK)}
    assert results == {datetime(2025, 6, 2, 16, tzinfo=UTC)}
    given = [
        office.add(at, Limit.days(1)),
        office.before(at, Limit.days(1)),
        office.next_opening(at),
        office.resume(at, at, at),
    ]
    assert [moment.tzinfo for moment in given] == [UTC] * 4


def test_naive_times_are_refused(office):
    naive, aware = datetime(2025, 6, 2, 10), new_york("2025-06-02 10:00")  # noqa: DTZ001
    for ask in (
        lambda: office.add(naive, Limit.days(1)),
        lambda: office.before(naive, Limit.days(1)),
        lambda: office.is_working(naive),
        lambda: office.next_opening(naive),
        lambda: office.working_time_between(naive, aware),
        lambda: office.working_time_between(aware, naive),
        lambda: office.resume(aware, naive, aware),
    ):
        with pytest.raises(ValueError, match="has no time zone"):
            ask()


def test_time_between_is_negative_backwards(office):
    monday, tuesday = new_york("2025-06-02 10:00"), new_york("2025-06-03 10:00")
    assert office.working_time_between(monday, tuesday) == hours(7)
    assert office.working_time_between(tuesday, monday) == -hours(7)


def test_a_pause_cannot_end_before_it_began(office):
    at = new_york("2025-11-02 01:30", fold=1)
    with pytest.raises(ValueError, match="before the pause"):
        office.resume(at, at, at.replace(fold=0))


IN_RANGE = new_york("2025-06-02 10:00")
EARLY = new_york("2024-12-31 23:59:59")
LATE = new_york("2027-01-01 00:00:01")


@pytest.mark.parametrize(
    "ask",
    [
        lambda office: office.add(EARLY, Limit.days(1)),
        lambda office: office.add(LATE, Limit.hours(1)),
        lambda office: office.add(IN_RANGE, Limit.hours(10**6)),
        lambda office: office.add(IN_RANGE, Limit.days(10**6)),
        lambda office: office.add(IN_RANGE, Limit.calendar_days(10**8)),
        lambda office: office.add(new_york("2026-12-31 10:00"), Limit.calendar_days(1)),
        lambda office: office.add(new_york("2026-12-31 17:30"), Limit.minutes(1)),
        lambda office: office.before(IN_RANGE, Limit.hours(10**6)),
        lambda office: office.before(IN_RANGE, Limit.days(10**6)),
        lambda office: office.before(IN_RANGE, Limit.calendar_days(10**8)),
        lambda office: office.before(new_york("2025-01-01 10:00"), Limit.calendar_days(1)),
        lambda office: office.before(new_york("2025-01-01 10:00"), Limit.calendar_days(2)),
        lambda office: office.before(new_york("2025-01-01 10:00"), Limit.days(1)),
        lambda office: office.before(new_york("2025-01-01 09:00"), Limit.minutes(1)),
        lambda office: office.resume(
            new_york("2026-12-31 17:00"), IN_RANGE, IN_RANGE + timedelta(days=1)
        ),
        lambda office: office.next_opening(new_york("2026-12-31 17:30")),
        lambda office: office.is_working(LATE),
        lambda office: office.is_working_day(date(2027, 1, 1)),
        lambda office: office.hours_of(date(2024, 12, 31)),
        lambda office: office.working_time_between(EARLY, IN_RANGE),
    ],
)
def test_beyond_its_years_it_says_so_and_does_not_guess(office, ask):
    with pytest.raises(CalendarExhausted, match="outside the working calendar, which covers 2025"):
        ask(office)


def test_the_last_moments_of_its_years_can_still_be_asked_for(office):
    start = new_york("2026-12-30 10:00")
    close = new_york("2026-12-31 17:30")
    assert office.add(start, Limit.days(1)) == close
    assert office.add(start, Limit.calendar_days(1)) == close
    assert office.add(start, Limit.hours(13)) == close
    assert office.before(new_york("2025-01-02 17:30"), Limit.days(1)) == new_york(
        "2025-01-01 09:00"
    )
    assert office.before(new_york("2025-01-01 10:00"), Limit.hours(1)) == new_york(
        "2025-01-01 09:00"
    )
    assert office.before(new_york("2025-01-02 10:00"), Limit.calendar_days(1)) == new_york(
        "2025-01-01 09:00"
    )


def test_an_end_at_its_very_last_midnight_can_be_worked_with():
    nights = calendar_of(EVERY_NIGHT, days=7)
    due = nights.add(new_york("2026-12-30 12:00"), Limit.days(1))
    assert due == new_york("2027-01-01 00:00")
    assert nights.before(due, Limit.hours(1)) == new_york("2026-12-31 23:00")
    assert nights.before(due, Limit.days(1)) == new_york("2026-12-30 00:00")
    assert not nights.is_working(due)


def test_a_calendar_without_any_work_never_ends_a_search():
    never = calendar_of(())
    assert not never.is_working(IN_RANGE)
    assert never.working_time_between(IN_RANGE, IN_RANGE + timedelta(days=90)) == hours(0)
    for limit in (Limit.minutes(1), Limit.days(1), Limit.calendar_days(1)):
        with pytest.raises(CalendarExhausted):
            never.add(IN_RANGE, limit)
        with pytest.raises(CalendarExhausted):
            never.before(IN_RANGE, limit)


MONDAY = date(2025, 6, 2)
OFF = SpecialDay(DayKind.HOLIDAY, (), "a feast")


def test_the_version_is_the_same_when_nothing_could_move(office):
    first, second = {MONDAY: OFF, date(2025, 6, 3): OFF}, {date(2025, 6, 3): OFF, MONDAY: OFF}
    assert replace(office, special=first) == replace(office, special=second)
    renamed = {MONDAY: SpecialDay(DayKind.LOCAL, (), "another name")}
    assert replace(office, special={MONDAY: OFF}) == replace(office, special=renamed)
    idle = {date(2025, 6, 7): OFF, MONDAY: SpecialDay(DayKind.LOCAL, OFFICE), date(2030, 1, 1): OFF}
    assert replace(office, special=idle) == office
    assert hash(replace(office, special=idle)) == hash(office)


def test_the_version_is_a_short_text_that_does_not_change_from_run_to_run(office):
    assert office.version == "0a0854711767"


def test_each_thing_that_can_move_a_deadline_changes_the_version(office):
    shorter = (*office.weekly[:4], OFFICE[:1], (), ())
    moved = [
        office,
        replace(office, zone=ZoneInfo("America/Toronto")),
        replace(office, weekly=shorter),
        replace(office, weekly=(*office.weekly[1:], OFFICE)),
        replace(office, special={MONDAY: OFF}),
        replace(office, special={date(2025, 6, 3): OFF}),
        replace(office, special={MONDAY: SpecialDay(DayKind.HOLIDAY, OFFICE[:1])}),
        replace(office, first=date(2025, 1, 2)),
        replace(office, last=date(2026, 12, 30)),
    ]
    assert len({calendar.version for calendar in moved}) == len(moved)


def test_a_calendar_keeps_nothing_of_what_it_was_made_from(office):
    special = {MONDAY: OFF}
    calendar = replace(office, special=special)
    special.clear()
    assert calendar.special == {MONDAY: OFF}
    with pytest.raises(TypeError):
        calendar.special[MONDAY] = OFF


def test_wrong_weeks_hours_and_ranges_are_refused(office):
    with pytest.raises(ValueError, match="a week has 7 days, not 6"):
        replace(office, weekly=office.weekly[:6])
    with pytest.raises(ValueError, match="begins before"):
        replace(office, weekly=(OFFICE[::-1], *office.weekly[1:]))
    with pytest.raises(ValueError, match="begins before"):
        SpecialDay(DayKind.LOCAL, (Interval(540, 720), Interval(719, 800)))
    with pytest.raises(ValueError, match="before its first day"):
        replace(office, last=date(2024, 12, 31))
    for opens, closes in ((-1, 60), (60, 60), (61, 60), (0, 1441)):
        with pytest.raises(ValueError, match="does not open before it closes"):
            Interval(opens, closes)


def test_a_thousand_deadlines_take_no_time_worth_speaking_of(office):
    """A few microseconds each where this was written: the limit is a hundred times that."""
    limits = [Limit.hours(2), Limit.days(15), Limit.calendar_days(15), Limit.days(1)] * 250
    began = perf_counter()
    for limit in limits:
        office.add(IN_RANGE, limit)
    assert perf_counter() - began < 0.5
