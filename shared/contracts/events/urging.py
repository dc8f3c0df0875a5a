"""What followup says on `liaison.matters` when a limit is near, has run out, or stays broken."""

from typing import ClassVar

from shared.contracts.events.event import Instant
from shared.contracts.events.matters import MatterChanged
from shared.contracts.vocabulary import ClockKind, EscalationLevel


class MatterReminded(MatterChanged):
    """A limit is near (催办)."""

    TYPE: ClassVar[str] = "matter.reminded"

    clock: ClockKind
    due_at: Instant
    to: str


class MatterSupervised(MatterChanged):
    """A limit has run out (督办)."""

    TYPE: ClassVar[str] = "matter.supervised"

    clock: ClockKind
    due_at: Instant
    to: str


class MatterEscalated(MatterChanged):
    """A limit stays broken: one level up the ladder (提级)."""

    TYPE: ClassVar[str] = "matter.escalated"

    clock: ClockKind
    due_at: Instant
    level: EscalationLevel
    to: str
