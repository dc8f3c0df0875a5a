"""Escalation ladder of due clocks: remind 催办, supervise 督办, escalate 提级, end a hold; one stage a call."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from services.followup.domain import clocks
from services.followup.domain.arrivals import resume_held
from services.followup.domain.clocks import Breach, Clock, Stage
from services.followup.domain.decision import Changed, Emitted, deadlines, emit
from services.followup.domain.facts import Escalated, Fact, Reminded, Resumed, Supervised
from services.followup.domain.matter import Matter
from services.followup.domain.moment import Moment
from shared.contracts.vocabulary import ClockKind, EscalationLevel, MatterState, Urgency

DESK_ANSWERS: Final = frozenset({ClockKind.RETURN_VISIT, ClockKind.ACCEPT})
"""Limits that are not the owner's to keep: the town's desk is told."""


def overtaken(matter: Matter, moment: Moment, until: datetime | None = None) -> Changed:
    """Return the matter with all limits that ended before a step recorded as broken, so that no step removes a breach.

    `until` is when the step was taken where that is earlier than the moment; what ran out after it is left alone.
    A limit that ended on a day off is recorded as broken; its event follows at the next opening if it still runs.
    """
    until = min(until or moment.at, moment.at)
    changed = climb(matter, replace(moment, at=until), on_days_off=False)
    return Changed(_with_breaches(changed.matter, until), changed.emitted)


def _with_breaches(matter: Matter, at: datetime) -> Matter:
    """Return the matter with each limit that ended by `at` and has no recorded breach recorded as broken."""
    late = tuple(
        replace(clock, breached_at=at)
        for clock in matter.clocks
        if clock.due_at < at and not (clock.missed or clock.paused_at)
        if clock.kind is not ClockKind.RESUME
    )
    for clock in late:
        matter = _broken(replace(matter, clocks=_put(matter.clocks, clock)), clock, at)
    return matter


def _broken(matter: Matter, clock: Clock, at: datetime) -> Matter:
    breach = Breach(clock.kind, matter.round, clock.due_at, at)
    return replace(matter, breaches=(*matter.breaches, breach))


def climb(
    matter: Matter, moment: Moment, earlier: tuple[Emitted, ...] = (), *, on_days_off: bool = True
) -> Changed:
    """Apply everything that is due on the matter's clocks, after the `earlier` facts of the same step.

    Each clock moves one rung at most, so that one call is bounded and the next rung lies in the future. Unless
    `on_days_off`, clocks that rest (see `rests`) stay as they are.
    """
    changed, act_at = Changed(matter, earlier), matter.act_at
    if act_at is None or act_at > moment.at:
        return changed
    by_clock = moment.as_clock()
    hold_end = clocks.find(matter.clocks, ClockKind.RESUME)
    if hold_end is not None and hold_end.due_at <= moment.at:
        resumed = resume_held(matter, moment)
        changed = emit(resumed, Resumed(deadlines(resumed)), by_clock, changed.emitted)
    for clock in changed.matter.clocks:
        if not on_days_off and rests(matter, clock, moment):
            continue
        moved = clocks.advance(clock, moment.at, moment.calendar)
        if moved is not None:
            running = _put(changed.matter.clocks, moved)
            after = replace(changed.matter, clocks=running)
            if moved.stage is Stage.SUPERVISED and not _on_record(after, clock):
                after = _broken(after, moved, moment.at)
            changed = emit(after, _fact(after, moved, moment), by_clock, changed.emitted)
    return changed


def rests(matter: Matter, clock: Clock, moment: Moment) -> bool:
    """Return whether a due clock waits for the next opening: nobody is reminded or supervised on a day off.

    A limit that ended on a day off waits for the opening after it. The end of a hold waits for nothing, and neither
    does the acceptance of an emergency, which is counted by the wall clock.
    """
    by_wall_clock = clock.kind is ClockKind.ACCEPT and matter.urgency is Urgency.EMERGENCY
    if clock.kind is ClockKind.RESUME or by_wall_clock or clock.act_at is None:
        return False
    after_rest = moment.calendar.after_rest
    return max(after_rest(moment.at), after_rest(clock.act_at)) > moment.at


def resting_until(matter: Matter, moment: Moment) -> datetime:
    """Return when the sweep looks again at a matter whose due clocks rest."""
    after_rest = moment.calendar.after_rest
    due = [
        max(after_rest(moment.at), after_rest(clock.act_at))
        for clock in matter.clocks
        if clock.act_at is not None and clock.act_at <= moment.at
    ]
    later = [
        clock.act_at
        for clock in matter.clocks
        if clock.act_at is not None and clock.act_at > moment.at
    ]
    return min(due + later)


def _on_record(matter: Matter, clock: Clock) -> bool:
    """Return whether the breach of this limit was recorded before its event could be published."""
    return clock.breached_at is not None and any(
        each.clock is clock.kind and each.due_at == clock.due_at and each.round == matter.round
        for each in matter.breaches
    )


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
    """Record a reminder of an offer's limit to the party that has the offer."""
    if clock.kind is ClockKind.ACCEPT and matter.open_offer is not None:
        return matter.open_offer.party.id
    return _owed_by(matter, clock, moment)


def _owed_by(matter: Matter, clock: Clock, moment: Moment) -> str:
    party = matter.responsible
    if party is None or clock.kind in DESK_ANSWERS or matter.state is MatterState.HANDLED:
        return moment.desk
    return party.id
