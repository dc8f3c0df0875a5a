"""Outcomes of a decision: the changed matter with its facts, a refusal by name, or no change."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from services.followup.domain.facts import Fact, RunningLimit, RunningLimits
from services.followup.domain.matter import Matter
from services.followup.domain.moment import ActingParty, Moment
from services.followup.domain.naming import Misnamed
from shared.contracts.vocabulary import MatterState


class Refusal(StrEnum):
    """Reasons to refuse a step; the value is the code of the caller's problem document."""

    WRONG_STATE = "wrong_state"
    NOT_YOURS = "not_yours"
    COORDINATOR_ONLY = "coordinator_only"
    ALREADY_CONTACTED = "already_contacted"
    MILESTONES_OPEN = "milestones_open"
    MILESTONE_UNKNOWN = "milestone_unknown"
    MILESTONE_SETTLED = "milestone_settled"
    TOO_MANY = "too_many"
    TASK_UNKNOWN = "task_unknown"
    TASK_DONE = "task_done"
    REASON_NEEDED = "reason_needed"
    NOT_LATER = "not_later"
    TOO_FAR = "too_far"
    CLOCK_NOT_RUNNING = "clock_not_running"
    EXTENSION_SPENT = "extension_spent"
    LEAVE_NEEDED = "leave_needed"
    TOTAL_SPENT = "total_spent"
    EXEMPTS_ITSELF = "exempts_itself"
    REJECTS_OWN_WORK = "rejects_own_work"
    PATH_IS_CHARTED = "path_is_charted"
    OUTCOME_NOT_GIVEN = "outcome_not_given"
    NOT_INDEPENDENT = "not_independent"
    VISIT_DONE = "visit_done"
    VISIT_INCOMPLETE = "visit_incomplete"
    VISIT_NOT_ANSWERED = "visit_not_answered"
    VISIT_NOT_DISSATISFIED = "visit_not_dissatisfied"
    REOPENING_TOO_LATE = "reopening_too_late"
    MERGED_WITH_ITSELF = "merged_with_itself"
    OTHER_REQUESTER = "other_requester"
    TARGET_NOT_OPEN = "target_not_open"
    TARGET_HANDLED = "target_handled"
    TARGET_FULL = "target_full"
    HAS_MERGED = "has_merged"
    JOINED_ALREADY = "joined_already"
    DEPARTMENT_UNKNOWN = "department_unknown"


@dataclass(frozen=True, slots=True)
class Emitted:
    """A fact with its actor, and the matter after it."""

    fact: Fact
    by: ActingParty
    at: datetime
    matter: Matter


@dataclass(frozen=True, slots=True)
class Changed:
    """The matter after the step, with all facts in order."""

    matter: Matter
    emitted: tuple[Emitted, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The step is refused. `allowed` are the states that allow it, `misnamed` the wrong fields."""

    code: Refusal
    state: MatterState
    allowed: tuple[MatterState, ...] = ()
    params: Mapping[str, object] = field(default_factory=dict)
    misnamed: tuple[Misnamed, ...] = ()


@dataclass(frozen=True, slots=True)
class Unmoved:
    """No change: the state is reached already, or the event is outdated."""

    because: str


Decision: TypeAlias = Changed | Refused | Unmoved


def emit(matter: Matter, fact: Fact, moment: Moment, earlier: tuple[Emitted, ...] = ()) -> Changed:
    """Return the matter at its next version, with `fact` after the `earlier` ones of the same step."""
    after = replace(matter, version=matter.version + 1, changed_at=moment.at)
    return emit_on(after, fact, moment, earlier)


def emit_on(
    after: Matter, fact: Fact, moment: Moment, earlier: tuple[Emitted, ...] = ()
) -> Changed:
    """Like `emit`, for a matter that has its new version and `changed_at` already: a copy is the costliest part."""
    return Changed(after, (*earlier, Emitted(fact, moment.by, moment.at, after)))


def deadlines(matter: Matter) -> RunningLimits:
    """Return the running limits, as facts carry them."""
    return tuple(
        RunningLimit(clock.kind, clock.due_at, clock.calendar_version)
        for clock in matter.clocks
        if clock.paused_at is None
    )


def refuse(matter: Matter, code: Refusal, **params: object) -> Refused:
    """Return a refusal that is independent of the state."""
    return Refused(code, matter.state, params=params)
