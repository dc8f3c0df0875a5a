"""The wall chart 挂图作战: planning, milestones with their lights, and the departments' tasks."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from services.followup.domain import clocks
from services.followup.domain.access import CallerRelation, Step, guard, standings
from services.followup.domain.decision import Decision, Refusal, Refused, emit, refuse
from services.followup.domain.facts import MilestoneChanged, Planned, TaskChanged
from services.followup.domain.matter import ChartMilestone, Matter, Task
from services.followup.domain.moment import Moment
from services.followup.domain.naming import Kinds, misnamed
from services.followup.domain.steps.postponing import OWN_EXTENSION, by_leave
from services.followup.domain.steps.work import promise_feedback
from shared.calendar import Limit, WorkingCalendar
from shared.contracts.vocabulary import ClockKind, Light, MilestoneState, Path

MOST_MILESTONES: Final = 50
MOST_TASKS: Final = 50
LONGEST_PLAN: Final = timedelta(days=5 * 366)
SOON: Final = Limit.days(2)
"""A milestone due within this is yellow."""


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A milestone to be planned."""

    id: str
    title: str
    owner_department: str
    due_at: datetime
    required: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """Milestones to plan; more may follow later. `known` has the directory's entries of the named parties."""

    steps: tuple[PlannedStep, ...]
    known: Kinds | None = None

    @property
    def named(self) -> tuple[tuple[str, str], ...]:
        """Return the fields that name departments: JSON pointer and party."""
        return tuple(
            (f"milestones/{number}/owner_department", each.owner_department)
            for number, each in enumerate(self.steps)
        )


@dataclass(frozen=True, slots=True)
class ChangeMilestone:
    """A change of a milestone; None leaves a field as it is, an empty `blocker` removes the blocker."""

    id: str
    state: MilestoneState | None = None
    due_at: datetime | None = None
    reason: str | None = None
    evidence: str | None = None
    blocker: str | None = None


@dataclass(frozen=True, slots=True)
class AddTask:
    """A task for a department. `known` has the directory's entry of the named party."""

    id: str
    department: str
    title: str
    due_at: datetime | None = None
    known: Kinds | None = None

    @property
    def named(self) -> tuple[tuple[str, str], ...]:
        """Return the field that names the department: JSON pointer and party."""
        return (("department", self.department),)


@dataclass(frozen=True, slots=True)
class FinishTask:
    """A department finished its task."""

    id: str


def light(milestone: ChartMilestone, at: datetime, calendar: WorkingCalendar) -> Light:
    """Return a milestone's light: red when overdue, yellow when blocked or due within two working days, else green."""
    return light_of(milestone, at, calendar.add(at, SOON))


def light_of(milestone: ChartMilestone, at: datetime, soon: datetime) -> Light:
    """Return a milestone's light, with `soon`, two working days after `at`, computed once for many."""
    if milestone.is_finished:
        return Light.GREEN
    if milestone.due_at < at:
        return Light.RED
    if milestone.blocker or milestone.due_at <= soon:
        return Light.YELLOW
    return Light.GREEN


def plan(matter: Matter, step: Plan, moment: Moment) -> Decision:
    """Put milestones on the wall chart; from the first plan on, regular feedback is due."""
    if refused := guard(matter, Step.PLAN, moment.by):
        return refused
    if len(matter.milestones) + len(step.steps) > MOST_MILESTONES:
        return refuse(matter, Refusal.TOO_MANY, most=MOST_MILESTONES)
    if refused := _misnamed(matter, step):
        return refused
    for each in step.steps:
        if refused := _dated(matter, each.due_at, moment):
            return refused
    fresh = tuple(
        ChartMilestone(
            each.id,
            each.title,
            each.owner_department,
            MilestoneState.PLANNED,
            each.due_at,
            each.due_at,
            each.required,
        )
        for each in step.steps
    )
    planned = replace(
        matter,
        path=Path.CHARTED,
        milestones=matter.milestones + fresh,
        parties=_joined(matter, tuple(each.owner_department for each in fresh)),
    )
    if clocks.find(planned.clocks, ClockKind.FEEDBACK) is None:
        planned = promise_feedback(planned, moment)
    return emit(planned, Planned(planned.milestones), moment)


def change_milestone(matter: Matter, step: ChangeMilestone, moment: Moment) -> Decision:
    """Change a milestone. Its department and whoever does the work may; only a coordinator waives one.

    More than 30 days after its first date it moves with the leave of a coordinator who is not the owner.
    """
    if refused := guard(matter, Step.MILESTONE, moment.by):
        return refused
    found = next((each for each in matter.milestones if each.id == step.id), None)
    if found is None:
        return refuse(matter, Refusal.MILESTONE_UNKNOWN)
    if refused := _may_change(matter, found, step, moment):
        return refused
    changed = replace(
        found,
        state=step.state or found.state,
        due_at=step.due_at or found.due_at,
        evidence=step.evidence or found.evidence,
        blocker=found.blocker if step.blocker is None else step.blocker or None,
    )
    chart = tuple(changed if each.id == changed.id else each for each in matter.milestones)
    return emit(replace(matter, milestones=chart), MilestoneChanged(changed, step.reason), moment)


def _may_change(
    matter: Matter, found: ChartMilestone, step: ChangeMilestone, moment: Moment
) -> Refused | None:
    mine = standings(matter, moment.by)
    if CallerRelation.COORDINATOR not in mine:
        carries = mine & {CallerRelation.OWNER, CallerRelation.LEAD}
        if not carries and found.owner_department != moment.by.party:
            return refuse(matter, Refusal.NOT_YOURS)
        if step.state is MilestoneState.WAIVED:
            return refuse(matter, Refusal.COORDINATOR_ONLY)
        if found.is_finished:
            return refuse(matter, Refusal.MILESTONE_SETTLED)
    if step.due_at is not None and step.due_at != found.due_at:
        if not step.reason:
            return refuse(matter, Refusal.REASON_NEEDED)
        if step.due_at > found.original_due_at + OWN_EXTENSION and not by_leave(matter, moment):
            return refuse(matter, Refusal.LEAVE_NEEDED, days=OWN_EXTENSION.days)
        return _dated(matter, step.due_at, moment)
    return None


def add_task(matter: Matter, step: AddTask, moment: Moment) -> Decision:
    """Give a department a task; it sees the matter from then on."""
    if refused := guard(matter, Step.TASK, moment.by):
        return refused
    if len(matter.tasks) >= MOST_TASKS:
        return refuse(matter, Refusal.TOO_MANY, most=MOST_TASKS)
    if refused := _misnamed(matter, step):
        return refused
    if step.due_at is not None and (refused := _dated(matter, step.due_at, moment)):
        return refused
    task = Task(step.id, step.department, step.title, step.due_at)
    given = replace(
        matter, tasks=(*matter.tasks, task), parties=_joined(matter, (step.department,))
    )
    return emit(given, TaskChanged(task.id, task.department, task.title, done=False), moment)


def finish_task(matter: Matter, step: FinishTask, moment: Moment) -> Decision:
    """Record a task as done, for the department or whoever does the work."""
    if refused := guard(matter, Step.TASK_DONE, moment.by):
        return refused
    task = next((each for each in matter.tasks if each.id == step.id), None)
    if task is None:
        return refuse(matter, Refusal.TASK_UNKNOWN)
    carries = standings(matter, moment.by) - {CallerRelation.CO, CallerRelation.VISITOR}
    if not carries and task.department != moment.by.party:
        return refuse(matter, Refusal.NOT_YOURS)
    if task.done_at is not None:
        return refuse(matter, Refusal.TASK_DONE)
    finished = replace(task, done_at=moment.at)
    tasks = tuple(finished if each.id == task.id else each for each in matter.tasks)
    fact = TaskChanged(task.id, task.department, task.title, done=True)
    return emit(replace(matter, tasks=tasks), fact, moment)


def _misnamed(matter: Matter, step: Plan | AddTask) -> Refused | None:
    wrong = misnamed(step.named, step.known)
    return Refused(Refusal.DEPARTMENT_UNKNOWN, matter.state, misnamed=wrong) if wrong else None


def _dated(matter: Matter, due_at: datetime, moment: Moment) -> Refused | None:
    if due_at <= moment.at:
        return refuse(matter, Refusal.NOT_LATER, than=moment.at)
    if due_at > moment.at + LONGEST_PLAN:
        return refuse(matter, Refusal.TOO_FAR, days=LONGEST_PLAN.days)
    return None


def _joined(matter: Matter, departments: tuple[str, ...]) -> tuple[str, ...]:
    fresh = (each for each in dict.fromkeys(departments) if each not in matter.parties)
    return (*matter.parties, *fresh)
