"""Handled, visited, closed, reopened: who may say so, and what counts as an answer."""

from dataclasses import replace

import pytest

from services.followup.domain.decision import Changed, Refusal, Refused, Unmoved
from services.followup.domain.facts import Closed
from services.followup.domain.moment import ActingParty
from services.followup.domain.steps import chart, resolution
from services.followup.domain.steps.resolution import Close, Handle, Reopen, ReturnVisit
from shared.contracts.vocabulary import (
    ClockKind,
    MatterState,
    MilestoneState,
    Outcome,
    Path,
    ReopenCause,
    Role,
    VisitState,
)
from tests.unit.followup.town import (
    COORDINATOR,
    LEAD,
    LIAISON,
    OUTSIDER,
    STRANGER,
    charted,
    closed,
    dissatisfied,
    done,
    handled,
    in_progress,
    moment,
    town_time,
)

CONTENT = ReturnVisit(True, solved=True, satisfaction=4)


def code_of(decision) -> Refusal:
    assert isinstance(decision, Refused), decision
    return decision.code


def test_an_answer_straight_after_acceptance_is_instant_and_a_contact() -> None:
    matter = handled()
    assert matter.handling is not None
    assert (matter.path, matter.handling.instant, matter.handling.on_time) == (
        Path.INSTANT, True, True,
    )  # fmt: skip
    assert matter.contacted_at is not None
    assert [clock.kind for clock in matter.clocks] == [ClockKind.RETURN_VISIT]
    assert matter.next_due_at == town_time(3, 17, 30)


def test_days_later_it_was_not_instant() -> None:
    step = Handle(Outcome.RESOLVED, "已通")
    matter = done(resolution.handle(in_progress(), step, moment(LIAISON, town_time(5, 10))))
    assert matter.handling is not None
    assert (matter.handling.instant, matter.handling.on_time) == (False, True)


def test_after_its_limit_it_is_late() -> None:
    step = Handle(Outcome.RESOLVED, "已通")
    matter = done(resolution.handle(in_progress(), step, moment(LIAISON, town_time(10, 9))))
    assert matter.handling is not None
    assert not matter.handling.on_time


def test_what_is_charted_waits_for_its_required_milestones() -> None:
    step = Handle(Outcome.RESOLVED, "已通")
    refused = resolution.handle(charted(), step, moment(LIAISON))
    assert code_of(refused) is Refusal.MILESTONES_OPEN
    assert refused.params == {"milestones": ["征求意见"]}
    change = chart.ChangeMilestone("m-1", state=MilestoneState.DONE)
    ready = done(chart.change_milestone(charted(), change, moment(LEAD)))
    matter = done(resolution.handle(ready, step, moment(LEAD)))
    assert matter.path is Path.CHARTED
    assert matter.handling is not None
    assert not matter.handling.instant


def test_what_is_charted_is_not_called_instant() -> None:
    step = Handle(Outcome.RESOLVED, "已通", Path.INSTANT)
    assert code_of(resolution.handle(charted(), step, moment(LIAISON))) is Refusal.PATH_IS_CHARTED


def test_only_the_requester_withdraws() -> None:
    step = Handle(Outcome.WITHDRAWN, "撤回")
    assert code_of(resolution.handle(in_progress(), step, moment(LIAISON))) is (
        Refusal.OUTCOME_NOT_GIVEN
    )


@pytest.mark.parametrize("visitor", [LIAISON, LEAD])
def test_the_owner_and_the_lead_department_make_no_return_visit(visitor: ActingParty) -> None:
    assert code_of(resolution.return_visit(handled(), CONTENT, moment(visitor))) is (
        Refusal.NOT_INDEPENDENT
    )


def test_whoever_handled_on_behalf_makes_no_return_visit() -> None:
    step = Handle(Outcome.RESOLVED, "已通")
    matter = done(resolution.handle(in_progress(), step, moment(COORDINATOR)))
    assert code_of(resolution.return_visit(matter, CONTENT, moment(COORDINATOR))) is (
        Refusal.NOT_INDEPENDENT
    )
    done(resolution.return_visit(matter, CONTENT, moment(ActingParty(Role.COORDINATOR, "C002"))))


def test_the_owner_makes_none_either_when_another_handled() -> None:
    step = Handle(Outcome.RESOLVED, "已通")
    for handler in (LEAD, COORDINATOR):
        matter = done(resolution.handle(in_progress(), step, moment(handler)))
        assert code_of(resolution.return_visit(matter, CONTENT, moment(LIAISON))) is (
            Refusal.NOT_INDEPENDENT
        )


@pytest.mark.parametrize("visitor", [COORDINATOR, OUTSIDER, STRANGER])
def test_others_do(visitor: ActingParty) -> None:
    assert done(resolution.return_visit(handled(), CONTENT, moment(visitor))).state is (
        MatterState.CLOSED
    )


@pytest.mark.parametrize(
    ("said", "content"),
    [
        (ReturnVisit(True, solved=True), True),
        (ReturnVisit(True, True, True, 5), True),
        (ReturnVisit(True, True, True, 3), True),
        (ReturnVisit(True, True, True, 2), False),
        (ReturnVisit(True, True, False, 5), False),
        (ReturnVisit(True, False, True, 5), False),
        (ReturnVisit(True, solved=False), False),
    ],
)
def test_who_is_content_settles_it_and_who_is_not_leaves_a_decision(
    said: ReturnVisit, content: bool
) -> None:
    decision = resolution.return_visit(handled(), said, moment(COORDINATOR))
    assert isinstance(decision, Changed)
    matter = decision.matter
    assert matter.visit is not None
    assert matter.visit.state is VisitState.DONE
    if content:
        assert matter.state is MatterState.CLOSED
        assert decision.emitted[-1].fact == Closed(Outcome.RESOLVED, None)
    else:
        assert matter.state is MatterState.HANDLED
        assert [clock.kind for clock in matter.clocks] == [ClockKind.REVIEW]


@pytest.mark.parametrize(
    "said",
    [
        ReturnVisit(True),
        ReturnVisit(True, satisfaction=5),
        ReturnVisit(False, solved=True),
        ReturnVisit(False, satisfaction=1),
        ReturnVisit(False, answered=False),
    ],
)
def test_a_visit_says_all_or_nothing(said: ReturnVisit) -> None:
    assert code_of(resolution.return_visit(handled(), said, moment(COORDINATOR))) is (
        Refusal.VISIT_INCOMPLETE
    )


def test_nobody_reached_is_tried_again_the_next_working_day() -> None:
    first = done(
        resolution.return_visit(
            handled(), ReturnVisit(False, words="无人接听"), moment(at=town_time(3, 10))
        )
    )
    assert first.visit is not None
    assert (first.visit.state, first.visit.attempts) == (VisitState.UNREACHED, 1)
    assert first.next_due_at == town_time(4, 17, 30)
    second = done(resolution.return_visit(first, CONTENT, moment()))
    assert second.visit is not None
    assert (second.state, second.visit.attempts) == (MatterState.CLOSED, 2)


def test_one_answer_a_round() -> None:
    assert code_of(resolution.return_visit(dissatisfied(), CONTENT, moment())) is Refusal.VISIT_DONE


def test_without_an_answer_it_closes_by_a_named_exemption_alone() -> None:
    assert code_of(resolution.close(handled(), Close(), moment())) is Refusal.VISIT_NOT_ANSWERED
    matter = done(resolution.close(handled(), Close("企业已搬离"), moment()))
    assert matter.closing is not None
    assert matter.closing.exemption == "企业已搬离"


def test_an_answer_makes_an_exemption_needless() -> None:
    matter = done(resolution.close(dissatisfied(), Close("不必"), moment()))
    assert matter.closing is not None
    assert matter.closing.exemption is None


def test_closing_what_is_closed_changes_nothing() -> None:
    assert isinstance(resolution.close(closed(), Close(), moment(LIAISON)), Unmoved)


def test_another_round_begins_empty_and_promises_anew() -> None:
    at = town_time(4, 10)
    step = Reopen(ReopenCause.NOT_SOLVED, "仍不通")
    matter = done(resolution.reopen(dissatisfied(), step, moment(at=at)))
    assert (matter.round, matter.state) == (2, MatterState.AWAITING_DISPATCH)
    assert matter.began_at == at
    assert {matter.owner, matter.offer, matter.visit, matter.handling, matter.path} == {None}
    assert matter.last_owner is not None
    due = {clock.kind: clock.due_at for clock in matter.clocks}
    assert due == {
        ClockKind.INTERIM: town_time(9, 17, 30),
        ClockKind.HANDLE: town_time(11, 17, 30),
    }


def test_the_door_closes_fifteen_days_after_closing() -> None:
    step = Reopen(ReopenCause.RECURRED, "又堵了")
    done(resolution.reopen(closed(), step, moment(at=town_time(17, 17, 30))))
    refused = resolution.reopen(closed(), step, moment(at=town_time(17, 17, 31)))
    assert code_of(refused) is Refusal.REOPENING_TOO_LATE
    assert refused.params["matter_id"] == "request-1"


def test_what_waits_for_its_visit_is_not_reopened() -> None:
    step = Reopen(ReopenCause.NEW_FACT, "新情况")
    assert code_of(resolution.reopen(handled(), step, moment())) is Refusal.VISIT_NOT_DISSATISFIED


def test_an_unfinished_chart_goes_on_in_the_next_round() -> None:
    matter = replace(dissatisfied(), path=Path.CHARTED, milestones=charted().milestones)
    again = done(resolution.reopen(matter, Reopen(ReopenCause.NOT_SOLVED, "未完"), moment()))
    assert again.path is Path.CHARTED
    finished = tuple(replace(each, state=MilestoneState.DONE) for each in charted().milestones)
    fresh = done(
        resolution.reopen(
            replace(matter, milestones=finished), Reopen(ReopenCause.RECURRED, "又"), moment()
        )
    )
    assert fresh.path is None
