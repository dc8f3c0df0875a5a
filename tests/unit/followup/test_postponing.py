"""Limits, holds and shelvings are put off within bounds, beyond them by leave, and in sum."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.followup.domain import clocks
from services.followup.domain.decision import Refusal, Refused
from services.followup.domain.matter import Matter
from services.followup.domain.moment import ActingParty
from services.followup.domain.steps import work
from shared.contracts.vocabulary import (
    ClockKind,
    Role,
)
from tests.unit.followup.town import (
    COORDINATOR,
    LEAD,
    LIAISON,
    MONDAY,
    charted,
    done,
    in_progress,
    moment,
    on_hold,
    town_time,
)

SECOND = ActingParty(Role.COORDINATOR, "C002")


def code_of(decision) -> Refusal:
    assert isinstance(decision, Refused), decision
    return decision.code


def extended(matter: Matter, kind: ClockKind, days: float, by: ActingParty, at=MONDAY):
    clock = clocks.find(matter.clocks, kind)
    due_at = (clock.due_at if clock else at) + timedelta(days=days)
    return work.extend(matter, work.Extend(kind, due_at, "雨天"), moment(by, at))


@pytest.mark.parametrize("by", [LIAISON, LEAD])
def test_case_91_whoever_carries_the_work_moves_a_limit_by_thirty_days_at_most(
    by: ActingParty,
) -> None:
    for days in (31, 365):
        refused = extended(in_progress(), ClockKind.HANDLE, days, by)
        assert code_of(refused) is Refusal.LEAVE_NEEDED
        assert refused.params == {"days": 30}
        done(extended(in_progress(), ClockKind.HANDLE, days - 10, COORDINATOR))
    matter = done(extended(in_progress(), ClockKind.HANDLE, 30, by))
    (given_,) = matter.extensions
    assert (given_.old_due_at, given_.approver) == (town_time(9, 17, 30), by.party)


def test_case_91_each_feedback_begins_a_limit_and_no_new_count() -> None:
    once = done(extended(charted(), ClockKind.FEEDBACK, 5, LIAISON))
    emitted = done(work.feedback(once, work.Feedback("正在办"), moment(LIAISON)))
    assert code_of(extended(emitted, ClockKind.FEEDBACK, 5, LIAISON)) is Refusal.EXTENSION_SPENT
    assert code_of(extended(emitted, ClockKind.FEEDBACK, 5, LEAD)) is Refusal.EXTENSION_SPENT
    done(extended(emitted, ClockKind.FEEDBACK, 5, COORDINATOR))


def test_case_91_a_coordinator_who_owns_it_needs_somebody_elses_leave() -> None:
    own = replace(in_progress(), owner=replace(in_progress().owner, id="C001"))
    assert code_of(extended(own, ClockKind.HANDLE, 60, COORDINATOR)) is Refusal.LEAVE_NEEDED
    done(extended(own, ClockKind.HANDLE, 60, SECOND))


def test_case_91_all_leave_together_is_a_year_a_round() -> None:
    matter = done(extended(in_progress(), ClockKind.HANDLE, 200, COORDINATOR))
    refused = extended(matter, ClockKind.HANDLE, 166, COORDINATOR, town_time(20, 10))
    assert code_of(refused) is Refusal.TOTAL_SPENT
    done(extended(matter, ClockKind.HANDLE, 160, COORDINATOR, town_time(20, 10)))


@pytest.mark.parametrize("by", [LIAISON, COORDINATOR])
def test_case_91_a_hold_ends_within_180_days_whatever_is_extended(by: ActingParty) -> None:
    held = on_hold()
    refused = extended(held, ClockKind.RESUME, 177, by)
    assert code_of(refused) is Refusal.TOTAL_SPENT
    done(extended(held, ClockKind.RESUME, 175, by))


def test_case_91_holds_count_together() -> None:
    at = town_time(5, 10)
    matter = done(work.resume(on_hold(), work.Resume(), moment(LIAISON, at)))
    assert matter.held_s == 3 * 24 * 3600
    too_long = work.HoldOn("等", at + timedelta(days=178))
    assert code_of(work.hold(matter, too_long, moment(LIAISON, at))) is Refusal.TOTAL_SPENT
    done(work.hold(matter, work.HoldOn("等", at + timedelta(days=177)), moment(LIAISON, at)))


def test_case_91_the_long_term_list_is_no_way_around() -> None:
    long = work.PutOnShelf("列入明年", MONDAY + timedelta(days=181))
    assert code_of(work.shelve(in_progress(), long, moment(LIAISON))) is Refusal.LEAVE_NEEDED
    done(work.shelve(in_progress(), long, moment(COORDINATOR)))
    step = work.PutOnShelf("列入明年", MONDAY + timedelta(days=100))
    matter = done(work.shelve(in_progress(), step, moment(LIAISON)))
    later = work.PutOnShelf("再等", MONDAY + timedelta(days=150))
    again = done(work.shelve(matter, later, moment(LIAISON)))
    assert [each.clock for each in again.extensions] == [ClockKind.REVIEW]
    latest = work.PutOnShelf("再等", MONDAY + timedelta(days=170))
    assert code_of(work.shelve(again, latest, moment(LIAISON))) is Refusal.EXTENSION_SPENT
    back_at = MONDAY + timedelta(days=140)
    back = done(work.resume(again, work.Resume(), moment(LIAISON, back_at)))
    step = work.PutOnShelf("又", back_at + timedelta(days=41))
    assert code_of(work.shelve(back, step, moment(LIAISON, back_at))) is Refusal.LEAVE_NEEDED
