"""A matter as routing knows it: where it stands, its offers and its objections."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.routing.domain.dispatching import Dispatched
from services.routing.domain.parties import Party
from shared.contracts.vocabulary import (
    Candidacy,
    DeclineReason,
    Kind,
    OfferState,
    RequesterKind,
    Tier,
    Urgency,
)


class RoutingState(StrEnum):
    """Where a matter stands with routing."""

    OFFERED = "offered"
    TAKEN = "taken"
    WAITING = "waiting"
    ENDED = "ended"


class Cause(StrEnum):
    """What made routing choose."""

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
    """What was asked and by whom, as far as routing needs it. `detail` is kept only where keywords decide."""

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
    """A responsibility put to one party. `holding` says that it counts against the party's capacity."""

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


class ObjectionState(StrEnum):
    """Where an objection stands; `lapsed` ran out of time, `moot` lost its matter."""

    OPEN = "open"
    UPHELD = "upheld"
    OVERRULED = "overruled"
    LAPSED = "lapsed"
    MOOT = "moot"


@dataclass(frozen=True, slots=True)
class Objection:
    """A declined offer that named a better owner."""

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


@dataclass(frozen=True, slots=True)
class Case:
    """A matter with all its offers and objections, as locked."""

    matter: Matter
    offers: tuple[Offer, ...] = ()
    objections: tuple[Objection, ...] = ()

    @property
    def holding(self) -> Offer | None:
        """The offer that is open or accepted; there is at most one."""
        return next((offer for offer in self.offers if offer.holding), None)

    @property
    def open_objection(self) -> Objection | None:
        """The objection that waits for its ruling; there is at most one."""
        return next(
            (found for found in self.objections if found.state is ObjectionState.OPEN), None
        )
