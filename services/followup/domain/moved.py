"""The fact that open limits were recomputed; its fields are those of the published event."""

from dataclasses import dataclass
from datetime import datetime

from shared.contracts.vocabulary import ClockKind, RescheduleCause


@dataclass(frozen=True, slots=True)
class LimitShift:
    """A limit that was recomputed."""

    clock: ClockKind
    old_due_at: datetime
    new_due_at: datetime


@dataclass(frozen=True, slots=True)
class Rescheduled:
    """Open limits were recomputed with that version of the calendar."""

    cause: RescheduleCause
    calendar_version: str
    limits: tuple[LimitShift, ...]
