"""What the catalogue's answer means: urgency, limits and when an offer runs out."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.dispatching import (
    DispatchOutcome,
    Facts,
    Limits,
    accept_by,
    dispatch,
    review_by,
)
from shared.calendar.china import load_calendar
from shared.contracts.vocabulary import Difficulty, Kind, Urgency

CALENDAR = load_calendar(None, 2026, 2026)
SHANGHAI = ZoneInfo("Asia/Shanghai")
LIMITS = Limits()


def facts(urgency: Urgency = Urgency.NORMAL, category: str | None = "甲/乙") -> Facts:
    return Facts(category, Kind.HELP, urgency)


def outcome(**changes) -> DispatchOutcome:
    return DispatchOutcome(
        **(
            {
                "rule_id": "R1",
                "category": "甲",
                "lead_department": "D1",
                "co_departments": (),
                "difficulty": Difficulty.SIMPLE,
                "urgency": None,
                "accept_minutes": None,
                "handle_days": None,
            }
            | changes
        )
    )


def test_without_a_rule_there_is_no_department_and_the_defaults_hold():
    found = dispatch(facts(), None, 3, LIMITS)
    assert (found.rule_id, found.lead_department, found.catalogue_version) == (None, None, 3)
    assert (found.accept_minutes, found.handle_days) == (120, 5)


def test_the_request_s_own_category_stays_and_a_missing_one_is_the_rule_s():
    assert dispatch(facts(), outcome(), 1, LIMITS).category == "甲/乙"
    assert dispatch(facts(category=None), outcome(), 1, LIMITS).category == "甲"


@pytest.mark.parametrize(("difficulty", "days"), [(Difficulty.SIMPLE, 5), (Difficulty.COMPLEX, 15)])
def test_the_difficulty_sets_the_days_unless_the_rule_does(difficulty: Difficulty, days: int):
    assert dispatch(facts(), outcome(difficulty=difficulty), 1, LIMITS).handle_days == days
    ruled = outcome(difficulty=difficulty, handle_days=3)
    assert dispatch(facts(), ruled, 1, LIMITS).handle_days == 3


@given(asked=st.sampled_from(Urgency), ruled=st.none() | st.sampled_from(Urgency))
def test_a_rule_raises_the_urgency_and_never_lowers_it(asked: Urgency, ruled: Urgency | None):
    order = list(Urgency)
    found = dispatch(facts(asked), outcome(urgency=ruled), 1, LIMITS).urgency
    assert order.index(found) == max(order.index(asked), order.index(ruled or asked))


def test_an_emergency_has_half_an_hour_at_most_whatever_the_rule_says():
    for minutes, expected in ((None, 30), (60, 30), (10, 10)):
        ruled = outcome(urgency=Urgency.EMERGENCY, accept_minutes=minutes)
        assert dispatch(facts(), ruled, 1, LIMITS).accept_minutes == expected


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=SHANGHAI)


def test_an_offer_runs_in_working_hours_and_passes_over_lunch_night_and_weekend():
    normal = dispatch(facts(), None, 1, LIMITS)
    assert accept_by(normal, at(2, 9), CALENDAR) == at(2, 11)
    assert accept_by(normal, at(2, 11, 30), CALENDAR) == at(2, 15)
    assert accept_by(normal, at(6, 17), CALENDAR) == at(9, 10, 30)
    assert accept_by(normal, at(7, 3), CALENDAR) == at(9, 11)


def test_an_emergency_runs_by_the_wall_clock():
    emergency = dispatch(facts(Urgency.EMERGENCY), None, 1, LIMITS)
    assert accept_by(emergency, at(7, 3), CALENDAR) == at(7, 3) + timedelta(minutes=30)


def test_a_review_ends_with_the_next_working_day():
    assert review_by(at(2, 10), CALENDAR, LIMITS) == at(3, 17, 30)
    assert review_by(at(6, 10), CALENDAR, LIMITS) == at(9, 17, 30)


@given(st.integers(0, 300 * 24 * 60))
def test_an_offer_always_ends_after_it_was_made(minutes: int):
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    for urgency in Urgency:
        assert accept_by(dispatch(facts(urgency), None, 1, LIMITS), now, CALENDAR) > now
