"""What every decision of this town is made with: its calendar, its limits, its fallback desk."""

from dataclasses import dataclass
from datetime import datetime

from services.followup.domain.limits import LimitTable
from services.followup.domain.matter import Matter
from services.followup.domain.moment import CLOCK, ActingParty, Moment
from shared.calendar import WorkingCalendar


@dataclass(frozen=True, slots=True)
class Office:
    """`desk` is the party that answers for what has no owner."""

    calendar: WorkingCalendar
    limits: LimitTable
    desk: str

    def moment(self, at: datetime, matter: Matter | None = None, by: ActingParty = CLOCK) -> Moment:
        """The moment at which somebody, the clock by default, acts on a matter (None: on one that begins).

        It is `at`, or that of the matter's last event where that is later: machines' clocks differ, and a step
        that waited for another has read its clock before it. So a matter's moments never go back.
        """
        if matter is not None and matter.changed_at is not None:
            at = max(at, matter.changed_at)
        return Moment(at, by, self.calendar, self.limits, self.desk)
