"""Outcomes of a command: done, refused by the rules, not found, or a version conflict."""

from dataclasses import dataclass
from typing import TypeAlias

from services.routing.domain.decision import Refused
from services.routing.domain.matter import Objection, Offer
from services.routing.handlers.changes.change import Change


@dataclass(frozen=True, slots=True)
class Done:
    """The command succeeded: the matter's change, and the objection that it raised or ruled."""

    change: Change
    offer: Offer | None = None
    objection: Objection | None = None


@dataclass(frozen=True, slots=True)
class NotFound:
    """Refused: there is no such offer or objection."""


@dataclass(frozen=True, slots=True)
class VersionConflict:
    """Conflict: the matter has another version than the caller expected (optimistic locking)."""

    version: int


Outcome: TypeAlias = Done | Refused | NotFound | VersionConflict
