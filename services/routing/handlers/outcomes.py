"""Outcomes of a command: done, or refused and why, with the party that has the matter instead."""

from dataclasses import dataclass
from typing import TypeAlias

from services.routing.domain.answers import (
    Acting,
    AlreadySettled,
    NotOpen,
    NotYours,
    ObjectionSpent,
    SuggestsItself,
)
from services.routing.domain.matter import Case, Objection, Offer
from services.routing.handlers.changes import Change
from shared.contracts.event import Actor


@dataclass(frozen=True, slots=True)
class Done:
    """The command was carried out: the matter's change, and the objection that it raised or settled."""

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


@dataclass(frozen=True, slots=True)
class NoSuchOwner:
    """Refused: the suggested owner is no party of the town."""


Why: TypeAlias = NotYours | NotOpen | ObjectionSpent | SuggestsItself | AlreadySettled | NoSuchOwner


@dataclass(frozen=True, slots=True)
class Refused:
    """The command was refused; `holder` is who is offered or has the matter now, as far as anybody is."""

    why: Why
    case: Case
    offer: Offer | None = None

    @property
    def holder(self) -> Offer | None:
        """The offer that holds the matter."""
        return self.case.holding


Outcome: TypeAlias = Done | Refused | NotFound | VersionConflict


def actor_of(acting: Acting) -> Actor:
    """Who acts, as events name them."""
    return Actor(role=acting.role, party=acting.party)
