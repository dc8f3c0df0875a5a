"""Context of every decision of this town: calendar, limits, fallback desk."""

from dataclasses import dataclass
from datetime import datetime

from services.followup.domain.limits import LimitTable
from services.followup.domain.matter import Matter
from services.followup.domain.moment import CLOCK, ActingParty, Moment
from shared.calendar import WorkingCalendar


@dataclass(frozen=True, slots=True)
class Office:
    """`desk` is the party responsible for matters without an owner."""

    calendar: WorkingCalendar
    limits: LimitTable
    desk: str

    def moment(self, at: datetime, matter: Matter | None = None, by: ActingParty = CLOCK) -> Moment:
        """Return the moment of a decision on a matter (None: a new one), with the clock as the default actor.

        It is `at`, or that of the matter's last event where that is later: machines' clocks differ, and a step
        that waited for another has read its clock before it. So a matter's moments never go back.
        """
        if matter is not None and matter.changed_at is not None:
            at = max(at, matter.changed_at)
        return Moment(at, by, self.calendar, self.limits, self.desk)
