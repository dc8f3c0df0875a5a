"""Response models of offers, queues and explanations."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from services.routing.domain.choice import Verdict
from services.routing.domain.matter import Cause, ObjectionState
from shared.contracts.events.requests import RequesterRef
from shared.contracts.vocabulary import (
    Candidacy,
    DeclineReason,
    Difficulty,
    OfferState,
    PartyKind,
    Ruling,
    Urgency,
)


class PartyShown(BaseModel):
    """A liaison, a department's desk or the town's fallback desk."""

    id: str
    kind: PartyKind
    name: str


class NextOffer(BaseModel):
    """Whom the matter is offered to next."""

    offer_id: UUID
    party: PartyShown
    candidacy: Candidacy
    expires_at: datetime


class OfferAnswered(BaseModel):
    """What became of an offer; `version` is the matter's."""

    offer_id: UUID
    matter_id: UUID
    round: int
    party: PartyShown
    state: OfferState
    state_label: str
    version: int


class ObjectionOpened(BaseModel):
    """An objection that a coordinator rules by `review_at`."""

    objection_id: UUID
    suggested_owner: str
    review_at: datetime


class DeclinedOffer(OfferAnswered):
    """What became of a declined offer: the next one, or an objection; neither when nobody is left for now."""

    next: NextOffer | None
    objection: ObjectionOpened | None


class RuledObjection(BaseModel):
    """What a ruling led to."""

    objection_id: UUID
    matter_id: UUID
    ruling: Ruling
    next: NextOffer | None
    version: int


class ObjectionShown(BaseModel):
    """An objection, and what is needed to rule it."""

    objection_id: UUID
    round: int
    raised_by: PartyShown
    suggested_owner: PartyShown
    reason_code: DeclineReason
    note: str | None
    raised_at: datetime
    review_at: datetime
    state: ObjectionState
    state_label: str
    ruled_by: str | None
    ruling_note: str | None


class ObjectionInList(ObjectionShown):
    """An objection in a list."""

    matter_id: UUID
    version: int
    summary: str
    requester_name: str


class ObjectionOfMatter(ObjectionShown):
    """An objection in an explanation."""

    offer_id: UUID
    settled_at: datetime | None


class QueueItem(BaseModel):
    """An offer in a queue. `age_seconds` is the request's, whoever was offered it before."""

    offer_id: UUID
    matter_id: UUID
    version: int
    round: int
    attempt: int
    party: PartyShown
    state: OfferState
    summary: str
    requester: RequesterRef
    category: str | None
    urgency: Urgency
    candidacy: Candidacy
    reason: str
    received_at: datetime
    offered_at: datetime
    expires_at: datetime
    age_seconds: int = Field(ge=0)
    catalogue_version: int | None
    rule_id: str | None
    lead_department: str | None
    co_departments: list[str]
    handle_days: int


class DispatchShown(BaseModel):
    """What the dispatch catalogue decided; `rule_id` is null when no rule fitted."""

    catalogue_version: int | None
    rule_id: str | None
    category: str | None
    lead_department: str | None
    co_departments: list[str]
    urgency: Urgency
    difficulty: Difficulty
    accept_hours: float = Field(description="working hours")
    handle_days: int = Field(description="working days")


class CandidateShown(BaseModel):
    """Somebody who was looked at, and why they were or were not taken; `until` ends an absence."""

    party: PartyShown
    candidacy: Candidacy
    taken: bool
    verdict: Verdict
    why: str
    until: datetime | None


class OfferShown(BaseModel):
    """An offer with its end."""

    offer_id: UUID
    party: PartyShown
    candidacy: Candidacy
    state: OfferState
    state_label: str
    offered_at: datetime
    expires_at: datetime
    calendar_version: str
    ended_at: datetime | None
    reason: str | None
    suggested_owner: str | None
    note: str | None


class DecisionShown(BaseModel):
    """One choice: what made routing choose, by which rule, who was looked at, who was offered it."""

    round: int
    attempt: int
    at: datetime
    cause: Cause
    cause_label: str
    catalogue_version: int | None
    rule_id: str | None
    why: str
    candidates: list[CandidateShown]
    offer: OfferShown


class Explanation(BaseModel):
    """Why a matter went where it went, first to last."""

    request_id: UUID
    matter_id: UUID
    version: int
    round: int
    standing: str
    looked_at_next: datetime | None
    catalogue_version: int | None
    rule_id: str | None
    dispatch: DispatchShown
    holder: OfferShown | None
    decisions: list[DecisionShown]
    objections: list[ObjectionOfMatter]
