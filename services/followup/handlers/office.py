"""What every decision of this town is made with: its calendar, its limits, its fallback desk."""

from dataclasses import dataclass
from datetime import datetime

from services.followup.domain.limits import LimitTable
from services.followup.domain.moment import CLOCK, Actor, Moment
from shared.calendar import WorkingCalendar


@dataclass(frozen=True, slots=True)
class Office:
    """`desk` is the party that answers for what has no owner."""

    calendar: WorkingCalendar
    limits: LimitTable
    desk: str

    def moment(self, at: datetime, by: Actor = CLOCK) -> Moment:
        """The moment at which somebody acts; the clock by default."""
        return Moment(at, by, self.calendar, self.limits, self.desk)
