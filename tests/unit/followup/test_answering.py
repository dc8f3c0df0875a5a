"""The requester's own answer: it counts above what staff recorded, and is never dropped."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.followup.domain.decision import Changed
from services.followup.domain.facts import Amended, Reopened, Visited
from services.followup.domain.matter import Matter
from services.followup.domain.moment import ActingParty
from services.followup.domain.steps import resolution
from services.followup.domain.steps.answering import OwnAnswer, answered_by_requester
from services.followup.domain.steps.resolution import Close
from shared.contracts.vocabulary import Amendment, MatterState, Outcome, ReopenCause, Role
from tests.unit.followup.town import (
    COORDINATOR,
    IN_STATE,
    LEAD,
    LIAISON,
    REQUESTER,
    SYSTEM,
    closed,
    dissatisfied,
    done,
    handled,
    in_progress,
    moment,
)

CONTENT, NOT_SOLVED = OwnAnswer(True, 5, "很好"), OwnAnswer(False, 1, "还在积水")


def answered(matter: Matter, answer: OwnAnswer, **late: float) -> Changed:
    at = moment().at + timedelta(**late)
    return answered_by_requester(matter, answer, moment(REQUESTER, at))


def facts(decision: Changed) -> list[str]:
    return [type(emitted.fact).__name__ for emitted in decision.emitted]


def test_the_requesters_own_answer_closes_it() -> None:
    matter = answered(handled(), CONTENT).matter
    assert matter.state is MatterState.CLOSED
    assert matter.visit is not None
    assert matter.visit.visitor == REQUESTER


@pytest.mark.parametrize(("answer", "ends"), [(CONTENT, True), (NOT_SOLVED, False)])
def test_case_83_the_own_answer_counts_above_a_visit_that_a_colleague_recorded(
    answer: OwnAnswer, ends: bool
) -> None:
    matter = answered(dissatisfied(), answer).matter
    assert matter.visit is not None
    assert (matter.visit.visitor, matter.visit.satisfaction) == (REQUESTER, answer.satisfaction)
    assert (matter.state is MatterState.CLOSED) == ends
    assert ends or matter.next_due_at is not None


@pytest.mark.parametrize("closing", ["content by staff", "exempted", "content by itself"])
def test_case_83_within_15_days_a_closing_can_be_contradicted(closing: str) -> None:
    matter = {
        "content by staff": closed,
        "exempted": lambda: done(resolution.close(handled(), Close("联系不上"), moment())),
        "content by itself": lambda: answered(handled(), CONTENT).matter,
    }[closing]()
    decision = answered(matter, NOT_SOLVED, days=14)
    assert facts(decision) == ["Visited", "Reopened"]
    reopened = decision.emitted[-1].fact
    assert isinstance(reopened, Reopened)
    assert (reopened.cause, reopened.reason) == (ReopenCause.NOT_SOLVED, "还在积水")
    assert (decision.matter.state, decision.matter.round) == (MatterState.AWAITING_DISPATCH, 2)
    assert decision.matter.next_due_at is not None


def test_case_83_after_15_days_the_answer_is_kept_as_words() -> None:
    decision = answered(closed(), NOT_SOLVED, days=16)
    assert decision.emitted[0].fact == Amended("还在积水", Amendment.ANSWER, None, False, 1)
    assert decision.matter.state is MatterState.CLOSED


def test_a_content_answer_after_an_exempted_closing_is_recorded_and_closes_nothing_twice() -> None:
    exempted = done(resolution.close(handled(), Close("联系不上"), moment()))
    decision = answered(exempted, CONTENT)
    assert facts(decision) == ["Visited"]
    assert decision.matter.closing == exempted.closing


def test_the_first_own_answer_of_a_round_counts_and_a_second_is_kept() -> None:
    first = answered(handled(), NOT_SOLVED).matter
    second = answered(first, CONTENT)
    assert facts(second) == ["Amended"]
    assert second.matter.visit == first.visit


def test_an_answer_to_a_round_that_has_gone_on_is_kept() -> None:
    decision = answered(replace(handled(), round=2), replace(CONTENT, round=1))
    assert facts(decision) == ["Amended"]


@pytest.mark.parametrize("state", MatterState)
@pytest.mark.parametrize("answer", [CONTENT, NOT_SOLVED])
def test_case_83_in_no_state_is_an_acknowledged_answer_dropped(
    state: MatterState, answer: OwnAnswer
) -> None:
    decision = answered(IN_STATE[state](), answer)
    counted = [emitted.fact for emitted in decision.emitted if isinstance(emitted.fact, Visited)]
    words = [emitted.fact for emitted in decision.emitted if isinstance(emitted.fact, Amended)]
    assert len(counted) + len(words) == 1
    assert decision.emitted[0].by.role is Role.REQUESTER


@pytest.mark.parametrize("holder", [LIAISON, LEAD])
@pytest.mark.parametrize("answer", [CONTENT, NOT_SOLVED])
def test_case_84_an_answer_by_a_receipt_of_who_handled_it_is_kept_and_a_visit_stays_due(
    holder: ActingParty, answer: OwnAnswer
) -> None:
    decision = answered(handled(), replace(answer, issued_to=(SYSTEM.party, holder.party)))
    assert facts(decision) == ["Amended"]
    assert decision.matter.state is MatterState.HANDLED
    assert decision.matter.visit == handled().visit
    assert decision.matter.next_due_at == handled().next_due_at


def test_case_84_whoever_handled_on_behalf_holds_no_receipt_that_counts() -> None:
    step = resolution.Handle(Outcome.RESOLVED, "已通")
    matter = done(resolution.handle(in_progress(), step, moment(COORDINATOR)))
    assert facts(answered(matter, replace(CONTENT, issued_to=(COORDINATOR.party,)))) == ["Amended"]


@pytest.mark.parametrize("holder", ["https://one-stop.example", "L777"])
def test_an_answer_by_a_receipt_of_somebody_without_a_part_in_it_counts(holder: str) -> None:
    assert answered(handled(), replace(CONTENT, issued_to=(holder,))).matter.state is (
        MatterState.CLOSED
    )
