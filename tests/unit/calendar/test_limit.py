"""A limit is a value that is checked when it is made and survives being written down."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.calendar import Limit, Unit


@pytest.mark.parametrize(
    ("limit", "unit", "amount", "text"),
    [
        (Limit.hours(2), Unit.WORKING_MINUTES, 120, "2h"),
        (Limit.hours(Decimal("1.5")), Unit.WORKING_MINUTES, 90, "90min"),
        (Limit.hours(Fraction(1, 3)), Unit.WORKING_MINUTES, 20, "20min"),
        (Limit.minutes(60), Unit.WORKING_MINUTES, 60, "1h"),
        (Limit.days(5), Unit.WORKING_DAYS, 5, "5wd"),
        (Limit.calendar_days(15), Unit.CALENDAR_DAYS, 15, "15cd"),
    ],
)
def test_each_way_to_make_one(limit, unit, amount, text):
    assert (limit.unit, limit.amount, str(limit)) == (unit, amount, text)


@given(st.sampled_from(Unit), st.integers(1, 10**6))
def test_reads_what_it_writes(unit, amount):
    limit = Limit(unit, amount)
    assert Limit.parse(str(limit)) == limit


@pytest.mark.parametrize(
    "text",
    ["", "2", "h", "0h", "-1h", "1.5h", "05wd", "5 wd", "5wd ", "5WD", "5d", "٥wd", "9999999999h"],
)
def test_refuses_other_text(text):
    with pytest.raises(ValueError, match="is no limit: write 2h"):
        Limit.parse(text)


@pytest.mark.parametrize("make", [Limit.hours, Limit.minutes, Limit.days, Limit.calendar_days])
@pytest.mark.parametrize("amount", [0, -1])
def test_is_at_least_one(make, amount):
    with pytest.raises(ValueError, match="at least one"):
        make(amount)


def test_hours_come_to_whole_minutes():
    with pytest.raises(ValueError, match="not whole minutes"):
        Limit.hours(Decimal("0.01"))
