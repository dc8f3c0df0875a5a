"""What routing says on `liaison.assignments`: who is offered a matter, why, and what they did with the offer."""

from typing import ClassVar

from shared.contracts import topics
from shared.contracts.events.event import Event, Instant, MatterEvent, Part, RecordedDay
from shared.contracts.vocabulary import (
    Candidacy,
    DeclineReason,
    Difficulty,
    PartyKind,
    PendingReason,
    RescheduleCause,
    RescindReason,
    Ruling,
    TieRole,
    Urgency,
)


class PartyRef(Part):
    """A party of an offer: a liaison, a department's desk or the town's fallback desk."""

    id: str
    kind: PartyKind
    name: str


class Dispatch(Part):
    """What the dispatch catalogue decided, and by which rule of which version.

    `rule_id` is None when no rule fitted. `accept_hours` counts working hours, `handle_days` working days.
    `park` is the enterprise's as the directory had it, None for a requester that is in no park.
    """

    catalogue_version: int | None
    rule_id: str | None
    category: str | None
    lead_department: str | None
    co_departments: tuple[str, ...] = ()
    urgency: Urgency
    difficulty: Difficulty
    accept_hours: float
    handle_days: int
    park: str | None = None


class DispatchWaiting(MatterEvent):
    """Nobody is offered the matter at the moment; why, and when it is looked at next."""

    TYPE: ClassVar[str] = "dispatch.waiting"
    TOPIC: ClassVar[str] = topics.ASSIGNMENTS

    round: int
    pending_reason: PendingReason
    review_at: Instant
    dispatch: Dispatch


class OfferMade(MatterEvent):
    """A party was offered the matter. `why` is for people; `attempt` counts the offers of the round from 1."""

    TYPE: ClassVar[str] = "offer.made"
    TOPIC: ClassVar[str] = topics.ASSIGNMENTS

    offer_id: str
    round: int
    attempt: int
    party: PartyRef
    candidacy: Candidacy
    why: str
    offered_at: Instant
    expires_at: Instant
    calendar_version: str
    dispatch: Dispatch


class OfferAccepted(MatterEvent):
    """The party took the matter and owns it from now on (签收)."""

    TYPE: ClassVar[str] = "offer.accepted"
    TOPIC: ClassVar[str] = topics.ASSIGNMENTS

    offer_id: str
    round: int
    party: PartyRef


class OfferDeclined(MatterEvent):
    """The party sent the offer back (退单)."""

    TYPE: ClassVar[str] = "offer.declined"
    TOPIC: ClassVar[str] = topics.ASSIGNMENTS

    offer_id: str
    round: int
    party: PartyRef
    reason_code: DeclineReason
    suggested_owner: str | None = None
    note: str | None = None


class OfferTimedOut(MatterEvent):
    """The party did not answer in time."""

    TYPE: ClassVar[str] = "offer.timed_out"
    TOPIC: ClassVar[str] = topics.ASSIGNMENTS

    offer_id: str
    round: int
    party: PartyRef
    expired_at: Instant


class OfferRescheduled(MatterEvent):
    """The time to answer an open offer was computed anew, by that version of the working calendar (期限重算)."""

    TYPE: ClassVar[str] = "offer.rescheduled"
    TOPIC: ClassVar[str] = topics.ASSIGNMENTS

    offer_id: str
    round: int
    party: PartyRef
    old_expires_at: Instant
    expires_at: Instant
    calendar_version: str
    cause: RescheduleCause


class OfferRescinded(MatterEvent):
    """The offer was taken back before an answer."""

    TYPE: ClassVar[str] = "offer.rescinded"
    TOPIC: ClassVar[str] = topics.ASSIGNMENTS

    offer_id: str
    round: int
    party: PartyRef
    reason: RescindReason


class ObjectionRaised(MatterEvent):
    """A declined offer named a better owner; a coordinator decides by `review_at` (派单异议)."""

    TYPE: ClassVar[str] = "objection.raised"
    TOPIC: ClassVar[str] = topics.ASSIGNMENTS

    objection_id: str
    offer_id: str
    round: int
    raised_by: PartyRef
    suggested_owner: str
    reason_code: DeclineReason
    note: str | None = None
    review_at: Instant


class ObjectionRescheduled(MatterEvent):
    """The time to rule an open objection was computed anew (期限重算)."""

    TYPE: ClassVar[str] = "objection.rescheduled"
    TOPIC: ClassVar[str] = topics.ASSIGNMENTS

    objection_id: str
    offer_id: str
    round: int
    old_review_at: Instant
    review_at: Instant
    calendar_version: str
    cause: RescheduleCause


class ObjectionRuled(MatterEvent):
    """A coordinator decided an objection, once."""

    TYPE: ClassVar[str] = "objection.ruled"
    TOPIC: ClassVar[str] = topics.ASSIGNMENTS

    objection_id: str
    round: int
    ruling: Ruling
    note: str | None = None


class TieChanged(Event):
    """A tie between an enterprise and a liaison began, changed or ended; its subject is the tie's id."""

    TYPE: ClassVar[str] = "tie.changed"
    TOPIC: ClassVar[str] = topics.ASSIGNMENTS

    tie_id: str
    uscc: str
    liaison_id: str
    role: TieRole
    from_on: RecordedDay
    until_on: RecordedDay | None = None
    reason: str
