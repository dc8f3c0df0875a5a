"""Who sees a matter and who may take which step."""

import pytest

from services.followup.domain.access import Step, may_see, open_steps
from services.followup.domain.decision import Changed, Refusal, Refused
from services.followup.domain.moment import ActingParty
from shared.contracts.vocabulary import MatterState
from tests.unit.followup.steps import TAKE
from tests.unit.followup.town import (
    CO,
    COORDINATOR,
    IN_STATE,
    LEAD,
    LIAISON,
    OPERATOR,
    OUTSIDER,
    STRANGER,
    SYSTEM,
    handled,
    in_progress,
    moment,
    received,
)

WORK_IN_PROGRESS = {
    LIAISON: {
        Step.FIRST_CONTACT, Step.FEEDBACK, Step.PLAN, Step.MILESTONE, Step.TASK, Step.TASK_DONE,
        Step.HOLD, Step.EXTEND, Step.SHELVE, Step.HANDLE, Step.MERGE, Step.JOIN,
    },
    LEAD: {
        Step.FEEDBACK, Step.PLAN, Step.MILESTONE, Step.TASK, Step.TASK_DONE, Step.HOLD,
        Step.EXTEND, Step.SHELVE, Step.HANDLE,
    },
    CO: {Step.FEEDBACK, Step.MILESTONE, Step.TASK_DONE},
    COORDINATOR: {
        Step.FIRST_CONTACT, Step.FEEDBACK, Step.PLAN, Step.MILESTONE, Step.TASK, Step.TASK_DONE,
        Step.HOLD, Step.EXTEND, Step.SHELVE, Step.HANDLE, Step.MERGE, Step.JOIN,
    },
    STRANGER: set(),
    OUTSIDER: set(),
    OPERATOR: set(),
    SYSTEM: set(),
}  # fmt: skip


@pytest.mark.parametrize(
    "caller", WORK_IN_PROGRESS, ids=lambda actor: f"{actor.role}-{actor.party}"
)
def test_the_steps_of_a_matter_in_progress(caller: ActingParty) -> None:
    assert set(open_steps(in_progress(), caller)) == WORK_IN_PROGRESS[caller]


@pytest.mark.parametrize("step", Step)
def test_who_only_reads_changes_nothing(step: Step) -> None:
    for state in MatterState:
        assert not isinstance(TAKE[step](IN_STATE[state](), moment(SYSTEM)), Changed)
        decision = TAKE[step](IN_STATE[state](), moment(OPERATOR))
        assert not isinstance(decision, Changed)


def test_a_matter_is_seen_by_those_in_it() -> None:
    matter = in_progress()
    for caller in (LIAISON, LEAD, CO, COORDINATOR, OPERATOR):
        assert may_see(matter, caller)
    for caller in (STRANGER, OUTSIDER, SYSTEM):
        assert not may_see(matter, caller)


def test_before_anybody_is_asked_the_coordinator_alone_sees_it() -> None:
    assert not may_see(received(), LIAISON)
    assert not may_see(received(), LEAD)
    assert may_see(received(), COORDINATOR)


def test_a_co_department_hands_in_its_own_work_only() -> None:
    refused = TAKE[Step.MILESTONE](in_progress(), moment(CO))
    assert refused == Refused(Refusal.NOT_YOURS, MatterState.IN_PROGRESS)
    assert isinstance(TAKE[Step.TASK_DONE](in_progress(), moment(CO)), Changed)


@pytest.mark.parametrize("caller", [LIAISON, LEAD])
def test_closing_is_for_the_coordinator(caller: ActingParty) -> None:
    refused = TAKE[Step.CLOSE](handled(), moment(caller))
    assert refused == Refused(Refusal.COORDINATOR_ONLY, MatterState.HANDLED)
