"""Access rules: who may see a matter, and who may take which step in which state."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from services.followup.domain.decision import Refusal, Refused, refuse
from services.followup.domain.matter import Matter
from services.followup.domain.moment import ActingParty
from shared.contracts.vocabulary import MatterState, Role


class Step(StrEnum):
    """The steps that a person can take on a matter; the values are the words of the interface."""

    FIRST_CONTACT = "first-contact"
    FEEDBACK = "feedback"
    PLAN = "plan"
    MILESTONE = "milestones"
    TASK = "tasks"
    TASK_DONE = "task-done"
    HOLD = "hold"
    RESUME = "resume"
    EXTEND = "extend"
    SHELVE = "shelve"
    HANDLE = "handle"
    RETURN_VISIT = "return-visit"
    CLOSE = "close"
    REOPEN = "reopen"
    REJECT = "reject"
    MERGE = "merge"
    UNMERGE = "unmerge"
    JOIN = "join"


class CallerRelation(StrEnum):
    """A caller's relation to a matter."""

    COORDINATOR = "coordinator"
    OWNER = "owner"
    LEAD = "lead"
    CO = "co"
    VISITOR = "visitor"


@dataclass(frozen=True, slots=True)
class Rule:
    """The states in which a step is possible, and the relations that may take it."""

    states: frozenset[MatterState]
    who: frozenset[CallerRelation]


_S, _W = MatterState, CallerRelation
_COORDINATOR = frozenset({_W.COORDINATOR})
_RELATION = _COORDINATOR | {_W.OWNER}
_WORK = _RELATION | {_W.LEAD}
_ALL = _WORK | {_W.CO}
_PROGRESS = frozenset({_S.IN_PROGRESS})
_TELLING = _PROGRESS | {_S.ON_HOLD, _S.SHELVED}
_DISPATCHING = frozenset({_S.RECEIVED, _S.AWAITING_DISPATCH, _S.OFFERED})
_OPEN = _DISPATCHING | _TELLING | {_S.HANDLED}

RULES: Final[Mapping[Step, Rule]] = MappingProxyType(
    {
        Step.FIRST_CONTACT: Rule(_PROGRESS, _RELATION),
        Step.FEEDBACK: Rule(_TELLING, _ALL),
        Step.PLAN: Rule(_PROGRESS, _WORK),
        Step.MILESTONE: Rule(_TELLING, _ALL),
        Step.TASK: Rule(_TELLING, _WORK),
        Step.TASK_DONE: Rule(_TELLING | {_S.HANDLED}, _ALL),
        Step.HOLD: Rule(_PROGRESS, _WORK),
        Step.RESUME: Rule(frozenset({_S.ON_HOLD, _S.SHELVED}), _WORK),
        Step.EXTEND: Rule(_OPEN, _WORK),
        Step.SHELVE: Rule(frozenset({_S.IN_PROGRESS, _S.SHELVED}), _WORK),
        Step.HANDLE: Rule(_PROGRESS, _WORK),
        Step.RETURN_VISIT: Rule(frozenset({_S.HANDLED}), frozenset({_W.VISITOR})),
        Step.CLOSE: Rule(frozenset({_S.HANDLED}), _COORDINATOR),
        Step.REOPEN: Rule(frozenset({_S.CLOSED, _S.HANDLED}), _WORK),
        Step.REJECT: Rule(_DISPATCHING, _COORDINATOR),
        Step.MERGE: Rule(_DISPATCHING | {_S.IN_PROGRESS, _S.SHELVED}, _RELATION),
        Step.UNMERGE: Rule(frozenset({_S.MERGED}), _RELATION),
        Step.JOIN: Rule(_OPEN, _RELATION),
    }
)
"""The liaison owns the relation, the lead department the work; a coordinator may act for either."""

SEES_ALL: Final = frozenset({Role.COORDINATOR, Role.OPERATOR})
PARTIES: Final = frozenset({Role.LIAISON, Role.DEPARTMENT})


def may_see(matter: Matter, caller: ActingParty) -> bool:
    """Return whether the caller may see the matter: coordinators and operators see all, parties their own."""
    if caller.role in SEES_ALL:
        return True
    return caller.role in PARTIES and caller.party in matter.parties


def standings(matter: Matter, caller: ActingParty) -> frozenset[CallerRelation]:
    """Return the caller's relations to the matter; empty for callers who only read."""
    found = set()
    if caller.role is Role.COORDINATOR:
        found.add(CallerRelation.COORDINATOR)
    if caller.role in PARTIES and matter.owner is not None and matter.owner.id == caller.party:
        found.add(CallerRelation.OWNER)
    if caller.role is Role.DEPARTMENT:
        if caller.party == matter.lead_department:
            found.add(CallerRelation.LEAD)
        if caller.party in matter.parties:
            found.add(CallerRelation.CO)
    if may_visit(matter, caller):
        found.add(CallerRelation.VISITOR)
    return frozenset(found)


def may_visit(matter: Matter, caller: ActingParty) -> bool:
    """Return whether the caller may make the return visit: nobody who works on this round may."""
    if caller.role not in PARTIES and caller.role is not Role.COORDINATOR:
        return False
    return caller.party not in concerned(matter)


def concerned(matter: Matter) -> frozenset[str]:
    """Return the parties that work on this round: handler, owners, and departments of dispatch, milestones and tasks.

    The history has those of earlier rounds and of matters merged into this one.
    """
    found = {each.owner_department for each in matter.milestones}
    found |= {each.department for each in matter.tasks}
    found |= {owner.id for owner in (matter.owner, matter.last_owner) if owner is not None}
    if matter.handling is not None:
        found.add(matter.handling.handler.party)
    if matter.dispatch is not None:
        found.update(matter.dispatch.co_departments)
        if matter.dispatch.lead_department is not None:
            found.add(matter.dispatch.lead_department)
    return frozenset(found)


def guard(matter: Matter, step: Step, caller: ActingParty) -> Refused | None:
    """Return why the caller may not take the step now; None when it may.

    The state is checked before the caller: a step that is impossible now is so for everybody.
    """
    rule = RULES[step]
    if matter.state not in rule.states:
        return Refused(Refusal.WRONG_STATE, matter.state, allowed_states(step))
    if standings(matter, caller) & rule.who:
        return None
    if step is Step.RETURN_VISIT:
        return Refused(Refusal.NOT_INDEPENDENT, matter.state)
    code = Refusal.COORDINATOR_ONLY if rule.who == _COORDINATOR else Refusal.NOT_YOURS
    return Refused(code, matter.state)


def allowed_states(step: Step) -> tuple[MatterState, ...]:
    """Return the states that allow a step, in the order of the vocabulary."""
    return tuple(state for state in MatterState if state in RULES[step].states)


def open_steps(matter: Matter, caller: ActingParty) -> tuple[Step, ...]:
    """Return the steps that the state and the caller's relations allow now."""
    return tuple(step for step in Step if guard(matter, step, caller) is None)


def hindered_steps(matter: Matter, caller: ActingParty) -> Mapping[Step, Refused]:
    """The steps that state and standing allow the caller, and that would be refused now whatever is sent with them."""
    unfinished = unfinished_milestones(matter)
    if unfinished and guard(matter, Step.HANDLE, caller) is None:
        return {Step.HANDLE: refuse(matter, Refusal.MILESTONES_OPEN, milestones=unfinished)}
    return {}


def unfinished_milestones(matter: Matter) -> list[str]:
    """The titles of the required milestones that are neither done nor waived."""
    return [each.title for each in matter.milestones if each.required and not each.is_finished]


def named_parties(matter: Matter) -> frozenset[str]:
    """Everybody who is named in the matter by id: who may see it, and departments of milestones and tasks."""
    found = set(matter.parties)
    found |= {each.owner_department for each in matter.milestones}
    found |= {each.department for each in matter.tasks}
    if matter.dispatch is not None:
        found.update(matter.dispatch.co_departments)
        if matter.dispatch.lead_department is not None:
            found.add(matter.dispatch.lead_department)
    return frozenset(found)
