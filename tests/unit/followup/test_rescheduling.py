"""Another calendar for a matter that is open: limits move there and back alike, and no breach is undone."""

import tempfile
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.followup.domain import clocks
from services.followup.domain.clocks import find
from services.followup.domain.decision import Changed
from services.followup.domain.ladder import climb
from services.followup.domain.limits import Limits, LimitTable
from services.followup.domain.matter import FINAL, Matter
from services.followup.domain.moment import Moment
from services.followup.domain.rescheduling import MovedOffer, offer_moved, reschedule
from services.followup.domain.steps.work import Extend, Resume, extend, resume
from shared.calendar import Limit
from shared.contracts.vocabulary import ClockKind, MatterState, RescheduleCause
from tests.support.dayoff import calendar_with_days_off
from tests.unit.followup.town import (
    CALENDAR,
    IN_STATE,
    LIAISON,
    MONDAY,
    OPERATOR,
    charted,
    done,
    handled,
    in_progress,
    moment,
    offered,
    on_hold,
    town_time,
)

pytestmark = pytest.mark.thorough
"""Years of days."""

CALENDAR_CAUSE = RescheduleCause.CALENDAR
DAYS = st.sets(st.integers(3, 31), max_size=4).map(
    lambda days: tuple(date(2026, 3, day) for day in sorted(days))
)
OPEN = sorted(IN_STATE.keys() - FINAL)


def by(*days: date, at=MONDAY) -> Moment:
    with tempfile.TemporaryDirectory() as folder:
        calendar = calendar_with_days_off(Path(folder), *days, years=(2024, 2032))
    return replace(moment(OPERATOR, at), calendar=calendar)


def after(matter: Matter, moment: Moment, cause: RescheduleCause = CALENDAR_CAUSE) -> Matter:
    decision = reschedule(matter, cause, moment)
    return decision.matter if isinstance(decision, Changed) else matter


def test_case_45_a_day_off_moves_every_limit_that_spans_it():
    matter = charted()
    decision = reschedule(matter, CALENDAR_CAUSE, by(date(2026, 3, 3)))
    assert isinstance(decision, Changed)
    (emitted,) = decision.emitted
    assert {(each.clock, each.old_due_at, each.new_due_at) for each in emitted.fact.limits} == {
        (ClockKind.FIRST_CONTACT, town_time(3, 17, 30), town_time(4, 17, 30)),
        (ClockKind.INTERIM, town_time(5, 17, 30), town_time(6, 17, 30)),
        (ClockKind.HANDLE, town_time(9, 17, 30), town_time(10, 17, 30)),
        (ClockKind.FEEDBACK, town_time(9, 17, 30), town_time(10, 17, 30)),
    }
    first = find(decision.matter.clocks, ClockKind.FIRST_CONTACT)
    assert first is not None
    assert first.original_due_at == town_time(3, 17, 30)
    assert first.extensions == 0
    assert first.calendar_version == by(date(2026, 3, 3)).calendar.version
    assert decision.matter.milestones == matter.milestones, "their dates were set by people"


def test_a_return_visit_moves_and_a_broken_limit_does_not():
    visited = after(handled(), by(date(2026, 3, 3)))
    assert visited.next_due_at == town_time(4, 17, 30)
    late = climb(in_progress(), moment(at=town_time(3, 17, 30))).matter
    assert late.breached
    moved = after(late, by(date(2026, 3, 3), at=town_time(3, 18)))
    assert moved.breached
    assert find(moved.clocks, ClockKind.FIRST_CONTACT) == find(late.clocks, ClockKind.FIRST_CONTACT)


def test_a_date_that_a_person_set_stays():
    step = Extend(ClockKind.INTERIM, town_time(12, 12), "图纸未到")
    extended = done(extend(in_progress(), step, moment(LIAISON)))
    moved = after(extended, by(date(2026, 3, 4)))
    interim = find(moved.clocks, ClockKind.INTERIM)
    assert interim is not None
    assert (interim.due_at, interim.extensions) == (town_time(12, 12), 1)


def test_a_pause_counts_by_the_present_calendar_too():
    resumed = done(resume(on_hold(), Resume(), moment(LIAISON, town_time(5, 10))))
    moved = after(resumed, by(date(2026, 3, 9), at=town_time(5, 10)))
    before, now = (find(each.clocks, ClockKind.HANDLE) for each in (resumed, moved))
    assert before is not None
    assert now is not None
    lost = timedelta(days=1)
    assert (before.due_at, now.due_at) == (now.due_at - lost, before.due_at + lost)
    held = after(on_hold(), by(date(2026, 3, 9)))
    paused = find(held.clocks, ClockKind.HANDLE)
    assert paused is not None
    assert paused.act_at is None
    assert paused.due_at == town_time(10, 17, 30)


def test_case_45_a_day_off_moves_what_stands_aside_too():
    shelved = IN_STATE[MatterState.SHELVED]()
    moved = after(shelved, by(date(2026, 3, 5)))
    before, now = (find(each.aside, ClockKind.HANDLE) for each in (shelved, moved))
    assert before is not None
    assert now is not None
    assert now.due_at == before.due_at + timedelta(days=1)
    assert (now.act_at, now.paused_at) == (None, before.paused_at)
    assert moved.clocks == shelved.clocks, "its review was set by a person"


@settings(deadline=None, max_examples=30)
@given(days=DAYS, state=st.sampled_from([MatterState.SHELVED, MatterState.ON_HOLD]))
def test_case_45_whether_the_day_off_or_the_resumption_comes_first_changes_no_limit(
    days: tuple[date, ...], state: MatterState
):
    matter, later = IN_STATE[state](), town_time(4, 10)
    calendar = by(*days).calendar
    resuming = replace(moment(LIAISON, later), calendar=calendar)
    known = after(matter, replace(moment(OPERATOR), calendar=calendar))
    first = done(resume(known, Resume(), resuming))
    resumed = done(resume(matter, Resume(), resuming))
    then = after(resumed, replace(moment(OPERATOR, later), calendar=calendar))
    limits = [{each.kind: each.due_at for each in done_.clocks} for done_ in (first, then)]
    assert limits[0] == limits[1]


def test_a_limit_of_an_earlier_version_moves_where_its_beginning_is_known():
    matter = in_progress()
    old = replace(
        matter,
        clocks=tuple(replace(each, since=None, limit=None) for each in matter.clocks),
    )
    assert after(old, by(date(2026, 3, 3))).next_due_at == town_time(4, 17, 30)


def test_other_limits_reach_what_is_open_only_when_they_are_asked_for():
    shorter = LimitTable(Limits(interim=Limit.days(1)))
    now = replace(moment(OPERATOR), limits=shorter)
    assert after(in_progress(), now) == in_progress()
    moved = after(in_progress(), now, RescheduleCause.LIMITS)
    interim = find(moved.clocks, ClockKind.INTERIM)
    assert interim is not None
    assert interim.due_at == town_time(3, 17, 30)


def test_an_offer_moves_as_routing_says_and_its_breach_stays():
    matter = offered()
    news = MovedOffer("offer-1", ClockKind.ACCEPT, town_time(3, 11, 30), "v2", CALENDAR_CAUSE)
    moved = done(offer_moved(matter, news, moment(OPERATOR)))
    clock = find(moved.clocks, ClockKind.ACCEPT)
    assert clock is not None
    assert moved.offer is not None
    assert clock.due_at == moved.offer.expires_at == town_time(3, 11, 30)
    assert (clock.calendar_version, clock.act_at) == ("v2", town_time(3, 11))
    late = climb(matter, moment(at=town_time(2, 13, 30))).matter
    assert not isinstance(offer_moved(late, news, moment(at=town_time(2, 14))), Changed)


@settings(max_examples=60)
@given(st.sampled_from(OPEN), DAYS, st.integers(0, 24 * 20))
def test_there_and_back_gives_the_same_limits(state: MatterState, days, hours: int):
    matter = IN_STATE[state]()
    at = MONDAY + timedelta(hours=hours)
    there = after(matter, by(*days, at=at))
    back = after(there, replace(moment(OPERATOR, at), calendar=CALENDAR))
    assert [each.due_at for each in back.clocks if not _stayed(matter, each, at)] == [
        each.due_at for each in matter.clocks if not _stayed(matter, each, at)
    ]
    if hours == 0:
        assert back.clocks == matter.clocks


def _stayed(matter: Matter, clock: clocks.Clock, at) -> bool:
    """What has ended by now moves later once and is not brought back: that would break it."""
    before = find(matter.clocks, clock.kind)
    return before is not None and before.due_at <= at


@settings(max_examples=60)
@given(st.sampled_from(OPEN), DAYS, st.integers(0, 24 * 20), st.booleans())
def test_only_what_the_days_off_touch_moves_and_never_into_the_past(
    state: MatterState, days, hours: int, climbed: bool
):
    at = MONDAY + timedelta(hours=hours)
    matter = IN_STATE[state]()
    matter = climb(matter, moment(at=at)).matter if climbed else matter
    now = by(*days, at=at)
    moved = after(matter, now)
    assert moved.breached == matter.breached
    assert moved.state is matter.state
    for before, clock in zip(matter.clocks, moved.clocks, strict=True):
        assert clock.original_due_at == before.original_due_at
        assert clock.extensions == before.extensions
        assert clock.stage is before.stage
        if clock.due_at == before.due_at:
            assert clock == before
            continue
        assert clock.due_at > (clock.paused_at or at)
        assert any(day <= clock.due_at.astimezone(now.calendar.zone).date() for day in days)
        assert clock.calendar_version == now.calendar.version
