"""Builds the live page's view model from a glance, without personal data of requesters and contacts."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import TypeAlias

from services.followup.domain.matter import Matter
from services.followup.domain.rates import Rate
from services.followup.handlers.glance import Arrival, Due, Glance
from services.followup.pages.masking import mask
from services.followup.pages.view_models import (
    ArrivalRow,
    Board,
    Count,
    DueRow,
    Next,
    RateFigure,
    ServiceNeed,
    When,
)
from services.followup.store.requests import Request
from shared.contracts.vocabulary import Candidacy, MatterState, RequesterKind, Urgency
from shared.messages.catalogue import text

Words: TypeAlias = Callable[..., str]
"""`text` in one language."""

MOST_DUE = 12
"""Promises shown; more are read, to tell how many are broken."""


def write(
    glance: Glance | None, now: datetime, checks: Mapping[str, bool], zone: tzinfo, lang: str
) -> Board:
    """Return the board of a glance; without one, only the health."""
    words = partial(text, lang=lang)
    parts = tuple(
        ServiceNeed(name, words(f"page.health.{name}"), ok) for name, ok in checks.items()
    )
    stamp = When(now.isoformat(timespec="minutes"), _day_and_time(now.astimezone(zone), words))
    if glance is None:
        return Board(False, stamp, (), (), (), (), 0, None, parts)
    at = partial(_when, now=now, zone=zone, words=words)
    return Board(
        True,
        stamp,
        tuple(_arrival(each, at, words, lang) for each in glance.arrivals),
        tuple(_due(each, now, at, words) for each in glance.due[:MOST_DUE]),
        tuple(_rate(name, rate, words) for name, rate in glance.rates.items()),
        _counts(glance.counts, words),
        sum(glance.counts.values()),
        _next(glance, now, words),
        parts,
    )


def _arrival(
    arrival: Arrival, at: Callable[[datetime], When], words: Words, lang: str
) -> ArrivalRow:
    request, matter, offer = arrival.request, arrival.matter, arrival.offer
    raised = matter.urgency is not Urgency.NORMAL
    return ArrivalRow(
        key=matter.id,
        at=at(request.received_at),
        summary=masked(request.summary),
        facts=_facts(request, matter, words),
        urgency=matter.urgency.value if raised else None,
        urgency_label=words(f"page.urgency.{matter.urgency}") if raised else None,
        party=offer.party.name if offer else None,
        candidacy=words(f"page.candidacy.{offer.candidacy}") if offer else None,
        rule=_rule(matter, words),
        why=_why(arrival, words, lang),
        state=matter.state.value,
        state_label=words(f"state.{matter.state}"),
    )


def _facts(request: Request, matter: Matter, words: Words) -> tuple[str, ...]:
    parts = (
        requester(request, words),
        matter.park,
        words(f"page.kind.{request.kind}"),
        matter.category,
    )
    return tuple(part for part in parts if part)


def requester(request: Request, words: Words) -> str:
    """Return the requester's public name: that of a resident is left out."""
    if request.requester.kind is RequesterKind.RESIDENT:
        return words("page.requester.resident")
    return request.requester.name


def masked(summary: str) -> str:
    """Return a summary with telephone, identity card and bank card numbers masked."""
    return mask(summary)


def _rule(matter: Matter, words: Words) -> str | None:
    dispatch = matter.dispatch
    if dispatch is None:
        return None
    if dispatch.rule_id is None:
        return words("page.no_rule")
    return words("page.rule", version=dispatch.catalogue_version, rule=dispatch.rule_id)


def _why(arrival: Arrival, words: Words, lang: str) -> str | None:
    pending = arrival.matter.pending
    if pending is not None:
        return words("page.waiting", reason=words(f"page.pending.{pending.reason}"))
    offer = arrival.offer
    # For the enterprise's own liaison the label says it all; routing writes its sentence in Chinese.
    if offer is None or offer.candidacy is Candidacy.PRIMARY or lang != "zh":
        return None
    return offer.why


def _due(due: Due, now: datetime, at: Callable[[datetime], When], words: Words) -> DueRow:
    overdue = due.clock.due_at <= now
    distance = words(
        "page.due.over" if overdue else "page.due.in", time=span(due.clock.due_at - now, words)
    )
    return DueRow(
        key=f"{due.matter.id}-{due.clock.kind}",
        clock=words(f"clock.{due.clock.kind}"),
        distance=distance,
        overdue=overdue,
        summary=masked(due.request.summary),
        whose=due.whose.name if due.whose else words("page.desk"),
        at=at(due.clock.due_at),
    )


def _next(glance: Glance, now: datetime, words: Words) -> Next | None:
    """Return the number of broken limits among those read ("+" when all are broken), else the first limit."""
    if not glance.due:
        return None
    count = sum(due.clock.due_at <= now for due in glance.due)
    if count:
        more = "+" if count == len(glance.due) else ""
        return Next(words("page.due.late", count=f"{count}{more}"), late=True)
    first = span(glance.due[0].clock.due_at - now, words)
    return Next(words("page.due.next", time=first), late=False)


def span(length: timedelta, words: Words) -> str:
    """Return a duration in words, in minutes below a day and in hours above; its sign is ignored."""
    minutes = int(abs(length).total_seconds()) // 60
    if minutes == 0:
        return words("page.time.moments")
    if minutes < 60:
        return words("page.time.minutes", minutes=minutes)
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return words("page.time.hours", hours=hours, minutes=minutes)
    return words("page.time.days", days=hours // 24, hours=hours % 24)


def _when(at: datetime, now: datetime, zone: tzinfo, words: Words) -> When:
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    if local.date() == today:
        shown = words("page.at.time", at=local)
    elif local.year == today.year:
        shown = words("page.at.day", at=local)
    else:
        shown = _day_and_time(local, words)
    return When(local.isoformat(timespec="seconds"), shown)


def _day_and_time(local: datetime, words: Words) -> str:
    return words("page.at.year", at=local)


def _rate(name: str, rate: Rate, words: Words) -> RateFigure:
    percent = _percent(rate)
    left_out = [
        words("page.rate.part", label=words(f"page.left_out.{reason}"), count=count)
        for reason, count in rate.left_out.items()
        if count
    ]
    return RateFigure(
        name,
        words(f"page.rate.{name}"),
        "—" if percent is None else f"{percent:g}",
        percent,
        _made_of(rate, words),
        words("page.rate.left_out", parts=words("page.comma").join(left_out))
        if left_out
        else words("page.rate.nothing_left_out"),
    )


def _percent(rate: Rate) -> float | None:
    """Return a percentage with one decimal; 100 only for an exact 1."""
    if rate.value is None:
        return None
    rounded = round(100 * rate.value, 1)
    return min(rounded, 99.9) if rate.numerator < rate.denominator else rounded


def _made_of(rate: Rate, words: Words) -> str:
    if not rate.denominator:
        return words("page.rate.nothing")
    return words("page.rate.made_of", numerator=rate.numerator, denominator=rate.denominator)


def _counts(counts: Mapping[MatterState, int], words: Words) -> tuple[Count, ...]:
    found: list[Count] = []
    offset = 0
    for state, number in counts.items():
        found.append(Count(state.value, words(f"state.{state}"), number, offset))
        offset += number
    return tuple(found)
