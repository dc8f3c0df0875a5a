"""A matter in routing: its state, its offers and its objections."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from services.routing.domain.dispatching import Dispatched
from services.routing.domain.parties import Party
from shared.contracts.vocabulary import (
    Candidacy,
    DeclineReason,
    Kind,
    OfferState,
    RequesterKind,
    RescindReason,
    Tier,
    Urgency,
)


class RoutingState(StrEnum):
    """Routing's states of a matter."""

    OFFERED = "offered"
    TAKEN = "taken"
    WAITING = "waiting"
    ENDED = "ended"


class Cause(StrEnum):
    """Causes of a choice."""

    REGISTERED = "registered"
    REOPENED = "reopened"
    UNMERGED = "unmerged"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"
    LIAISON_ABSENT = "liaison_absent"
    UPHELD = "upheld"
    OVERRULED = "overruled"
    REVIEW_LAPSED = "review_lapsed"


@dataclass(frozen=True, slots=True)
class RoutedRequest:
    """The request as far as routing needs it. `detail` is kept only where keywords decide."""

    requester_kind: RequesterKind
    requester_id: str
    requester_name: str
    kind: Kind
    category: str | None
    urgency: Urgency
    summary: str
    detail: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Matter:
    """`version` counts routing's events of the matter, `attempt` the offers of the round.

    `offer_id` is the offer that is open or accepted; `owner_id` who accepted last, in whatever round.
    `park` and `tier` are the enterprise's as they were when the catalogue decided.
    """

    id: str
    round: int
    attempt: int
    version: int
    standing: RoutingState
    offer_id: str | None
    owner_id: str | None
    asked: RoutedRequest
    dispatched: Dispatched
    park: str | None = None
    tier: Tier | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer to one party. `holding` says that it counts against the party's capacity.

    `reason`, `suggested_owner` and `note` are of the step that ends it; they are written and not read again.
    """

    id: str
    matter_id: str
    round: int
    attempt: int
    party: Party
    candidacy: Candidacy
    state: OfferState
    holding: bool
    expires_at: datetime
    offered_at: datetime | None = None
    reason: DeclineReason | RescindReason | None = None
    suggested_owner: str | None = None
    note: str | None = None


class ObjectionState(StrEnum):
    """States of an objection; `lapsed` ran out of time, `moot` lost its matter."""

    OPEN = "open"
    UPHELD = "upheld"
    OVERRULED = "overruled"
    LAPSED = "lapsed"
    MOOT = "moot"


@dataclass(frozen=True, slots=True)
class Objection:
    """A declined offer that named a better owner.

    `ruled_by` and `ruling_note` are of the step that rules it; they are written and not read again.
    """

    id: str
    matter_id: str
    offer_id: str
    round: int
    raised_by: Party
    suggested_owner: str
    reason_code: DeclineReason
    note: str | None
    review_at: datetime
    state: ObjectionState
    raised_at: datetime | None = None
    ruled_by: str | None = None
    ruling_note: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A matter with the offers of its round, first to last, and all its objections."""

    matter: Matter
    offers: tuple[Offer, ...] = ()
    objections: tuple[Objection, ...] = ()

    @property
    def holding(self) -> Offer | None:
        """The open or accepted offer; there is at most one."""
        return next((offer for offer in self.offers if offer.holding), None)

    @property
    def open_objection(self) -> Objection | None:
        """The objection that awaits its ruling; there is at most one."""
        return next(
            (found for found in self.objections if found.state is ObjectionState.OPEN), None
        )

    @property
    def due_at(self) -> datetime | None:
        """When routing must look at the matter next: the running limit, None without one."""
        match self.matter.standing:
            case RoutingState.OFFERED:
                return self.holding.expires_at if self.holding else None
            case RoutingState.WAITING:
                return self.open_objection.review_at if self.open_objection else None
            case RoutingState.TAKEN | RoutingState.ENDED:
                return None

    def offer(self, offer_id: str) -> Offer:
        """Return the offer with that id. Raises LookupError when the case has none."""
        return _named(self.offers, offer_id)

    def objection(self, objection_id: str) -> Objection:
        """Return the objection with that id. Raises LookupError when the case has none."""
        return _named(self.objections, objection_id)


_Item = TypeVar("_Item", Offer, Objection)


def _named(items: Iterable[_Item], item_id: str) -> _Item:
    for item in items:
        if item.id == item_id:
            return item
    raise LookupError(item_id)
