"""Steps of the owner: first contact, feedback, hold, resume, extend, shelve."""

from dataclasses import dataclass, replace
from datetime import datetime

from services.followup.domain import clocks
from services.followup.domain.access import Step, guard
from services.followup.domain.arrivals import resume_held
from services.followup.domain.decision import (
    Decision,
    Refusal,
    deadlines,
    emit,
    refuse,
)
from services.followup.domain.facts import Contacted, Extended, FedBack, Held, Resumed, Shelved
from services.followup.domain.matter import Hold, Matter, Shelf
from services.followup.domain.moment import Moment
from services.followup.domain.steps.postponing import (
    LONGEST_HOLD,
    LONGEST_SHELF,
    distance_refused,
    hold_refused,
    postpone_refused,
    postponed,
    shelf_refused,
    within,
)
from shared.calendar import Limit
from shared.contracts.vocabulary import ClockKind, Difficulty, MatterState, Path


@dataclass(frozen=True, slots=True)
class FirstContact:
    """The owner's first contact with the requester."""

    note: str | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """Interim feedback to the requester."""

    text: str


@dataclass(frozen=True, slots=True)
class HoldOn:
    """What is awaited of the requester, and until when at the latest."""

    reason: str
    resume_at: datetime


@dataclass(frozen=True, slots=True)
class Resume:
    """The end of a hold or of a stay on the long-term list."""


@dataclass(frozen=True, slots=True)
class Extend:
    """A later limit for one clock, with the reason."""

    clock: ClockKind
    new_due_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class PutOnShelf:
    """The reason for the long-term list, and the review date."""

    reason: str
    review_at: datetime


def first_contact(matter: Matter, step: FirstContact, moment: Moment) -> Decision:
    """Record the first contact, once a round, and stop its clock."""
    if refused := guard(matter, Step.FIRST_CONTACT, moment.by):
        return refused
    if matter.contacted_at is not None:
        return refuse(matter, Refusal.ALREADY_CONTACTED)
    return emit(contacted(matter, moment.at), Contacted(step.note), moment)


def contacted(matter: Matter, at: datetime) -> Matter:
    """Return the matter with the requester contacted by `at`; feedback and an answer count as contacts."""
    return replace(
        _with_promise_kept(matter, ClockKind.FIRST_CONTACT), contacted_at=matter.contacted_at or at
    )


def _with_promise_kept(matter: Matter, kind: ClockKind) -> Matter:
    """Return the matter without the clock of a kept promise, running or set aside."""
    return replace(
        matter,
        clocks=clocks.without(matter.clocks, kind),
        aside=clocks.without(matter.aside, kind),
    )


def feedback(matter: Matter, step: Feedback, moment: Moment) -> Decision:
    """Record feedback and stop the clock of the interim answer; while charted, start the next feedback (一跟到底)."""
    if refused := guard(matter, Step.FEEDBACK, moment.by):
        return refused
    after = _with_promise_kept(contacted(matter, moment.at), ClockKind.INTERIM)
    if clocks.find((*after.clocks, *after.aside), ClockKind.FEEDBACK):
        after = promise_feedback(after, moment)
    return emit(after, FedBack(step.text), moment)


def promise_feedback(matter: Matter, moment: Moment) -> Matter:
    """Return the matter with the next feedback due a full limit from now, or from the end of a hold or shelving."""
    limit = moment.limits_of(matter.category).feedback
    clock = clocks.begin(ClockKind.FEEDBACK, limit, moment.at, moment.calendar)
    if matter.state is MatterState.SHELVED:
        paused = replace(clock, paused_at=moment.at, act_at=None)
        return replace(matter, aside=clocks.with_clock(matter.aside, paused))
    if matter.state is MatterState.ON_HOLD:
        clock = replace(clock, paused_at=moment.at, act_at=None)
    return replace(matter, clocks=clocks.with_clock(matter.clocks, clock))


def hold(matter: Matter, step: HoldOn, moment: Moment) -> Decision:
    """Put the matter on hold: the only step that pauses clocks. The hold ends by itself at `resume_at`."""
    if refused := guard(matter, Step.HOLD, moment.by):
        return refused
    if refused := within(matter, step.resume_at, moment, LONGEST_HOLD):
        return refused
    if refused := hold_refused(matter, moment.at, step.resume_at):
        return refused
    end = clocks.start(ClockKind.RESUME, step.resume_at, moment.at, moment.calendar)
    held = replace(
        matter,
        state=MatterState.ON_HOLD,
        hold=Hold(step.reason, moment.at, step.resume_at),
        clocks=clocks.with_clock(clocks.pause(matter.clocks, moment.at), end),
    )
    return emit(held, Held(step.reason, step.resume_at), moment)


def resume(matter: Matter, step: Resume, moment: Moment) -> Decision:
    """End a hold or a stay on the long-term list; clocks continue with the time they had left."""
    if refused := guard(matter, Step.RESUME, moment.by):
        return refused
    held = matter.state is MatterState.ON_HOLD
    resumed = resume_held(matter, moment) if held else _off_the_shelf(matter, moment)
    return emit(resumed, Resumed(deadlines(resumed)), moment)


def handling_limit(matter: Matter, moment: Moment) -> Limit:
    """Return the handling limit: the catalogue's working days, else those of the difficulty."""
    if matter.dispatch is None:
        return moment.limits_of(matter.category).simple
    if matter.dispatch.handle_days > 0:
        return Limit.days(matter.dispatch.handle_days)
    limits = moment.limits_of(matter.category)
    simple = matter.dispatch.difficulty is Difficulty.SIMPLE
    return limits.simple if simple else limits.complex


def _off_the_shelf(matter: Matter, moment: Moment) -> Matter:
    if not matter.aside:
        return _off_an_old_shelf(matter, moment)
    since = matter.shelf.shelved_at if matter.shelf else None
    return replace(
        matter,
        state=MatterState.IN_PROGRESS,
        shelf=None,
        aside=(),
        clocks=(
            *clocks.without(matter.clocks, ClockKind.REVIEW),
            *clocks.unpause(matter.aside, moment.at, moment.calendar),
        ),
        shelved_s=matter.shelved_s + moment.seconds_since(since),
    )


def _off_an_old_shelf(matter: Matter, moment: Moment) -> Matter:
    """Take the matter off a list on which clocks were not yet set aside; the handling limit begins again."""
    limit = handling_limit(matter, moment)
    handle = clocks.begin(ClockKind.HANDLE, limit, moment.at, moment.calendar)
    if matter.shelf is not None:
        handle = replace(handle, original_due_at=matter.shelf.handle_due_at)
    running = clocks.without(matter.clocks, ClockKind.REVIEW)
    back = replace(
        matter,
        state=MatterState.IN_PROGRESS,
        shelf=None,
        clocks=clocks.with_clock(running, handle),
    )
    return promise_feedback(back, moment) if back.path is Path.CHARTED else back


def extend(matter: Matter, step: Extend, moment: Moment) -> Decision:
    """Extend one limit: the owner once a round, by 30 days, before its end; a coordinator at any time."""
    if refused := guard(matter, Step.EXTEND, moment.by):
        return refused
    clock = clocks.find(matter.clocks, step.clock)
    # An offer's limit and the review of what waits for an offer are routing's own.
    foreign = matter.state is MatterState.AWAITING_DISPATCH and step.clock is ClockKind.REVIEW
    if clock is None or clock.paused_at or step.clock is ClockKind.ACCEPT or foreign:
        running = [each.kind.value for each in matter.clocks if each.paused_at is None]
        return refuse(matter, Refusal.CLOCK_NOT_RUNNING, clock=step.clock, running=running)
    if refused := postpone_refused(matter, clock, moment):
        return refused
    if step.new_due_at <= clock.due_at:
        return refuse(matter, Refusal.NOT_LATER, than=clock.due_at)
    if refused := distance_refused(matter, clock, step.new_due_at, moment):
        return refused
    extended = _with_dates(postponed(matter, clock, step.new_due_at, moment), step)
    fact = Extended(step.clock, clock.due_at, step.new_due_at, step.reason, moment.by.party)
    return emit(extended, fact, moment)


def _with_dates(matter: Matter, step: Extend) -> Matter:
    """Return the matter with the new date also in its hold or long-term list entry."""
    if matter.hold is not None and step.clock is ClockKind.RESUME:
        return replace(matter, hold=replace(matter.hold, resume_at=step.new_due_at))
    if matter.shelf is not None and step.clock is ClockKind.REVIEW:
        return replace(matter, shelf=replace(matter.shelf, review_at=step.new_due_at))
    return matter


def shelve(matter: Matter, step: PutOnShelf, moment: Moment) -> Decision:
    """Put the matter on the long-term list 挂账: only its review runs, other clocks are set aside.

    Again moves the review: a later one is an extension of it, a sooner one promises more and needs no leave.
    """
    if refused := guard(matter, Step.SHELVE, moment.by):
        return refused
    if refused := within(matter, step.review_at, moment, LONGEST_SHELF):
        return refused
    if refused := shelf_refused(matter, step.review_at, moment):
        return refused
    review = clocks.find(matter.clocks, ClockKind.REVIEW)
    if matter.shelf is None or review is None:
        shelved = _on_the_shelf(matter, step, moment)
        return emit(shelved, Shelved(step.reason, step.review_at), moment)
    if step.review_at > review.due_at:
        if refused := postpone_refused(matter, review, moment):
            return refused
        moved = postponed(matter, review, step.review_at, moment)
    else:
        sooner = clocks.start(ClockKind.REVIEW, step.review_at, moment.at, moment.calendar)
        running = clocks.with_clock(matter.clocks, clocks.replan(review, sooner))
        moved = replace(matter, clocks=running)
    shelf = replace(matter.shelf, reason=step.reason, review_at=step.review_at)
    return emit(replace(moved, shelf=shelf), Shelved(step.reason, step.review_at), moment)


def _on_the_shelf(matter: Matter, step: PutOnShelf, moment: Moment) -> Matter:
    handle = clocks.find(matter.clocks, ClockKind.HANDLE)
    first_due = handle.original_due_at if handle else step.review_at
    review = clocks.start(ClockKind.REVIEW, step.review_at, moment.at, moment.calendar)
    running = tuple(clock for clock in matter.clocks if clock.kind is ClockKind.ACCEPT)
    return replace(
        matter,
        state=MatterState.SHELVED,
        shelf=Shelf(step.reason, step.review_at, first_due, moment.at),
        aside=clocks.pause(clocks.without(matter.clocks, ClockKind.ACCEPT), moment.at),
        clocks=clocks.with_clock(running, review),
    )
