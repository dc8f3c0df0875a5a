"""What holds for every calendar, start and limit, and agrees with counting minute by minute."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from shared.calendar import (
    CalendarExhausted,
    DayKind,
    Interval,
    Limit,
    SpecialDay,
    Unit,
    WorkingCalendar,
)
from shared.calendar.china import load_calendar

pytestmark = pytest.mark.thorough
"""Years of days."""

# 2025 in New York, Lord Howe (half an hour) and Santiago (at midnight): each has both changes.
ZONES = ["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "UTC"]
FIRST, LAST = date(2025, 2, 1), date(2025, 12, 31)
CHINA = load_calendar(None, 2025, 2026)
TICK = timedelta(microseconds=1)
NO_TIME = timedelta(0)


def moments(first, last):
    """To the microsecond, but whole quarters of an hour often: the edges are there."""
    span = (last - first) // TICK
    begin = datetime.combine(first, time(), UTC)
    quarters = st.integers(0, span // (900 * 10**6)).map(lambda n: n * 900 * 10**6)
    return (quarters | st.integers(0, span)).map(lambda n: begin + n * TICK)


@st.composite
def days_hours(draw, earliest=0):
    cuts = draw(st.lists(st.integers(earliest, 96), min_size=2, max_size=6, unique=True))
    cuts = [cut * 15 for cut in sorted(cuts)]
    touching = draw(st.booleans())
    pairs = pairwise(cuts) if touching else zip(cuts[::2], cuts[1::2], strict=False)
    return tuple(Interval(opens, closes) for opens, closes in pairs)


@st.composite
def calendars(draw, earliest=0, zones=tuple(ZONES)):
    hours = st.just(()) | days_hours(earliest)
    weekly = tuple(draw(st.tuples(*[hours] * 7)))
    assume(sum(map(bool, weekly)) >= 2)
    dates = st.integers(0, (LAST - FIRST).days).map(lambda n: FIRST + timedelta(days=n))
    special = draw(
        st.dictionaries(dates, hours.map(lambda each: SpecialDay(DayKind.LOCAL, each)), max_size=12)
    )
    zone = ZoneInfo(draw(st.sampled_from(zones)))
    return WorkingCalendar(zone, weekly, special, FIRST, LAST, LAST)


# The year of China's plan as it is, and any other calendar that one could write down.
CALENDARS = st.just(CHINA) | calendars()
STARTS = moments(date(2025, 2, 8), date(2025, 11, 1))
MINUTES = st.integers(1, 1500).map(Limit.minutes)
LIMITS = MINUTES | st.integers(1, 12).map(Limit.days) | st.integers(1, 30).map(Limit.calendar_days)


def holds_for(*strategies, examples=100):
    """`given`, on a machine that may be busy with other things."""
    busy = settings(max_examples=examples, suppress_health_check=[HealthCheck.too_slow])
    return lambda test: busy(given(*strategies)(test))


def answered(ask, *args):
    """The answer, where the calendar's years hold one."""
    try:
        return ask(*args)
    except CalendarExhausted:
        assume(False)


def local_day(calendar, at):
    return at.astimezone(calendar.zone).date()


def working_days(calendar, after, through):
    days = (after + timedelta(days=n) for n in range(1, (through - after).days + 1))
    return sum(calendar.is_working_day(day) for day in days)


@holds_for(CALENDARS, STARTS, LIMITS)
def test_a_limit_never_ends_outside_working_time(calendar, start, limit):
    due = answered(calendar.add, start, limit)
    assert due > start
    assert calendar.is_working(due - TICK)


@holds_for(CALENDARS, STARTS, MINUTES)
def test_exactly_the_hours_of_the_limit_lie_before_its_end(calendar, start, limit):
    due = answered(calendar.add, start, limit)
    assert calendar.working_time_between(start, due) == timedelta(minutes=limit.amount)


@holds_for(CALENDARS, STARTS, st.integers(1, 12))
def test_exactly_the_days_of_the_limit_lie_after_the_day_of_its_start(calendar, start, amount):
    due = answered(calendar.add, start, Limit.days(amount))
    last = local_day(calendar, due - TICK)
    assert working_days(calendar, local_day(calendar, start), last) == amount
    midnight = datetime.combine(last + timedelta(days=1), time(), calendar.zone)
    assert calendar.working_time_between(due, midnight) == NO_TIME


@holds_for(CALENDARS, STARTS, st.integers(1, 30))
def test_calendar_days_end_on_their_last_day_or_the_first_working_day_after(
    calendar, start, amount
):
    due = answered(calendar.add, start, Limit.calendar_days(amount))
    named = local_day(calendar, start) + timedelta(days=amount)
    last = local_day(calendar, due - TICK)
    assert last >= named
    assert working_days(calendar, named - timedelta(days=1), last) == 1
    midnight = datetime.combine(last + timedelta(days=1), time(), calendar.zone)
    assert calendar.working_time_between(due, midnight) == NO_TIME


@holds_for(CALENDARS, STARTS, STARTS, LIMITS)
def test_who_starts_later_never_ends_earlier(calendar, one, other, limit):
    early, late = sorted([one, other])
    assert answered(calendar.add, early, limit) <= answered(calendar.add, late, limit)
    assert answered(calendar.before, early, limit) <= answered(calendar.before, late, limit)


@holds_for(CALENDARS, STARTS, LIMITS)
def test_one_more_ends_later_and_days_of_rest_excepted_strictly(calendar, start, limit):
    more = Limit(limit.unit, limit.amount + 1)
    due, later = answered(calendar.add, start, limit), answered(calendar.add, start, more)
    assert due <= later if limit.unit is Unit.CALENDAR_DAYS else due < later


@holds_for(CALENDARS, STARTS, LIMITS)
def test_add_comes_back_from_before(calendar, start, limit):
    due = answered(calendar.add, start, limit)
    reminder = answered(calendar.before, due, limit)
    again = answered(calendar.add, reminder, limit)
    assert again <= due if limit.unit is Unit.CALENDAR_DAYS else again == due


@holds_for(CALENDARS, STARTS, MINUTES)
def test_before_comes_back_from_add_to_where_the_counting_began(calendar, start, limit):
    due = answered(calendar.add, start, limit)
    assert calendar.before(due, limit) == calendar.next_opening(start)


@holds_for(CALENDARS, STARTS, LIMITS)
def test_a_reminder_is_in_working_time_with_at_least_the_limit_left(calendar, deadline, limit):
    reminder = answered(calendar.before, deadline, limit)
    assert reminder < deadline
    assert calendar.is_working(reminder)
    day, last = local_day(calendar, reminder), local_day(calendar, deadline - TICK)
    match limit.unit:
        case Unit.WORKING_MINUTES:
            left = calendar.working_time_between(reminder, deadline)
            assert left == timedelta(minutes=limit.amount)
        case Unit.WORKING_DAYS:
            assert working_days(calendar, day - timedelta(days=1), last - timedelta(days=1)) == (
                limit.amount
            )
        case Unit.CALENDAR_DAYS:
            named = last - timedelta(days=limit.amount)
            assert working_days(calendar, day - timedelta(days=1), named) == 1


@holds_for(CALENDARS, STARTS)
def test_the_next_opening_is_the_first_moment_of_work(calendar, at):
    opening = answered(calendar.next_opening, at)
    assert calendar.is_working(opening)
    assert calendar.working_time_between(at, opening) == NO_TIME
    assert (opening == at) is calendar.is_working(at)
    assert calendar.next_opening(opening) == opening


@holds_for(CALENDARS, STARTS, STARTS, STARTS)
def test_working_time_adds_up_and_never_exceeds_real_time(calendar, a, b, c):
    between = calendar.working_time_between
    assert between(a, b) + between(b, c) == between(a, c)
    assert between(a, b) == -between(b, a)
    assert NO_TIME <= between(*sorted([a, b])) <= abs(b - a)


HOLDS = st.lists(
    st.integers(0, 6 * 24 * 60).map(lambda n: timedelta(minutes=n)), min_size=4, max_size=4
)


@holds_for(CALENDARS, STARTS, LIMITS, HOLDS)
def test_after_a_hold_as_much_is_left_as_before_it(calendar, start, limit, waits):
    due = answered(calendar.add, start, limit)
    paused, resumed = start + waits[0], start + waits[0] + waits[1]
    assume(paused < due)
    moved = answered(calendar.resume, due, paused, resumed)
    between = calendar.working_time_between
    assert between(resumed, moved) == between(paused, due)
    assert between(due, moved) == between(paused, resumed)
    assert moved >= due
    assert moved == due or calendar.is_working(moved - TICK)


@holds_for(CALENDARS, STARTS, LIMITS, HOLDS)
def test_two_holds_that_meet_are_one(calendar, start, limit, waits):
    due = answered(calendar.add, start, limit)
    paused = start + waits[0]
    midway, resumed = paused + waits[1], paused + waits[1] + waits[2]
    assume(paused < due)
    first = answered(calendar.resume, due, paused, midway)
    assume(midway < first)
    twice = answered(calendar.resume, first, midway, resumed)
    assert twice == answered(calendar.resume, due, paused, resumed)


@holds_for(CALENDARS, STARTS, LIMITS, HOLDS)
def test_a_hold_after_the_end_changes_nothing(calendar, start, limit, waits):
    due = answered(calendar.add, start, limit)
    assert answered(calendar.resume, due, due + waits[0], due + waits[0] + waits[1]) == due


@holds_for(
    calendars(earliest=16, zones=("Asia/Kathmandu", "America/New_York", "Europe/Dublin")),
    STARTS.map(lambda at: at.replace(second=0, microsecond=0)),
    st.integers(0, 3 * 24 * 60),
    examples=30,
)
def test_it_agrees_with_counting_the_minutes_on_the_wall(calendar, start, length):
    """Hours begin at 04:00, so that none is cut by the change of clocks, which no wall shows."""
    counted = 0
    for number in range(length):
        shown = (start + timedelta(minutes=number)).astimezone(calendar.zone)
        minute = shown.hour * 60 + shown.minute
        hours = calendar.weekly[shown.weekday()]
        if shown.date() in calendar.special:
            hours = calendar.special[shown.date()].hours
        counted += any(each.opens <= minute < each.closes for each in hours)
    end = start + timedelta(minutes=length)
    assert calendar.working_time_between(start, end) == timedelta(minutes=counted)


@holds_for(calendars(), st.integers(1, 10**7), st.sampled_from(Unit))
def test_an_answer_is_inside_the_years_or_refused(calendar, amount, unit):
    start = datetime.combine(date(2025, 7, 1), time(), UTC)
    for ask in (calendar.add, calendar.before):
        try:
            got = ask(start, Limit(unit, amount))
        except CalendarExhausted:
            continue
        assert FIRST <= local_day(calendar, got - TICK) <= LAST
        assert FIRST <= local_day(calendar, got) <= LAST + timedelta(days=1)


@pytest.mark.parametrize("unit", Unit)
def test_what_is_refused_is_truly_not_there(unit):
    """The greatest limit that China's calendar grants ends in its last days, and no other does."""
    start = datetime(2026, 12, 1, 2, tzinfo=UTC)
    granted = [n for n in range(1, 15000) if _granted(Limit(unit, n), start)]
    assert granted == list(range(1, len(granted) + 1))
    due = CHINA.add(start, Limit(unit, granted[-1]))
    assert due == datetime(2026, 12, 31, 9, 30, tzinfo=UTC)


def _granted(limit, start):
    try:
        CHINA.add(start, limit)
    except CalendarExhausted:
        return False
    return True
