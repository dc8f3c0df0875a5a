"""Recomputes the open limits of a matter after a change of the calendar or of the town's limits."""

from dataclasses import dataclass, replace
from datetime import datetime

from services.followup.domain import clocks
from services.followup.domain.clocks import Clock, Stage
from services.followup.domain.decision import Changed, Decision, Unmoved, emit
from services.followup.domain.matter import Matter
from services.followup.domain.moment import Moment
from services.followup.domain.moved import LimitShift, Rescheduled
from services.followup.domain.steps.work import handling_limit
from shared.calendar import Limit
from shared.contracts.vocabulary import ClockKind, RescheduleCause, VisitState


@dataclass(frozen=True, slots=True)
class MovedOffer:
    """An offer's or objection's limit as routing recomputed it."""

    offer_id: str
    clock: ClockKind
    due_at: datetime
    calendar_version: str
    cause: RescheduleCause


def reschedule(matter: Matter, cause: RescheduleCause, moment: Moment) -> Decision:
    """Recompute every limit that was counted from a start, also of clocks set aside.

    Broken limits, dates set by a person or by routing, and limits that would have ended already stay: a change of the
    calendar breaks no limit. With the cause `limits` the town's present limits replace those of the clocks' start.
    """
    running = tuple(_computed(matter, clock, cause, moment) for clock in matter.clocks)
    aside = tuple(_computed(matter, clock, cause, moment) for clock in matter.aside)
    after = replace(matter, clocks=running, aside=aside)
    return _emit_moves(matter, after, Rescheduled(cause, moment.calendar.version, ()), moment)


def offer_moved(matter: Matter, news: MovedOffer, moment: Moment) -> Decision:
    """Set the limit that routing recomputed; a recorded breach stays."""
    clock = clocks.find(matter.clocks, news.clock)
    offer = matter.offer
    if clock is None or offer is None or offer.offer_id != news.offer_id or clock.broken:
        return Unmoved("the offer is not the one that is open, or its limit is broken")
    moved = replace(_moved(clock, news.due_at, moment), calendar_version=news.calendar_version)
    if news.clock is ClockKind.ACCEPT:
        matter = replace(matter, offer=replace(offer, expires_at=news.due_at))
    elif matter.pending is not None:
        matter = replace(matter, pending=replace(matter.pending, review_at=news.due_at))
    running = tuple(moved if each is clock else each for each in matter.clocks)
    after = replace(matter, clocks=running)
    return _emit_moves(matter, after, Rescheduled(news.cause, news.calendar_version, ()), moment)


def _emit_moves(before: Matter, after: Matter, fact: Rescheduled, moment: Moment) -> Decision:
    pairs = zip((*before.clocks, *before.aside), (*after.clocks, *after.aside), strict=True)
    moved = tuple(
        LimitShift(old.kind, old.due_at, new.due_at)
        for old, new in pairs
        if old.due_at != new.due_at
    )
    if not moved:
        return Unmoved("no limit of it moves")
    return emit(after, replace(fact, limits=moved), moment)


def _computed(matter: Matter, clock: Clock, cause: RescheduleCause, moment: Moment) -> Clock:
    begun = _beginning(matter, clock, moment)
    if begun is None or clock.broken:
        return clock
    since, limit = begun
    if cause is RescheduleCause.LIMITS:
        limit = _present(matter, clock.kind, moment) or limit
    due_at = moment.calendar.add(since, limit)
    for paused_at, resumed_at in clock.pauses:
        due_at = moment.calendar.resume(due_at, paused_at, resumed_at)
    if due_at == clock.due_at or due_at <= (clock.paused_at or moment.at):
        return clock
    return replace(_moved(clock, due_at, moment, since), since=since, limit=str(limit))


def _moved(clock: Clock, due_at: datetime, moment: Moment, since: datetime | None = None) -> Clock:
    """Return the clock with a new limit; its extensions and stage stay."""
    resumed_at = clock.pauses[-1][1] if clock.pauses else since or moment.at
    fresh = clocks.start(clock.kind, due_at, resumed_at, moment.calendar)
    act_at = fresh.act_at if clock.stage is Stage.ON_TRACK else due_at
    return replace(
        clock,
        due_at=due_at,
        remind_at=fresh.remind_at,
        act_at=None if clock.paused_at else act_at,
        calendar_version=moment.calendar.version,
    )


def _beginning(matter: Matter, clock: Clock, moment: Moment) -> tuple[datetime, Limit] | None:
    """Return the start and length that the limit was computed from; None for a date that somebody set."""
    if clock.limit is not None and clock.since is not None:
        return clock.since, Limit.parse(clock.limit)
    # Clocks of earlier versions say neither; one that never moved was computed from these.
    if clock.extensions or clock.due_at != clock.original_due_at:
        return None
    visited_at = matter.visit.at if matter.visit else None
    handled_at = matter.handling.at if matter.handling else None
    is_due = matter.visit is not None and matter.visit.state is VisitState.DUE
    since = {
        ClockKind.INTERIM: matter.began_at,
        ClockKind.HANDLE: matter.began_at if matter.shelf is None else None,
        ClockKind.FIRST_CONTACT: matter.taken_at,
        ClockKind.RETURN_VISIT: handled_at if is_due else visited_at,
    }.get(clock.kind)
    limit = _present(matter, clock.kind, moment)
    return None if since is None or limit is None else (since, limit)


def _present(matter: Matter, kind: ClockKind, moment: Moment) -> Limit | None:
    """Return the town's present limit of this kind; None if it has none of its own."""
    limits = moment.limits_of(matter.category)
    return {
        ClockKind.INTERIM: limits.interim,
        ClockKind.FIRST_CONTACT: limits.first_contact,
        ClockKind.FEEDBACK: limits.feedback,
        ClockKind.HANDLE: handling_limit(matter, moment),
        ClockKind.RETURN_VISIT: limits.return_visit,
    }.get(kind)


def moves(decision: Decision) -> tuple[LimitShift, ...]:
    """Return the limits that a decision moves."""
    if not isinstance(decision, Changed):
        return ()
    facts = (each.fact for each in decision.emitted)
    return tuple(limit for fact in facts if isinstance(fact, Rescheduled) for limit in fact.limits)
