"""What followup says when limits that were open are computed anew (期限重算)."""

from typing import ClassVar

from shared.contracts.events.event import Instant, Part
from shared.contracts.events.matters import MatterChanged
from shared.contracts.vocabulary import ClockKind, RescheduleCause


class MovedLimit(Part):
    """A limit that was computed anew."""

    clock: ClockKind
    old_due_at: Instant
    new_due_at: Instant


class MatterRescheduled(MatterChanged):
    """Open limits were computed anew after the calendar or the town's limits had changed (期限重算).

    What was broken stays broken, what a person set stays as set, and no extension is counted.
    """

    TYPE: ClassVar[str] = "matter.rescheduled"

    cause: RescheduleCause
    calendar_version: str
    limits: tuple[MovedLimit, ...]
