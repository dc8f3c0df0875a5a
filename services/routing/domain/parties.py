"""Parties that can get an offer, as one batch of decisions sees the town."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.contracts.vocabulary import PartyKind, Tier

FALLBACK_DESK: Final = "DESK"
"""The town's fallback desk: it exists from the first migration on and is never absent."""


@dataclass(frozen=True, slots=True)
class Party:
    """A liaison, a department's desk or the fallback desk; ids are unique over all of them."""

    id: str
    kind: PartyKind
    name: str


@dataclass(frozen=True, slots=True)
class Liaison:
    """A liaison. `capacity` limits the matters held at once, offered and accepted together; 0 is none."""

    party: Party
    department_id: str
    capacity: int


@dataclass(frozen=True, slots=True)
class Away:
    """An absence that covers now. `until` is None when its end is unknown."""

    until: datetime | None
    deputy: str | None


@dataclass(frozen=True, slots=True)
class Ties:
    """An enterprise's liaisons today: at most one primary, deputies in the order they began."""

    primary: str | None = None
    deputies: tuple[str, ...] = ()


NO_TIES: Final = Ties()


@dataclass(frozen=True, slots=True)
class Enterprise:
    """An enterprise's facts for routing, and its liaisons today."""

    park: str | None
    tier: Tier
    ties: Ties


@dataclass(frozen=True, slots=True)
class Town:
    """The parties that a batch may choose from, and absences; each liaison is at most once in `away`."""

    liaisons: Mapping[str, Liaison]
    away: Mapping[str, Away]
    desks: Mapping[str, Party]
    fallback: Party
