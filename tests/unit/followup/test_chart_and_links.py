"""The wall chart with its lights, tasks, and matters that belong together."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.followup.domain import clocks
from services.followup.domain.decision import Refusal, Refused, Unmoved
from services.followup.domain.ladder import climb
from services.followup.domain.moment import ActingParty
from services.followup.domain.steps import chart, links
from services.followup.domain.steps.chart import (
    AddTask,
    ChangeMilestone,
    FinishTask,
    Plan,
    PlannedStep,
)
from services.followup.domain.steps.links import Join, Merge, Unmerge
from shared.contracts.vocabulary import ClockKind, Light, MatterState, MilestoneState
from tests.unit.followup.town import (
    CALENDAR,
    CO,
    COORDINATOR,
    LEAD,
    LIAISON,
    MONDAY,
    OUTSIDER,
    charted,
    closed,
    done,
    handled,
    in_progress,
    moment,
    offered,
    town_time,
)


def code_of(decision) -> Refusal:
    assert isinstance(decision, Refused), decision
    return decision.code


@pytest.mark.parametrize(
    ("changes", "light"),
    [
        ({}, Light.GREEN),
        ({"due_at": town_time(4, 17, 30)}, Light.YELLOW),
        ({"due_at": town_time(4, 17, 31)}, Light.GREEN),
        ({"blocker": "批复未到"}, Light.YELLOW),
        ({"due_at": town_time(2, 9)}, Light.RED),
        ({"due_at": town_time(2, 9), "blocker": "批复未到"}, Light.RED),
        ({"due_at": town_time(2, 9), "state": MilestoneState.DONE}, Light.GREEN),
        ({"due_at": town_time(2, 9), "state": MilestoneState.WAIVED}, Light.GREEN),
        ({"state": MilestoneState.IN_PROGRESS}, Light.GREEN),
    ],
)
def test_a_light_is_computed(changes, light: Light) -> None:
    milestone = replace(charted().milestones[1], **changes)
    assert chart.light(milestone, MONDAY, CALENDAR) is light


def test_a_plan_promises_feedback_and_lets_its_departments_in() -> None:
    step = PlannedStep("m-1", "核税", "D-TAX", town_time(20, 17), required=True)
    matter = done(chart.plan(in_progress(), Plan((step,)), moment(LEAD)))
    assert "D-TAX" in matter.parties
    feedback = clocks.find(matter.clocks, ClockKind.FEEDBACK)
    assert feedback is not None
    assert feedback.due_at == town_time(9, 17, 30)


def test_a_second_plan_adds_and_moves_no_promise() -> None:
    at = town_time(5, 10)
    step = PlannedStep("m-3", "施工", "D-ROAD", town_time(30, 17), required=True)
    matter = done(chart.plan(charted(), Plan((step,)), moment(LIAISON, at)))
    assert [each.id for each in matter.milestones] == ["m-1", "m-2", "m-3"]
    assert clocks.find(matter.clocks, ClockKind.FEEDBACK) == clocks.find(
        charted().clocks, ClockKind.FEEDBACK
    )


def test_a_chart_is_not_endless() -> None:
    step = PlannedStep("m", "步", "D-ROAD", town_time(30, 17), required=False)
    refused = chart.plan(charted(), Plan((step,) * 49), moment(LIAISON))
    assert code_of(refused) is Refusal.TOO_MANY


@pytest.mark.parametrize(
    ("due_at", "code"),
    [
        (MONDAY, Refusal.NOT_LATER),
        (MONDAY + chart.LONGEST_PLAN + timedelta(seconds=1), Refusal.TOO_FAR),
    ],
)
def test_a_milestone_is_due_in_the_years_to_come(due_at, code: Refusal) -> None:
    step = PlannedStep("m-3", "施工", "D-ROAD", due_at, required=True)
    assert code_of(chart.plan(in_progress(), Plan((step,)), moment(LIAISON))) is code


def test_a_moved_milestone_says_why_and_keeps_its_first_date() -> None:
    step = ChangeMilestone("m-1", due_at=town_time(12, 17))
    assert code_of(chart.change_milestone(charted(), step, moment(LEAD))) is Refusal.REASON_NEEDED
    step = replace(step, reason="等批复")
    (moved, _) = done(chart.change_milestone(charted(), step, moment(LEAD))).milestones
    assert (moved.due_at, moved.original_due_at) == (town_time(12, 17), town_time(10, 17))


@pytest.mark.parametrize("who", [LEAD, LIAISON, CO])
def test_case_91_a_milestone_goes_far_beyond_its_first_date_by_leave_alone(
    who: ActingParty,
) -> None:
    charts, first = charted(), town_time(20, 17)
    for days in (20, 30):
        step = ChangeMilestone("m-2", due_at=first + timedelta(days=days), reason="等批复")
        charts = done(chart.change_milestone(charts, step, moment(who)))
    step = ChangeMilestone("m-2", due_at=first + timedelta(days=31), reason="再等")
    assert code_of(chart.change_milestone(charts, step, moment(who))) is Refusal.LEAVE_NEEDED
    moved = done(chart.change_milestone(charts, step, moment(COORDINATOR)))
    assert moved.milestones[1].due_at == first + timedelta(days=31)


def test_a_blocker_comes_and_goes() -> None:
    blocked = done(
        chart.change_milestone(charted(), ChangeMilestone("m-2", blocker="缺图"), moment(CO))
    )
    assert blocked.milestones[1].blocker == "缺图"
    kept = done(
        chart.change_milestone(blocked, ChangeMilestone("m-2", evidence="照片"), moment(CO))
    )
    assert kept.milestones[1].blocker == "缺图"
    freed = done(chart.change_milestone(kept, ChangeMilestone("m-2", blocker=""), moment(CO)))
    assert (freed.milestones[1].blocker, freed.milestones[1].evidence) == (None, "照片")


def test_a_department_moves_its_own_milestone_alone() -> None:
    step = ChangeMilestone("m-1", state=MilestoneState.DONE)
    assert code_of(chart.change_milestone(charted(), step, moment(CO))) is Refusal.NOT_YOURS
    done(chart.change_milestone(charted(), replace(step, id="m-2"), moment(CO)))


def test_a_coordinator_alone_waives_and_takes_up_again() -> None:
    waive = ChangeMilestone("m-1", state=MilestoneState.WAIVED)
    assert code_of(chart.change_milestone(charted(), waive, moment(LEAD))) is (
        Refusal.COORDINATOR_ONLY
    )
    waived = done(chart.change_milestone(charted(), waive, moment(COORDINATOR)))
    again = ChangeMilestone("m-1", state=MilestoneState.IN_PROGRESS)
    assert code_of(chart.change_milestone(waived, again, moment(LEAD))) is (
        Refusal.MILESTONE_SETTLED
    )
    done(chart.change_milestone(waived, again, moment(COORDINATOR)))


def test_what_is_not_there_is_not_changed() -> None:
    unknown = ChangeMilestone("m-7", state=MilestoneState.DONE)
    assert code_of(chart.change_milestone(charted(), unknown, moment(LEAD))) is (
        Refusal.MILESTONE_UNKNOWN
    )
    assert code_of(chart.finish_task(in_progress(), FinishTask("t-7"), moment(LEAD))) is (
        Refusal.TASK_UNKNOWN
    )


def test_a_task_lets_its_department_in_and_is_done_by_it() -> None:
    matter = done(chart.add_task(in_progress(), AddTask("t-1", "D-TAX", "核对"), moment(LEAD)))
    assert code_of(chart.finish_task(matter, FinishTask("t-1"), moment(CO))) is Refusal.NOT_YOURS
    finished = done(chart.finish_task(matter, FinishTask("t-1"), moment(OUTSIDER)))
    assert finished.tasks[0].done_at == MONDAY
    assert code_of(chart.finish_task(finished, FinishTask("t-1"), moment(LEAD))) is (
        Refusal.TASK_DONE
    )


def merge_into(matter, into, has_merged=False):
    return links.merge(matter, Merge(into, "同一问题", has_merged), moment(COORDINATOR))


def test_only_one_firms_open_matters_are_merged() -> None:
    matter, other = in_progress(), replace(in_progress(), id="request-2")
    assert code_of(merge_into(matter, matter)) is Refusal.MERGED_WITH_ITSELF
    assert code_of(merge_into(matter, replace(other, requester_id="X"))) is Refusal.OTHER_REQUESTER
    assert code_of(merge_into(matter, replace(closed(), id="request-2"))) is (
        Refusal.TARGET_NOT_OPEN
    )
    assert code_of(merge_into(matter, other, has_merged=True)) is Refusal.HAS_MERGED
    assert done(merge_into(matter, other)).next_due_at is None


def test_a_merge_undone_goes_on_with_what_was_promised() -> None:
    merged = done(merge_into(in_progress(), replace(in_progress(), id="request-2")))
    back = done(links.unmerge(merged, Unmerge("不同"), moment(LIAISON, town_time(3, 9))))
    assert (back.state, back.clocks) == (MatterState.IN_PROGRESS, in_progress().clocks)


def test_a_merge_undone_too_late_is_a_breach_at_once() -> None:
    merged = done(merge_into(in_progress(), replace(in_progress(), id="request-2")))
    at = moment(COORDINATOR, town_time(20, 9))
    decision = links.unmerge(merged, Unmerge("不同"), at)
    settled = climb(done(decision), at, decision.emitted)
    assert settled.matter.breached


def test_merged_before_it_was_taken_it_waits_for_an_offer_again() -> None:
    merged = done(merge_into(offered(), replace(in_progress(), id="request-2")))
    back = done(links.unmerge(merged, Unmerge("不同"), moment(COORDINATOR)))
    assert (back.state, back.open_offer) == (MatterState.AWAITING_DISPATCH, None)
    assert ClockKind.ACCEPT not in {clock.kind for clock in back.clocks}


def test_joined_once() -> None:
    joined = done(links.join(handled(), Join("j-1", "园区道路"), moment(COORDINATOR)))
    assert joined.joint is not None
    again = links.join(joined, Join("j-1", "园区道路"), moment(COORDINATOR))
    assert isinstance(again, Unmoved)
    assert code_of(links.join(joined, Join("j-2", "别的"), moment(COORDINATOR))) is (
        Refusal.JOINED_ALREADY
    )
