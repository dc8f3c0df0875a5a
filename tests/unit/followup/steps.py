"""Every step with a body that fits, as a table: what the tests of states and of the machine go through."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from services.followup.domain.access import Step
from services.followup.domain.decision import Decision
from services.followup.domain.matter import ChartMilestone, Matter, Task
from services.followup.domain.moment import Moment
from services.followup.domain.steps import chart, links, resolution, work
from shared.calendar import Limit
from shared.contracts.vocabulary import ClockKind, MilestoneState, Outcome, ReopenCause
from tests.unit.followup.town import in_progress

Take = Callable[[Matter, Moment], Decision]


def _plan(matter: Matter, moment: Moment) -> Decision:
    step = chart.PlannedStep("m-9", "施工", "D-ROAD", moment.after(Limit.days(9)), required=True)
    return chart.plan(matter, chart.Plan((step,)), moment)


def _milestone(matter: Matter, moment: Moment) -> Decision:
    due_at = moment.after(Limit.days(9))
    milestone = ChartMilestone(
        "m-8", "招标", "D-ROAD", MilestoneState.PLANNED, due_at, due_at, True
    )
    charted = replace(matter, milestones=(*matter.milestones, milestone))
    step = chart.ChangeMilestone("m-8", state=MilestoneState.IN_PROGRESS)
    return chart.change_milestone(charted, step, moment)


def _task(matter: Matter, moment: Moment) -> Decision:
    return chart.add_task(matter, chart.AddTask("t-9", "D-FIRE", "现场核查"), moment)


def _task_done(matter: Matter, moment: Moment) -> Decision:
    given = replace(matter, tasks=(*matter.tasks, Task("t-8", "D-FIRE", "现场核查", None)))
    return chart.finish_task(given, chart.FinishTask("t-8"), moment)


def _extend(matter: Matter, moment: Moment) -> Decision:
    running = [each for each in matter.clocks if not each.paused_at]
    wanted = [each for each in running if each.kind not in (ClockKind.ACCEPT, ClockKind.REVIEW)]
    clock = wanted[0] if wanted else None
    kind = clock.kind if clock else ClockKind.REVIEW
    start = max(clock.due_at if clock else moment.at, moment.at, *(e.due_at for e in running[:1]))
    new_due_at = moment.calendar.add(start, Limit.days(2))
    return work.extend(matter, work.Extend(kind, new_due_at, "施工受雨天影响"), moment)


def _reopen(matter: Matter, moment: Moment) -> Decision:
    return resolution.reopen(matter, resolution.Reopen(ReopenCause.NOT_SOLVED, "仍不通"), moment)


def _merge(matter: Matter, moment: Moment) -> Decision:
    return links.merge(matter, links.Merge(replace(in_progress(), id="other"), "同一问题"), moment)


TAKE: Mapping[Step, Take] = {
    Step.FIRST_CONTACT: lambda m, at: work.first_contact(m, work.FirstContact("已电话联系"), at),
    Step.FEEDBACK: lambda m, at: work.feedback(m, work.Feedback("正在勘察"), at),
    Step.PLAN: _plan,
    Step.MILESTONE: _milestone,
    Step.TASK: _task,
    Step.TASK_DONE: _task_done,
    Step.HOLD: lambda m, at: work.hold(m, work.HoldOn("等材料", at.after(Limit.days(3))), at),
    Step.RESUME: lambda m, at: work.resume(m, work.Resume(), at),
    Step.EXTEND: _extend,
    Step.SHELVE: lambda m, at: work.shelve(
        m, work.PutOnShelf("列入明年", at.after(Limit.days(20))), at
    ),
    Step.HANDLE: lambda m, at: resolution.handle(
        m, resolution.Handle(Outcome.RESOLVED, "已通"), at
    ),
    Step.RETURN_VISIT: lambda m, at: resolution.return_visit(
        m, resolution.ReturnVisit(True, solved=True, satisfaction=5), at
    ),
    Step.CLOSE: lambda m, at: resolution.close(m, resolution.Close("企业已搬离,无法回访"), at),
    Step.REOPEN: _reopen,
    Step.REJECT: lambda m, at: resolution.reject(m, resolution.Reject("司法事项", "12368"), at),
    Step.MERGE: _merge,
    Step.UNMERGE: lambda m, at: links.unmerge(m, links.Unmerge("不是同一问题"), at),
    Step.JOIN: lambda m, at: links.join(m, links.Join("joint-1", "园区道路"), at),
}
