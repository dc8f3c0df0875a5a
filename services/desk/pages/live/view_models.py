"""View models of the live page: words and numbers for the templates."""

from dataclasses import dataclass

from services.desk.pages.wording import MomentInWords


@dataclass(frozen=True, slots=True)
class ArrivalRow:
    """A request in the list of arrivals; fields that are None are not shown."""

    key: str
    at: MomentInWords
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
    """A limit in the list of those due next."""

    key: str
    clock: str
    distance: str
    overdue: bool
    summary: str
    whose: str
    at: MomentInWords


@dataclass(frozen=True, slots=True)
class RateFigure:
    """A rate with numerator, denominator and exclusions; `percent` is None for a denominator of 0."""

    name: str
    label: str
    value: str
    percent: float | None
    made_of: str
    left_out: str


@dataclass(frozen=True, slots=True)
class Count:
    """The number of matters in a state, and the number before it in the bar."""

    state: str
    label: str
    number: int
    offset: int


@dataclass(frozen=True, slots=True)
class ServiceNeed:
    """A dependency of the page and its state."""

    name: str
    label: str
    ready: bool


@dataclass(frozen=True, slots=True)
class Next:
    """A summary of the limits due next."""

    words: str
    late: bool


@dataclass(frozen=True, slots=True)
class Board:
    """The live page in one language; unless `whole`, followup did not answer and only the health is set."""

    whole: bool
    now: MomentInWords
    arrivals: tuple[ArrivalRow, ...]
    due: tuple[DueRow, ...]
    rates: tuple[RateFigure, ...]
    counts: tuple[Count, ...]
    total: int
    next: Next | None
    parts: tuple[ServiceNeed, ...]

    @property
    def healthy(self) -> bool:
        """Whether every dependency of the page is available."""
        return all(part.ready for part in self.parts)
