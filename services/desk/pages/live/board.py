"""Builds the live page's view model from an overview, without personal data of requesters and contacts."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import TypeAlias

from services.desk.clients.overview import NewMatter, NextPromise, Overview, TownRate
from services.desk.pages.live.masking import mask
from services.desk.pages.live.view_models import (
    ArrivalRow,
    Board,
    Count,
    DueRow,
    LiveMoment,
    Next,
    RateFigure,
    ServiceNeed,
)
from shared.contracts.vocabulary import (
    Candidacy,
    MatterState,
    PartyKind,
    RequesterKind,
    Urgency,
)
from shared.messages.catalogue import text

Words: TypeAlias = Callable[..., str]
"""`text` in one language."""

MOST_DUE = 12
"""Promises shown; more are read, to tell how many are broken."""


def write(
    overview: Overview | None, now: datetime, checks: Mapping[str, bool], zone: tzinfo, lang: str
) -> Board:
    """Return the board of an overview; without one, only the health."""
    words = partial(text, lang=lang)
    parts = tuple(
        ServiceNeed(name, words(f"page.health.{name}"), ok) for name, ok in checks.items()
    )
    stamp = LiveMoment(
        now.isoformat(timespec="minutes"), _day_and_time(now.astimezone(zone), words)
    )
    if overview is None:
        return Board(False, stamp, (), (), (), (), 0, None, parts)
    at = partial(_when, now=now, zone=zone, words=words)
    return Board(
        True,
        stamp,
        tuple(_arrival(each, at, words, lang) for each in overview.arrivals),
        tuple(_due(each, now, at, words) for each in overview.due[:MOST_DUE]),
        tuple(_rate(name, rate, words) for name, rate in overview.rates.items()),
        _counts(overview.counts, words),
        sum(overview.counts.values()),
        _next(overview, now, words),
        parts,
    )


def _arrival(
    matter: NewMatter, at: Callable[[datetime], LiveMoment], words: Words, lang: str
) -> ArrivalRow:
    offer = matter.last_offer
    raised = matter.urgency is not Urgency.NORMAL
    return ArrivalRow(
        key=matter.matter_id,
        at=at(matter.received_at),
        summary=masked(matter.summary),
        facts=_facts(matter, words),
        urgency=matter.urgency.value if raised else None,
        urgency_label=words(f"page.urgency.{matter.urgency}") if raised else None,
        party=offer.party.name if offer else None,
        candidacy=words(f"page.candidacy.{offer.candidacy}") if offer else None,
        rule=_rule(matter, words),
        why=_why(matter, words, lang),
        state=matter.state.value,
        state_label=words(f"state.{matter.state}"),
    )


def _facts(matter: NewMatter, words: Words) -> tuple[str, ...]:
    parts = (
        requester(matter, words),
        matter.park,
        words(f"page.kind.{matter.kind}"),
        matter.category,
    )
    return tuple(part for part in parts if part)


def requester(matter: NewMatter, words: Words) -> str:
    """Return the requester's public name: that of a resident is left out."""
    if matter.requester.kind is RequesterKind.RESIDENT:
        return words("page.requester.resident")
    return matter.requester.name


def masked(summary: str) -> str:
    """Return a summary with telephone, identity card and bank card numbers masked."""
    return mask(summary)


def _rule(matter: NewMatter, words: Words) -> str | None:
    decision = matter.dispatch
    if decision is None:
        return None
    if decision.rule_id is None:
        return words("page.no_rule")
    return words("page.rule", version=decision.catalogue_version, rule=decision.rule_id)


def _why(matter: NewMatter, words: Words, lang: str) -> str | None:
    if matter.pending_reason is not None:
        return words("page.waiting", reason=words(f"page.pending.{matter.pending_reason}"))
    offer = matter.last_offer
    # For the enterprise's own liaison the label says it all; routing writes its sentence in Chinese.
    if offer is None or offer.candidacy is Candidacy.PRIMARY or lang != "zh":
        return None
    return offer.why


def _due(
    promise: NextPromise, now: datetime, at: Callable[[datetime], LiveMoment], words: Words
) -> DueRow:
    overdue = promise.due_at <= now
    distance = words(
        "page.due.over" if overdue else "page.due.in", time=span(promise.due_at - now, words)
    )
    return DueRow(
        key=f"{promise.matter_id}-{promise.clock}",
        clock=words(f"clock.{promise.clock}"),
        distance=distance,
        overdue=overdue,
        summary=masked(promise.summary),
        whose=_whose(promise, words),
        at=at(promise.due_at),
    )


def _whose(promise: NextPromise, words: Words) -> str:
    return words("page.desk") if promise.whose.kind is PartyKind.DESK else promise.whose.name


def _next(overview: Overview, now: datetime, words: Words) -> Next | None:
    """Return the number of broken limits among those read ("+" when all are broken), else the first limit."""
    if not overview.due:
        return None
    count = sum(due.due_at <= now for due in overview.due)
    if count:
        more = "+" if count == len(overview.due) else ""
        return Next(words("page.due.late", count=f"{count}{more}"), late=True)
    first = span(overview.due[0].due_at - now, words)
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


def _when(at: datetime, now: datetime, zone: tzinfo, words: Words) -> LiveMoment:
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    if local.date() == today:
        shown = words("page.at.time", at=local)
    elif local.year == today.year:
        shown = words("page.at.day", at=local)
    else:
        shown = _day_and_time(local, words)
    return LiveMoment(local.isoformat(timespec="seconds"), shown)


def _day_and_time(local: datetime, words: Words) -> str:
    return words("page.at.year", at=local)


def _rate(name: str, rate: TownRate, words: Words) -> RateFigure:
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


def _percent(rate: TownRate) -> float | None:
    """Return a percentage with one decimal; 100 only for an exact 1."""
    if rate.rate is None:
        return None
    rounded = round(100 * rate.rate, 1)
    return min(rounded, 99.9) if rate.numerator < rate.denominator else rounded


def _made_of(rate: TownRate, words: Words) -> str:
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
