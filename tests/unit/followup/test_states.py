"""Every step in every state: allowed where the table of rules says so, refused by name everywhere else."""

import pytest

from services.followup.domain.access import RULES, Step, allowed_states
from services.followup.domain.decision import Changed, Refusal, Refused, Unmoved
from shared.contracts.vocabulary import MatterState
from tests.unit.followup.steps import TAKE
from tests.unit.followup.town import COORDINATOR, IN_STATE, dissatisfied, moment

# The table of DOMAIN.md written out a second time, so that a slip in the rules shows.
ALLOWED = {
    Step.FIRST_CONTACT: "in_progress",
    Step.FEEDBACK: "in_progress on_hold shelved",
    Step.PLAN: "in_progress",
    Step.MILESTONE: "in_progress on_hold shelved",
    Step.TASK: "in_progress on_hold shelved",
    Step.TASK_DONE: "in_progress on_hold shelved handled",
    Step.HOLD: "in_progress",
    Step.RESUME: "on_hold shelved",
    Step.EXTEND: "received awaiting_dispatch offered in_progress on_hold shelved handled",
    Step.SHELVE: "in_progress shelved",
    Step.HANDLE: "in_progress",
    Step.RETURN_VISIT: "handled",
    Step.CLOSE: "handled",
    Step.REOPEN: "handled closed",
    Step.REJECT: "received awaiting_dispatch offered",
    Step.MERGE: "received awaiting_dispatch offered in_progress shelved",
    Step.UNMERGE: "merged",
    Step.JOIN: "received awaiting_dispatch offered in_progress on_hold shelved handled",
}


def test_the_rules_say_what_the_domain_says() -> None:
    assert {step: " ".join(allowed_states(step)) for step in RULES} == ALLOWED


@pytest.mark.parametrize("state", MatterState)
@pytest.mark.parametrize("step", Step)
def test_a_step_in_a_state(step: Step, state: MatterState) -> None:
    matter = IN_STATE[state]()
    if (step, state) == (Step.REOPEN, MatterState.HANDLED):
        matter = dissatisfied()
    decision = TAKE[step](matter, moment(COORDINATOR))
    if state in ALLOWED[step].split():
        assert isinstance(decision, Changed), decision
        assert decision.matter.version == decision.emitted[-1].matter.version > matter.version
    elif (step, state) == (Step.CLOSE, MatterState.CLOSED):
        assert isinstance(decision, Unmoved)
    else:
        assert decision == Refused(Refusal.WRONG_STATE, state, allowed_states(step))


@pytest.mark.parametrize("state", MatterState)
def test_each_state_is_reached_with_a_promise_or_ended(state: MatterState) -> None:
    matter = IN_STATE[state]()
    assert matter.state is state
    assert matter.final == (matter.next_due_at is None)
    assert matter.version > 0
