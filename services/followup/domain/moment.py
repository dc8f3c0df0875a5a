"""What a decision is made with besides the matter: who acts, when, by which calendar and limits."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.followup.domain.limits import Limits, LimitTable
from shared.calendar import Limit, WorkingCalendar
from shared.contracts.vocabulary import Role


@dataclass(frozen=True, slots=True)
class ActingParty:
    """Who acts: the role, and the party it speaks for."""

    role: Role
    party: str


CLOCK: Final = ActingParty(Role.CLOCK, "clock")
"""Acts when a limit runs out."""


@dataclass(frozen=True, slots=True)
class Moment:
    """`at` is aware. The desk is the town's fallback desk, which answers for what has no owner yet."""

    at: datetime
    by: ActingParty
    calendar: WorkingCalendar
    limits: LimitTable
    desk: str

    def as_clock(self) -> "Moment":
        """The same moment, with a limit that ran out as its actor."""
        return replace(self, by=CLOCK)

    def after(self, limit: Limit, start: datetime | None = None) -> datetime:
        """When a limit ends that starts at `start`, now by default."""
        return self.calendar.add(start or self.at, limit)

    def seconds_since(self, start: datetime | None) -> int:
        """Whole seconds from `start` to the moment; 0 without a start."""
        return max(0, int((self.at - start).total_seconds())) if start else 0

    def limits_of(self, category: str | None) -> Limits:
        """The limits of a category."""
        return self.limits.of(category)
