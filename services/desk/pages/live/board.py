"""Builds the live page's view model from an overview, without personal data of requesters and contacts."""

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from functools import partial

from services.desk.clients.overview import NewMatter, NextPromise, Overview, TownRate
from services.desk.pages.live.masking import mask
from services.desk.pages.live.view_models import (
    ArrivalRow,
    Board,
    Count,
    DueRow,
    Next,
    RateFigure,
    ServiceNeed,
)
from services.desk.pages.wording import (
    MomentInWords,
    Words,
    day_and_time,
    left_out_in_words,
    moment_in_words,
    party_in_words,
    rule_in_words,
    span,
    words_in,
)
from shared.contracts.vocabulary import (
    Candidacy,
    MatterState,
    RequesterKind,
    Urgency,
)

MOST_DUE = 12
"""Promises shown; more are read, to tell how many are broken."""


def write(
    overview: Overview | None, now: datetime, checks: Mapping[str, bool], zone: tzinfo, lang: str
) -> Board:
    """Return the board of an overview; without one, only the health."""
    words = words_in(lang)
    parts = tuple(
        ServiceNeed(name, words(f"page.health.{name}"), ok) for name, ok in checks.items()
    )
    stamp = MomentInWords(
        now.isoformat(timespec="minutes"), day_and_time(now.astimezone(zone), words)
    )
    if overview is None:
        return Board(False, stamp, (), (), (), (), 0, None, parts)
    at = partial(moment_in_words, now=now, zone=zone, words=words)
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
    matter: NewMatter, at: Callable[[datetime], MomentInWords], words: Words, lang: str
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
    return rule_in_words(decision.catalogue_version, decision.rule_id, words)


def _why(matter: NewMatter, words: Words, lang: str) -> str | None:
    if matter.pending_reason is not None:
        return words("page.waiting", reason=words(f"page.pending.{matter.pending_reason}"))
    offer = matter.last_offer
    # For the enterprise's own liaison the label says it all; routing writes its sentence in Chinese.
    if offer is None or offer.candidacy is Candidacy.PRIMARY or lang != "zh":
        return None
    return offer.why


def _due(
    promise: NextPromise, now: datetime, at: Callable[[datetime], MomentInWords], words: Words
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
        whose=party_in_words(promise.whose.kind, promise.whose.name, words),
        at=at(promise.due_at),
    )


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


def _rate(name: str, rate: TownRate, words: Words) -> RateFigure:
    percent = _percent(rate)
    return RateFigure(
        name,
        words(f"page.rate.{name}"),
        "—" if percent is None else f"{percent:g}",
        percent,
        _made_of(rate, words),
        left_out_in_words(rate.left_out, words) or words("page.rate.nothing_left_out"),
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
