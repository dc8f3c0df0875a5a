"""Applies the dispatch catalogue's result to a matter: departments, urgency and limits, with defaults."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.calendar import Limit, WorkingCalendar
from shared.contracts.vocabulary import Difficulty, Kind, Tier, Urgency

_RANK = {urgency: rank for rank, urgency in enumerate(Urgency)}


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts that the catalogue's rules use. `words` is searched for keywords when the request names no category."""

    category: str | None
    kind: Kind
    urgency: Urgency
    park: str | None = None
    tier: Tier | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class DispatchOutcome:
    """The result of one catalogue row; None leaves a limit at its default and the urgency unchanged."""

    rule_id: str
    category: str | None
    lead_department: str
    co_departments: tuple[str, ...]
    difficulty: Difficulty
    urgency: Urgency | None
    accept_minutes: int | None
    handle_days: int | None


@dataclass(frozen=True, slots=True)
class Dispatched:
    """The decision for a matter, with version and rule; both None when no rule matched.

    `accept_minutes` counts working minutes, of wall-clock time in an emergency; `handle_days` working days.
    """

    catalogue_version: int | None
    rule_id: str | None
    category: str | None
    lead_department: str | None
    co_departments: tuple[str, ...]
    urgency: Urgency
    difficulty: Difficulty
    accept_minutes: int
    handle_days: int


@dataclass(frozen=True, slots=True)
class Limits:
    """The town's defaults: working minutes to accept, wall-clock minutes in an emergency, working days for the rest."""

    accept_minutes: int = 120
    emergency_minutes: int = 30
    simple_days: int = 5
    complex_days: int = 15
    review_days: int = 1


def dispatch(
    facts: Facts, outcome: DispatchOutcome | None, version: int | None, limits: Limits
) -> Dispatched:
    """Return the decision for these facts. A rule raises the urgency and never lowers it."""
    if outcome is None:
        return Dispatched(
            catalogue_version=version,
            rule_id=None,
            category=facts.category,
            lead_department=None,
            co_departments=(),
            urgency=facts.urgency,
            difficulty=Difficulty.SIMPLE,
            accept_minutes=_accept_minutes(None, facts.urgency, limits),
            handle_days=limits.simple_days,
        )
    urgency = max(facts.urgency, outcome.urgency or facts.urgency, key=_RANK.__getitem__)
    usual_days = (
        limits.simple_days if outcome.difficulty is Difficulty.SIMPLE else limits.complex_days
    )
    return Dispatched(
        catalogue_version=version,
        rule_id=outcome.rule_id,
        category=facts.category or outcome.category,
        lead_department=outcome.lead_department,
        co_departments=outcome.co_departments,
        urgency=urgency,
        difficulty=outcome.difficulty,
        accept_minutes=_accept_minutes(outcome.accept_minutes, urgency, limits),
        handle_days=outcome.handle_days or usual_days,
    )


def _accept_minutes(ruled: int | None, urgency: Urgency, limits: Limits) -> int:
    usual = ruled or limits.accept_minutes
    return min(usual, limits.emergency_minutes) if urgency is Urgency.EMERGENCY else usual


def accept_by(dispatched: Dispatched, now: datetime, calendar: WorkingCalendar) -> datetime:
    """Return when an offer made `now` ends: in working time, in an emergency by the wall clock.

    Raises CalendarExhausted when the calendar does not reach so far.
    """
    if dispatched.urgency is Urgency.EMERGENCY:
        return now + timedelta(minutes=dispatched.accept_minutes)
    return calendar.add(now, Limit.minutes(dispatched.accept_minutes))


def acted_on_at(limit: datetime, urgency: Urgency | None, calendar: WorkingCalendar) -> datetime:
    """Return when an ended limit is acted on: one that ends on a day off at the next opening.

    An emergency's limit is acted on when it ends, whatever the day. `urgency` is None for an objection's review.
    """
    return limit if urgency is Urgency.EMERGENCY else calendar.after_rest(limit)


def review_by(now: datetime, calendar: WorkingCalendar, limits: Limits) -> datetime:
    """Return by when a coordinator rules an objection raised `now`; afterwards the matter goes on without a ruling."""
    return calendar.add(now, Limit.days(limits.review_days))
