"""What a limit does when its time has come: 催办, 督办, 提级, the end of a hold; one rung for each clock."""

from dataclasses import replace
from typing import Final

from services.followup.domain import clocks
from services.followup.domain.arrivals import resume_held
from services.followup.domain.clocks import Clock, Stage
from services.followup.domain.decision import Changed, Told, deadlines, tell
from services.followup.domain.facts import Escalated, Fact, Reminded, Resumed, Supervised
from services.followup.domain.matter import Matter
from services.followup.domain.moment import Moment
from shared.contracts.vocabulary import ClockKind, EscalationLevel, MatterState

DESK_ANSWERS: Final = frozenset({ClockKind.RETURN_VISIT, ClockKind.ACCEPT})
"""Limits that are not the owner's to keep: the town's desk is told."""


def climb(matter: Matter, moment: Moment, earlier: tuple[Told, ...] = ()) -> Changed:
    """Everything that is due on the matter's clocks, after the `earlier` facts of the same step.

    Each clock moves one rung at most, so that one call is bounded and the next rung lies in the future.
    """
    changed, act_at = Changed(matter, earlier), matter.act_at
    if act_at is None or act_at > moment.at:
        return changed
    by_clock = moment.as_clock()
    hold_end = clocks.find(matter.clocks, ClockKind.RESUME)
    if hold_end is not None and hold_end.due_at <= moment.at:
        resumed = resume_held(matter, moment)
        changed = tell(resumed, Resumed(deadlines(resumed)), by_clock, changed.told)
    for clock in changed.matter.clocks:
        moved = clocks.advance(clock, moment.at, moment.calendar)
        if moved is not None:
            running = _put(changed.matter.clocks, moved)
            after = replace(changed.matter, clocks=running)
            changed = tell(after, _fact(after, moved, moment), by_clock, changed.told)
    return changed


def _put(running: clocks.Clocks, moved: Clock) -> clocks.Clocks:
    return tuple(moved if clock.kind is moved.kind else clock for clock in running)


def _fact(matter: Matter, clock: Clock, moment: Moment) -> Fact:
    match clock.stage:
        case Stage.ON_TRACK | Stage.REMINDED:
            return Reminded(clock.kind, clock.due_at, _reminded(matter, clock, moment))
        case Stage.SUPERVISED:
            return Supervised(clock.kind, clock.due_at, _owed_by(matter, clock, moment))
        case Stage.LIAISON:
            level, to = EscalationLevel.LIAISON, _owed_by(matter, clock, moment)
        case Stage.DEPARTMENT_HEAD:
            level, to = EscalationLevel.DEPARTMENT_HEAD, matter.lead_department or moment.desk
        case Stage.LEADER_IN_CHARGE:
            level, to = EscalationLevel.LEADER_IN_CHARGE, moment.desk
        case Stage.JOINT_MEETING:
            level, to = EscalationLevel.JOINT_MEETING, moment.desk
    return Escalated(clock.kind, clock.due_at, level, to)


def _reminded(matter: Matter, clock: Clock, moment: Moment) -> str:
    """An offer's limit is near: whoever is offered it is reminded."""
    if clock.kind is ClockKind.ACCEPT and matter.open_offer is not None:
        return matter.open_offer.party.id
    return _owed_by(matter, clock, moment)


def _owed_by(matter: Matter, clock: Clock, moment: Moment) -> str:
    party = matter.responsible
    if party is None or clock.kind in DESK_ANSWERS or matter.state is MatterState.HANDLED:
        return moment.desk
    return party.id
