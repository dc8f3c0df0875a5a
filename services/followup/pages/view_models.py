"""View models of the live page: words and numbers for the templates."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class When:
    """A moment for machines and for people."""

    iso: str
    words: str


@dataclass(frozen=True, slots=True)
class ArrivalRow:
    """A request that came in; what is None is not shown."""

    key: str
    at: When
    summary: str
    facts: tuple[str, ...]
    urgency: str | None
    urgency_label: str | None
    party: str | None
    candidacy: str | None
    rule: str | None
    why: str | None
    state: str
    state_label: str


@dataclass(frozen=True, slots=True)
class DueRow:
    """A promise that is to be kept next."""

    key: str
    clock: str
    distance: str
    overdue: bool
    summary: str
    whose: str
    at: When


@dataclass(frozen=True, slots=True)
class RateFigure:
    """A rate with all that it is made of; `percent` is None when there is nothing to divide by."""

    name: str
    label: str
    value: str
    percent: float | None
    made_of: str
    left_out: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many matters are in a state, and how many stand before it in the bar."""

    state: str
    label: str
    number: int
    offset: int


@dataclass(frozen=True, slots=True)
class ServiceNeed:
    """Something that the service needs."""

    name: str
    label: str
    ready: bool


@dataclass(frozen=True, slots=True)
class Next:
    """What the promises come to in a few words."""

    words: str
    late: bool


@dataclass(frozen=True, slots=True)
class Board:
    """The live page in one language; unless it is `whole`, the database did not answer and the health is all."""

    whole: bool
    now: When
    arrivals: tuple[ArrivalRow, ...]
    due: tuple[DueRow, ...]
    rates: tuple[RateFigure, ...]
    counts: tuple[Count, ...]
    total: int
    next: Next | None
    parts: tuple[ServiceNeed, ...]

    @property
    def healthy(self) -> bool:
        """Whether everything that the service needs is there."""
        return all(part.ready for part in self.parts)
