"""The steps of whoever works: contact, feedback, hold, resume, extend, shelve."""

from datetime import timedelta

import pytest

from services.followup.domain import clocks
from services.followup.domain.decision import Refusal, Refused
from services.followup.domain.facts import Extended
from services.followup.domain.steps import work
from shared.contracts.vocabulary import ClockKind, MatterState
from tests.unit.followup.town import (
    COORDINATOR,
    LEAD,
    LIAISON,
    MONDAY,
    charted,
    done,
    handled,
    in_progress,
    moment,
    on_hold,
    shelved,
    town_time,
)


def kinds(matter) -> list[ClockKind]:
    return sorted(clock.kind for clock in matter.clocks)


def test_first_contact_is_made_once() -> None:
    matter = done(work.first_contact(in_progress(), work.FirstContact("已联系"), moment(LIAISON)))
    assert matter.contacted_at == MONDAY
    assert ClockKind.FIRST_CONTACT not in kinds(matter)
    again = work.first_contact(matter, work.FirstContact(), moment(LIAISON))
    assert again == Refused(Refusal.ALREADY_CONTACTED, MatterState.IN_PROGRESS)


def test_first_contact_is_the_owners_and_not_the_lead_departments() -> None:
    refused = work.first_contact(in_progress(), work.FirstContact(), moment(LEAD))
    assert refused == Refused(Refusal.NOT_YOURS, MatterState.IN_PROGRESS)


def test_a_feedback_is_a_contact_and_the_interim_answer() -> None:
    matter = done(work.feedback(in_progress(), work.Feedback("正在办"), moment(LIAISON)))
    assert matter.contacted_at == MONDAY
    assert kinds(matter) == [ClockKind.HANDLE]


def test_while_charted_each_feedback_promises_the_next() -> None:
    at = town_time(5, 10)
    matter = done(work.feedback(charted(), work.Feedback("正在勘察"), moment(LIAISON, at)))
    promised = clocks.find(matter.clocks, ClockKind.FEEDBACK)
    assert promised is not None
    assert promised.due_at == town_time(12, 17, 30)


def test_a_feedback_during_a_hold_promises_from_its_end() -> None:
    held = done(work.hold(charted(), work.HoldOn("等材料", town_time(10, 17)), moment(LIAISON)))
    emitted = done(
        work.feedback(held, work.Feedback("等您的材料"), moment(LIAISON, town_time(4, 9)))
    )
    paused = clocks.find(emitted.clocks, ClockKind.FEEDBACK)
    assert paused is not None
    assert (paused.paused_at, paused.act_at) == (town_time(4, 9), None)
    resumed = done(work.resume(emitted, work.Resume(), moment(LIAISON, town_time(6, 9))))
    running = clocks.find(resumed.clocks, ClockKind.FEEDBACK)
    assert running is not None
    assert running.due_at == town_time(13, 17, 30)


@pytest.mark.parametrize(
    ("resume_at", "code"),
    [
        (MONDAY, Refusal.NOT_LATER),
        (MONDAY + timedelta(days=180, seconds=1), Refusal.TOO_FAR),
    ],
)
def test_a_hold_ends_within_half_a_year(resume_at, code: Refusal) -> None:
    decision = work.hold(in_progress(), work.HoldOn("等", resume_at), moment(LIAISON))
    assert isinstance(decision, Refused)
    assert decision.code is code


def test_an_extension_is_told_with_its_approver() -> None:
    step = work.Extend(ClockKind.HANDLE, town_time(12, 17, 30), "雨天")
    decision = work.extend(in_progress(), step, moment(LIAISON))
    matter = done(decision)
    assert decision.emitted[0].fact == Extended(
        ClockKind.HANDLE, town_time(9, 17, 30), town_time(12, 17, 30), "雨天", "L001"
    )
    handle = clocks.find(matter.clocks, ClockKind.HANDLE)
    assert handle is not None
    assert handle.original_due_at == town_time(9, 17, 30)


def test_whoever_carries_the_work_extends_once_and_in_time() -> None:
    step = work.Extend(ClockKind.HANDLE, town_time(12, 17, 30), "雨天")
    later = work.Extend(ClockKind.HANDLE, town_time(13, 17, 30), "雨天")
    once = done(work.extend(in_progress(), step, moment(LIAISON)))
    for by in (LIAISON, LEAD):
        refused = work.extend(once, later, moment(by))
        assert isinstance(refused, Refused)
        assert refused.code is Refusal.EXTENSION_SPENT
    late = work.extend(in_progress(), step, moment(LIAISON, town_time(10, 9)))
    assert isinstance(late, Refused)
    assert late.code is Refusal.EXTENSION_SPENT
    done(work.extend(once, later, moment(COORDINATOR)))
    done(work.extend(in_progress(), step, moment(COORDINATOR, town_time(10, 9))))


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (in_progress, ClockKind.ACCEPT),
        (in_progress, ClockKind.RETURN_VISIT),
        (on_hold, ClockKind.HANDLE),
        (shelved, ClockKind.HANDLE),
    ],
)
def test_what_does_not_run_is_not_extended(make, kind: ClockKind) -> None:
    step = work.Extend(kind, town_time(31, 17), "因")
    decision = work.extend(make(), step, moment(COORDINATOR))
    assert isinstance(decision, Refused)
    assert decision.code is Refusal.CLOCK_NOT_RUNNING


def test_an_extension_goes_forward_only() -> None:
    step = work.Extend(ClockKind.HANDLE, town_time(9, 17, 30), "因")
    decision = work.extend(in_progress(), step, moment(COORDINATOR))
    assert isinstance(decision, Refused)
    assert decision.code is Refusal.NOT_LATER


def test_the_visit_is_not_the_handlers_to_extend() -> None:
    step = work.Extend(ClockKind.RETURN_VISIT, town_time(6, 17), "因")
    decision = work.extend(handled(), step, moment(LIAISON))
    assert decision == Refused(Refusal.COORDINATOR_ONLY, MatterState.HANDLED)


def test_a_longer_hold_names_its_new_end() -> None:
    step = work.Extend(ClockKind.RESUME, town_time(12, 17), "材料未齐")
    matter = done(work.extend(on_hold(), step, moment(LIAISON)))
    assert matter.hold is not None
    assert matter.hold.resume_at == matter.next_due_at == town_time(12, 17)


def test_on_the_long_term_list_only_the_review_is_promised() -> None:
    matter = shelved()
    assert kinds(matter) == [ClockKind.REVIEW]
    again = done(work.shelve(matter, work.PutOnShelf("再等", town_time(31, 17)), moment(LIAISON)))
    assert again.shelf is not None
    assert (again.next_due_at, again.shelf.handle_due_at) == (
        town_time(31, 17), town_time(9, 17, 30),
    )  # fmt: skip


def test_off_the_list_the_handling_limit_begins_again_and_shows_the_first() -> None:
    matter = done(work.resume(shelved(), work.Resume(), moment(LIAISON, town_time(16, 10))))
    handle = clocks.find(matter.clocks, ClockKind.HANDLE)
    assert handle is not None
    assert (handle.due_at, handle.original_due_at) == (town_time(23, 17, 30), town_time(9, 17, 30))
    assert matter.shelf is None
