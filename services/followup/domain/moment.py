"""Context of a decision besides the matter: actor, time, calendar and limits."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.followup.domain.limits import Limits, LimitTable
from shared.calendar import Limit, WorkingCalendar
from shared.contracts.vocabulary import Role


@dataclass(frozen=True, slots=True)
class ActingParty:
    """The actor: a role, and the party it speaks for."""

    role: Role
    party: str


CLOCK: Final = ActingParty(Role.CLOCK, "clock")
"""Acts when a limit runs out."""


@dataclass(frozen=True, slots=True)
class Moment:
    """`at` is aware. `desk` is the town's fallback desk, responsible for matters without an owner."""

    at: datetime
    by: ActingParty
    calendar: WorkingCalendar
    limits: LimitTable
    desk: str

    def as_clock(self) -> "Moment":
        """Return the same moment with the clock as the actor."""
        return replace(self, by=CLOCK)

    def after(self, limit: Limit, start: datetime | None = None) -> datetime:
        """Return when a limit ends that starts at `start`, by default now."""
        return self.calendar.add(start or self.at, limit)

    def seconds_since(self, start: datetime | None) -> int:
        """Return whole seconds from `start` to the moment; 0 without a start."""
        return max(0, int((self.at - start).total_seconds())) if start else 0

    def limits_of(self, category: str | None) -> Limits:
        """Return the limits of a category."""
        return self.limits.of(category)
