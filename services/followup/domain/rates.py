"""The rates 三率: what each fact adds to them, and their arithmetic; every share names what it leaves out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from services.followup.domain.decision import Emitted
from services.followup.domain.facts import (
    Closed,
    Fact,
    Handled,
    Merged,
    Rejected,
    Reopened,
    Returned,
    Taken,
    Unmerged,
    Visited,
    Withdrawn,
)
from services.followup.domain.matter import Matter, Party
from shared.contracts.vocabulary import PartyKind


class Counted(StrEnum):
    """Kinds of counted rows."""

    TAKEN = "taken"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"
    CONTACTED = "contacted"
    HANDLED = "handled"
    VISITED = "visited"
    CLOSED = "closed"
    REOPENED = "reopened"
    MERGED = "merged"
    UNMERGED = "unmerged"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"


class GroupBy(StrEnum):
    """Dimensions by which the rates can be grouped."""

    PARK = "park"
    DEPARTMENT = "department"
    LIAISON = "liaison"
    CATEGORY = "category"
    KIND = "kind"
    CHANNEL = "channel"


PLAIN: Final[Mapping[type[Fact], Counted]] = MappingProxyType(
    {
        Reopened: Counted.REOPENED,
        Merged: Counted.MERGED,
        Unmerged: Counted.UNMERGED,
        Withdrawn: Counted.WITHDRAWN,
        Rejected: Counted.REJECTED,
    }
)
"""Facts of which it counts only that they happened."""


@dataclass(frozen=True, slots=True)
class Tally:
    """One counted row. `seconds` run from the beginning of the round, for a closing from the registration."""

    what: Counted
    at: datetime
    matter: Matter
    party: Party | None
    seconds: int | None = None
    on_time: bool | None = None
    instant: bool | None = None
    exempted: bool | None = None
    visited: Visited | None = None

    @property
    def liaison(self) -> str | None:
        """The liaison that the row counts for."""
        party = self.party or self.matter.owner or self.matter.last_owner
        return party.id if party is not None and party.kind is PartyKind.LIAISON else None


def tallies(before: Matter | None, emitted: tuple[Emitted, ...]) -> list[Tally]:
    """Return the rows that the facts of one step add to the rates."""
    found: list[Tally] = []
    contacted = before.contacted_at if before else None
    for each in emitted:
        if each.matter.contacted_at is not None and contacted is None:
            found.append(_timed(Counted.CONTACTED, each))
        contacted = each.matter.contacted_at
        counted = _counted(each)
        if counted is not None:
            found.append(counted)
    return found


def _counted(emitted: Emitted) -> Tally | None:
    fact, matter = emitted.fact, emitted.matter
    if isinstance(fact, Taken):
        taken_at = matter.taken_at or emitted.at
        return Tally(
            Counted.TAKEN, emitted.at, matter, fact.owner, _seconds(matter.began_at, taken_at)
        )
    if isinstance(fact, Returned) and fact.ended in (Counted.DECLINED, Counted.TIMED_OUT):
        return Tally(Counted(fact.ended), emitted.at, matter, fact.party)
    if isinstance(fact, Handled):
        handling = matter.handling
        instant = handling.instant if handling else False
        return _timed(Counted.HANDLED, emitted, on_time=fact.on_time, instant=instant)
    if isinstance(fact, Visited):
        return Tally(Counted.VISITED, emitted.at, matter, None, visited=fact)
    if isinstance(fact, Closed):
        seconds = _seconds(matter.received_at, emitted.at)
        exempted = fact.exemption is not None
        return Tally(Counted.CLOSED, emitted.at, matter, None, seconds, exempted=exempted)
    plain = PLAIN.get(type(fact))
    return Tally(plain, emitted.at, matter, None) if plain else None


def _timed(
    what: Counted, emitted: Emitted, on_time: bool | None = None, instant: bool | None = None
) -> Tally:
    seconds = _seconds(emitted.matter.began_at, emitted.at)
    return Tally(what, emitted.at, emitted.matter, None, seconds, on_time=on_time, instant=instant)


def _seconds(start: datetime, end: datetime) -> int:
    return max(0, int((end - start).total_seconds()))


@dataclass(frozen=True, slots=True)
class Counts:
    """Sums of a period. `visited` and the fields after it count rounds: several attempts in a round count once.

    `exempted` were not visited either. `reopened` were handled in the period too, `reopened_earlier` before it. Of what
    ended otherwise, `unvisited_` is what had no visit in the period, `unhandled_` what was not handled in it.
    """

    visited: int = 0
    reached: int = 0
    answered: int = 0
    solved: int = 0
    rated: int = 0
    satisfied: int = 0
    exempted: int = 0
    handled: int = 0
    on_time: int = 0
    instant: int = 0
    taken: int = 0
    declined: int = 0
    timed_out: int = 0
    reopened: int = 0
    reopened_earlier: int = 0
    unvisited_merged: int = 0
    unvisited_withdrawn: int = 0
    unvisited_rejected: int = 0
    unhandled_merged: int = 0
    unhandled_withdrawn: int = 0
    unhandled_rejected: int = 0


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with numerator and denominator; `left_out` counts what is excluded, by reason."""

    numerator: int
    denominator: int
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def value(self) -> float | None:
        """The share between 0 and 1; None for a denominator of 0."""
        return self.numerator / self.denominator if self.denominator else None


def rates_of(counts: Counts) -> dict[str, Rate]:
    """Return every rate of a period; each uses only the rounds, or offers, of its own denominator.

    The first three come from return visits that were answered, and from nothing else. Rounds that ended otherwise are
    named where there are any.
    """
    unvisited = {"exempted": counts.exempted} | _named(
        merged=counts.unvisited_merged,
        withdrawn=counts.unvisited_withdrawn,
        rejected=counts.unvisited_rejected,
    )
    unheard = {"unreached": counts.visited - counts.reached} | unvisited
    unhandled = _named(
        merged=counts.unhandled_merged,
        withdrawn=counts.unhandled_withdrawn,
        rejected=counts.unhandled_rejected,
    )
    offers = counts.taken + counts.declined + counts.timed_out
    return {
        "response": Rate(counts.answered, counts.reached, unheard),
        "resolution": Rate(counts.solved, counts.reached, unheard),
        "satisfaction": Rate(
            counts.satisfied, counts.rated, unheard | {"unrated": counts.reached - counts.rated}
        ),
        "reached": Rate(counts.reached, counts.visited, unvisited),
        "on_time": Rate(counts.on_time, counts.handled, unhandled),
        "instant": Rate(counts.instant, counts.handled, unhandled),
        "declined": Rate(counts.declined, offers),
        "reopened": Rate(
            counts.reopened,
            counts.handled,
            unhandled | _named(handled_earlier=counts.reopened_earlier),
        ),
    }


def _named(**counts: int) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}
