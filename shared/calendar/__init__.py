"""The working calendar and its words; the parts that read files or holiday data are not loaded."""

from shared.calendar.hours import DayKind, Hours, Interval, SpecialDay, Week
from shared.calendar.limit import Limit, Unit
from shared.calendar.working import CalendarExhausted, WorkingCalendar

__all__ = [
    "CalendarExhausted",
    "DayKind",
    "Hours",
    "Interval",
    "Limit",
    "SpecialDay",
    "Unit",
    "Week",
    "WorkingCalendar",
]
