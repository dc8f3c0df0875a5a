"""Facts: what happened to a matter, one for each published event, with the offer or objection after it."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from services.routing.domain.choice import Considered
from services.routing.domain.matter import Cause, Objection, Offer
from shared.contracts.vocabulary import DeclineReason, RescheduleCause, RescindReason, Ruling


@dataclass(frozen=True, slots=True)
class Offered:
    """A party got an offer. `considered` are all candidates in the order considered."""

    offer: Offer
    cause: Cause
    considered: tuple[Considered, ...]
    offered_at: datetime
    calendar_version: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The party accepted and owns the matter."""

    offer: Offer


@dataclass(frozen=True, slots=True)
class Declined:
    """The party declined; `suggested_owner` is the better owner that it names."""

    offer: Offer
    reason_code: DeclineReason
    suggested_owner: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The party did not answer in time."""

    offer: Offer


@dataclass(frozen=True, slots=True)
class Rescinded:
    """The offer was taken back before an answer."""

    offer: Offer
    reason: RescindReason


@dataclass(frozen=True, slots=True)
class Objected:
    """A declined offer named a better owner."""

    objection: Objection


@dataclass(frozen=True, slots=True)
class ReviewAwaited:
    """The matter waits without an offer until the objection is ruled or its review lapses."""

    objection: Objection


@dataclass(frozen=True, slots=True)
class Ruled:
    """A coordinator decided the objection."""

    objection: Objection
    ruling: Ruling
    note: str | None


@dataclass(frozen=True, slots=True)
class OfferMoved:
    """The limit of an open offer was recomputed; `offer` has the new one."""

    offer: Offer
    old_expires_at: datetime
    calendar_version: str
    cause: RescheduleCause


@dataclass(frozen=True, slots=True)
class ReviewMoved:
    """The limit of an open objection was recomputed; `objection` has the new one."""

    objection: Objection
    old_review_at: datetime
    calendar_version: str
    cause: RescheduleCause


Fact: TypeAlias = (
    Offered
    | Accepted
    | Declined
    | TimedOut
    | Rescinded
    | Objected
    | ReviewAwaited
    | Ruled
    | OfferMoved
    | ReviewMoved
)
