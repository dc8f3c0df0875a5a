"""Outcomes of a command: done, refused by the rules, or not about what is there."""

from dataclasses import dataclass
from typing import TypeAlias

from services.routing.domain.decision import Refused
from services.routing.domain.matter import Objection, Offer
from services.routing.handlers.changes.change import Change


@dataclass(frozen=True, slots=True)
class Done:
    """The command was carried out: the matter's change, and the objection that it raised or ruled."""

    change: Change
    offer: Offer | None = None
    objection: Objection | None = None


@dataclass(frozen=True, slots=True)
class NotFound:
    """Refused: there is no such offer or objection."""


@dataclass(frozen=True, slots=True)
class VersionConflict:
    """Refused: the matter has another version than the caller saw."""

    version: int


Outcome: TypeAlias = Done | Refused | NotFound | VersionConflict
