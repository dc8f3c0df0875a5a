"""Every step in every state: what it does, why it is refused, or that nothing is to be done."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from services.routing.domain import answers, correcting, expiry, rescheduling, rounds
from services.routing.domain.answers import Accept, Decline, RuleObjection
from services.routing.domain.decision import Changed, Decision
from services.routing.domain.matter import Case
from services.routing.domain.moment import CLOCK, ROUTING
from shared.contracts.vocabulary import MatterState, RescheduleCause, RescindReason, Ruling
from tests.unit.routing.town import (
    BETTER,
    IN_STATE,
    MONDAY,
    NOT_OURS,
    agrees,
    alone,
    moment,
    outcome,
)

LATER = MONDAY + timedelta(hours=2)


def last_offer(case: Case) -> str:
    return case.offers[-1].id


STEPS: dict[str, Callable[[Case], Decision]] = {
    "accept": lambda case: answers.accept(case, Accept(last_offer(case)), moment()),
    "decline": lambda case: answers.decline(
        case, Decline(last_offer(case), NOT_OURS, "x9"), moment()
    ),
    "object": lambda case: answers.decline(case, Decline(last_offer(case), BETTER, "x9"), moment()),
    "rule": lambda case: answers.rule(case, RuleObjection("x1", Ruling.UPHELD), moment()),
    "run_out": lambda case: expiry.run_out(case, moment(CLOCK, LATER)),
    "pass_on": lambda case: expiry.pass_on(case, {"L1"}, moment(CLOCK)),
    "reopen": lambda case: rounds.reopen(case, rounds.Reopening(2), moment()),
    "end": lambda case: rounds.end(case, RescindReason.CLOSED, moment()),
    "restore": lambda case: rounds.restore(case, MatterState.IN_PROGRESS),
    "restore_waiting": lambda case: rounds.restore(case, MatterState.AWAITING_DISPATCH),
    "reschedule": lambda case: rescheduling.reschedule(
        case, RescheduleCause.CALENDAR, moment(ROUTING)
    ),
    "correct_ended": lambda case: correcting.correct(case, MatterState.CLOSED, moment(ROUTING)),
    "correct": lambda case: correcting.correct(case, MatterState.IN_PROGRESS, moment(ROUTING)),
    "correct_waiting": lambda case: correcting.correct(
        case, MatterState.AWAITING_DISPATCH, moment(ROUTING)
    ),
}

OUTCOMES = {
    "accept": {
        "offered": "Accepted",
        "accepted": "! NotOpen accepted",
        "reviewed": "! NotOpen declined",
        "overruled": "Accepted",
        "taken_back": "! NotOpen rescinded",
        "completed": "! NotOpen accepted",
        "moot": "! NotOpen declined",
        "again": "Accepted",
    },
    "decline": {
        "offered": "Declined > declined",
        "accepted": "! NotOpen accepted",
        "reviewed": "! NotOpen declined",
        "overruled": "Declined > declined",
        "taken_back": "! NotOpen rescinded",
        "completed": "! NotOpen accepted",
        "moot": "! NotOpen declined",
        "again": "Declined > declined",
    },
    "object": {
        "offered": "Declined Objected ReviewAwaited",
        "accepted": "! NotOpen accepted",
        "reviewed": "! NotOpen declined",
        "overruled": "! ObjectionSpent",
        "taken_back": "! NotOpen rescinded",
        "completed": "! NotOpen accepted",
        "moot": "! NotOpen declined",
        "again": "Declined Objected ReviewAwaited",
    },
    "rule": {
        "reviewed": "Ruled > upheld",
        "overruled": "! AlreadySettled overruled",
        "moot": "! AlreadySettled moot",
    },
    "run_out": {
        "offered": "TimedOut > timed_out",
        "accepted": "",
        "reviewed": "> review_lapsed",
        "overruled": "TimedOut > timed_out",
        "taken_back": "",
        "completed": "",
        "moot": "",
        "again": "TimedOut > timed_out",
    },
    "pass_on": {
        "offered": "Rescinded > liaison_absent",
        "accepted": "-",
        "reviewed": "-",
        "overruled": "Rescinded > liaison_absent",
        "taken_back": "-",
        "completed": "-",
        "moot": "-",
        "again": "Rescinded > liaison_absent",
    },
    "reopen": {
        "offered": "Rescinded > reopened",
        "accepted": "> reopened",
        "reviewed": "> reopened",
        "overruled": "Rescinded > reopened",
        "taken_back": "> reopened",
        "completed": "> reopened",
        "moot": "> reopened",
        "again": "-",
    },
    "end": {
        "offered": "Rescinded",
        "accepted": "",
        "reviewed": "",
        "overruled": "Rescinded",
        "taken_back": "-",
        "completed": "-",
        "moot": "-",
        "again": "Rescinded",
    },
    "restore": {
        "offered": "-",
        "accepted": "-",
        "reviewed": "-",
        "overruled": "-",
        "taken_back": "> unmerged",
        "completed": "",
        "moot": "> unmerged",
        "again": "-",
    },
    "restore_waiting": {
        "offered": "-",
        "accepted": "-",
        "reviewed": "-",
        "overruled": "-",
        "taken_back": "> unmerged",
        "completed": "> unmerged",
        "moot": "> unmerged",
        "again": "-",
    },
    "reschedule": dict.fromkeys(IN_STATE, "-"),
    "correct_ended": {
        "offered": "Rescinded",
        "accepted": "",
        "reviewed": "",
        "overruled": "Rescinded",
        "taken_back": "",
        "completed": "",
        "moot": "",
        "again": "Rescinded",
    },
    "correct": {
        "offered": "",
        "accepted": "",
        "reviewed": "",
        "overruled": "",
        "taken_back": "> unmerged",
        "completed": "",
        "moot": "> unmerged",
        "again": "",
    },
    "correct_waiting": {
        "offered": "",
        "accepted": "> unmerged",
        "reviewed": "",
        "overruled": "",
        "taken_back": "> unmerged",
        "completed": "> unmerged",
        "moot": "> unmerged",
        "again": "",
    },
}
"""What `outcome` says of each step; a step that is about an objection needs one."""


def test_every_step_is_tried_in_every_state() -> None:
    assert OUTCOMES.keys() == STEPS.keys()
    for step, expected in OUTCOMES.items():
        assert step == "rule" or expected.keys() == IN_STATE.keys()


@pytest.mark.parametrize(
    ("step", "state"), [(step, state) for step, states in OUTCOMES.items() for state in states]
)
def test_a_step_in_a_state(step: str, state: str) -> None:
    case = alone(IN_STATE[state]())
    decision = STEPS[step](case)
    assert outcome(decision) == OUTCOMES[step][state]
    if isinstance(decision, Changed):
        versions = [each.matter.version for each in decision.emitted]
        assert versions == [case.matter.version + n for n in range(1, len(versions) + 1)]
        assert decision.matter.version == case.matter.version + len(versions)
        agrees(decision.case, wanted=decision.placing is not None)


@pytest.mark.parametrize("state", IN_STATE)
def test_each_state_agrees_with_itself(state: str) -> None:
    agrees(IN_STATE[state](), wanted=False)
