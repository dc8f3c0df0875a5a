"""Bounds of postponing a limit: by the owner up to a maximum, beyond it with a coordinator's approval.

The sums count over every step, so that none of them is a way around another.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from services.followup.domain import clocks
from services.followup.domain.access import CallerRelation, standings
from services.followup.domain.clocks import Clock, Extension
from services.followup.domain.decision import Refusal, Refused, refuse
from services.followup.domain.matter import Matter
from services.followup.domain.moment import Moment
from shared.contracts.vocabulary import ClockKind, MatterState

LONGEST_HOLD: Final = timedelta(days=180)
"""How long a matter may be on hold in sum, whatever the steps and whoever takes them."""
OWN_EXTENSION: Final = timedelta(days=30)
"""How much later whoever carries the work may make a limit without anybody's leave, once a round."""
LONGEST_EXTENSION: Final = timedelta(days=365)
"""By how much the limits of one kind may move in a round, whoever allows it."""
OWN_SHELF: Final = timedelta(days=180)
"""How long whoever carries the work may have a matter on the long-term list, in sum."""
LONGEST_SHELF: Final = timedelta(days=730)
"""How long a matter may be on the long-term list in sum, whoever allows it."""


def within(matter: Matter, date: datetime, moment: Moment, longest: timedelta) -> Refused | None:
    """Return why a date cannot be set: it is in the past, or further ahead than `longest`."""
    if date <= moment.at:
        return refuse(matter, Refusal.NOT_LATER, than=moment.at)
    if date > moment.at + longest:
        return refuse(matter, Refusal.TOO_FAR, days=longest.days)
    return None


def by_leave(matter: Matter, moment: Moment) -> bool:
    """Return whether the actor may approve what the owner may not do alone: a coordinator who is not the owner."""
    own = matter.owner is not None and matter.owner.id == moment.by.party
    return CallerRelation.COORDINATOR in standings(matter, moment.by) and not own


def postpone_refused(matter: Matter, clock: Clock, moment: Moment) -> Refused | None:
    """Return why the caller may not extend this limit: extended once in the round already, or already ended."""
    if by_leave(matter, moment):
        return None
    if matter.state is MatterState.HANDLED:
        return refuse(matter, Refusal.COORDINATOR_ONLY)
    spent = clock.extensions or _extensions(matter, clock.kind)
    if spent or clock.missed or clock.due_at <= moment.at:
        return refuse(matter, Refusal.EXTENSION_SPENT, clock=clock.kind)
    return None


def _extensions(matter: Matter, kind: ClockKind) -> tuple[Extension, ...]:
    """Count the extensions of one kind of limit in this round; feedback begins a new limit and keeps the count."""
    return tuple(
        each for each in matter.extensions if each.clock is kind and each.round == matter.round
    )


def distance_refused(
    matter: Matter, clock: Clock, due_at: datetime, moment: Moment
) -> Refused | None:
    """Return why a limit cannot move that far. For a hold and the long-term list the total time counts."""
    if clock.kind is ClockKind.RESUME and matter.hold is not None:
        return hold_refused(matter, matter.hold.held_at, due_at)
    if clock.kind is ClockKind.REVIEW and matter.shelf is not None:
        return shelf_refused(matter, due_at, moment)
    if not by_leave(matter, moment) and due_at > clock.due_at + OWN_EXTENSION:
        return refuse(matter, Refusal.LEAVE_NEEDED, days=OWN_EXTENSION.days)
    given = sum(
        (
            each.new_due_at - max(each.old_due_at, each.at)
            for each in _extensions(matter, clock.kind)
        ),
        start=due_at - max(clock.due_at, moment.at),
    )
    if given > LONGEST_EXTENSION:
        return refuse(matter, Refusal.TOTAL_SPENT, days=LONGEST_EXTENSION.days)
    return within(matter, due_at, moment, LONGEST_EXTENSION)


def hold_refused(matter: Matter, since: datetime, resume_at: datetime) -> Refused | None:
    """Return why the matter cannot be on hold from `since` to `resume_at`; all its holds count together."""
    in_sum = timedelta(seconds=matter.held_s) + (resume_at - since)
    if in_sum > LONGEST_HOLD:
        return refuse(matter, Refusal.TOTAL_SPENT, days=LONGEST_HOLD.days)
    return None


def shelf_refused(matter: Matter, review_at: datetime, moment: Moment) -> Refused | None:
    """Return why the matter cannot be on the long-term list until then; all its time there counts."""
    since = (matter.shelf.shelved_at if matter.shelf else None) or moment.at
    in_sum = timedelta(seconds=matter.shelved_s) + (review_at - since)
    if in_sum > LONGEST_SHELF:
        return refuse(matter, Refusal.TOTAL_SPENT, days=LONGEST_SHELF.days)
    if in_sum > OWN_SHELF and not by_leave(matter, moment):
        return refuse(matter, Refusal.LEAVE_NEEDED, days=OWN_SHELF.days)
    return None


def postponed(matter: Matter, clock: Clock, due_at: datetime, moment: Moment) -> Matter:
    """Return the matter with one limit extended, and the extension recorded with its approver."""
    moved = clocks.extend(clock, due_at, moment.at, moment.calendar)
    granted = Extension(clock.kind, matter.round, clock.due_at, due_at, moment.by.party, moment.at)
    return replace(
        matter,
        clocks=clocks.with_clock(matter.clocks, moved),
        extensions=(*matter.extensions, granted),
    )
