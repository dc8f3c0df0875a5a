"""Steps on the wall chart (挂图作战): milestones and tasks of departments."""

from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from services.followup.api.steps.entry import Body, deciding, entry, handled_by
from services.followup.domain.steps import chart
from services.followup.handlers import steps
from services.followup.handlers.steps import Decide
from shared.contracts.fields.types import Erasable, Line, Moment, PartyNamed, Words
from shared.contracts.vocabulary import MilestoneState
from shared.http.writes.steps import StepOperation, StepRequest
from shared.runtime.ids import new_id


class MilestoneBody(Body):
    """One milestone of a plan."""

    title: Line
    owner_department: PartyNamed
    due_at: Moment
    required: bool = True


class PlanBody(Body):
    """The milestones of the wall chart, or more of them."""

    milestones: Annotated[tuple[MilestoneBody, ...], Field(min_length=1, max_length=50)]


class MilestoneChangeBody(Body):
    """What changes; a moved `due_at` needs a `reason`, an empty `blocker` takes the blocker away."""

    state: MilestoneState | None = None
    due_at: Moment | None = None
    reason: Words | None = None
    evidence: Words | None = None
    blocker: Erasable | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if all(each is None for each in (self.state, self.due_at, self.evidence, self.blocker)):
            raise ValueError("nothing to change")
        return self


class TaskBody(Body):
    """Something for a department to do."""

    department: PartyNamed
    title: Line
    due_at: Moment | None = None


def _plan(wanted: StepRequest) -> chart.Plan:
    body: PlanBody = wanted.body
    return chart.Plan(
        tuple(
            chart.PlannedStep(
                new_id(), each.title, each.owner_department, each.due_at, each.required
            )
            for each in body.milestones
        )
    )


def _change_milestone(wanted: StepRequest) -> Decide:
    body: MilestoneChangeBody = wanted.body
    milestone_id = str(wanted.ids["milestone_id"])
    step = chart.ChangeMilestone(
        milestone_id, body.state, body.due_at, body.reason, body.evidence, body.blocker
    )
    return lambda matter, moment: chart.change_milestone(matter, step, moment)


def _add_task(wanted: StepRequest) -> chart.AddTask:
    body: TaskBody = wanted.body
    return chart.AddTask(new_id(), body.department, body.title, body.due_at)


def _finish_task(wanted: StepRequest) -> Decide:
    step = chart.FinishTask(str(wanted.ids["task_id"]))
    return lambda matter, moment: chart.finish_task(matter, step, moment)


STEPS: Final = (
    entry(
        "plan",
        "plan",
        StepOperation(
            "planMilestones",
            "Put it on the wall chart",
            "挂图作战: milestones with owner departments and dates; again adds more.",
        ),
        handled_by(steps.plan, _plan),
        PlanBody,
    ),
    entry(
        "milestones/{milestone_id}",
        "change_milestone",
        StepOperation(
            "changeMilestone",
            "Move a milestone on",
            "节点更新: state, date with a reason, evidence, blocker.",
        ),
        deciding(_change_milestone),
        MilestoneChangeBody,
    ),
    entry(
        "tasks",
        "add_task",
        StepOperation(
            "addTask",
            "Give a department a task",
            "协办任务: the department sees the matter from now on.",
        ),
        handled_by(steps.add_task, _add_task),
        TaskBody,
    ),
    entry(
        "tasks/{task_id}/done",
        "finish_task",
        StepOperation(
            "finishTask",
            "Say that a task is done",
            "任务完成: by its department or whoever carries the work.",
        ),
        deciding(_finish_task),
    ),
)
