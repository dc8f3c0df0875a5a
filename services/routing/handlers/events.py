"""Maps each fact of the rules to its published event."""

from datetime import datetime
from functools import lru_cache
from uuid import UUID

from services.routing.domain import facts
from services.routing.domain.decision import Emitted
from services.routing.domain.dispatching import Dispatched
from services.routing.domain.matter import Matter
from services.routing.domain.moment import Acting
from services.routing.domain.parties import Party
from services.routing.handlers import wording
from shared.contracts.events import assignments
from shared.contracts.events.assignments import Dispatch, PartyRef
from shared.contracts.events.event import Actor, MatterEvent
from shared.contracts.vocabulary import PendingReason
from shared.delivery.outbox.recording import Outgoing


def outgoing(
    emitted: Emitted, now: datetime, causation_id: UUID | None, traceparent: str | None
) -> Outgoing:
    """Return the event to record, at the matter's version."""
    matter = emitted.matter
    return Outgoing(matter.id, matter.version, event_of(emitted), now, causation_id, traceparent)


def event_of(emitted: Emitted) -> MatterEvent:
    """Return the published event of a fact."""
    actor, fact = actor_of(emitted.by), emitted.fact
    match fact:
        case facts.Offered():
            return _offer_made(actor, fact, emitted.matter)
        case facts.Accepted() | facts.Declined() | facts.TimedOut() | facts.Rescinded():
            return _offer_ended(actor, fact)
        case facts.Objected():
            return _objection_raised(actor, fact)
        case facts.ReviewAwaited(objection=objection):
            return assignments.DispatchWaiting(
                actor=actor,
                matter_id=objection.matter_id,
                round=objection.round,
                pending_reason=PendingReason.OBJECTION_REVIEW,
                review_at=objection.review_at,
                dispatch=dispatch_of(emitted.matter.dispatched, emitted.matter.park),
            )
        case facts.Ruled(objection=objection):
            return assignments.ObjectionRuled(
                actor=actor,
                matter_id=objection.matter_id,
                objection_id=objection.id,
                round=objection.round,
                ruling=fact.ruling,
                note=fact.note,
            )
        case facts.OfferMoved():
            return _offer_rescheduled(actor, fact)
        case facts.ReviewMoved():
            return _objection_rescheduled(actor, fact)


def _offer_made(actor: Actor, fact: facts.Offered, matter: Matter) -> assignments.OfferMade:
    offer, dispatched = fact.offer, matter.dispatched
    return assignments.OfferMade(
        actor=actor,
        matter_id=offer.matter_id,
        offer_id=offer.id,
        round=offer.round,
        attempt=offer.attempt,
        party=party_ref(offer.party),
        candidacy=offer.candidacy,
        why=wording.why(fact.considered, dispatched.catalogue_version, dispatched.rule_id, "zh"),
        offered_at=fact.offered_at,
        expires_at=offer.expires_at,
        calendar_version=fact.calendar_version,
        dispatch=dispatch_of(dispatched, matter.park),
    )


def _offer_ended(
    actor: Actor, fact: facts.Accepted | facts.Declined | facts.TimedOut | facts.Rescinded
) -> MatterEvent:
    matter_id, offer_id = fact.offer.matter_id, fact.offer.id
    round_, party = fact.offer.round, party_ref(fact.offer.party)
    match fact:
        case facts.Accepted():
            return assignments.OfferAccepted(
                actor=actor, matter_id=matter_id, offer_id=offer_id, round=round_, party=party
            )
        case facts.Declined():
            return assignments.OfferDeclined(
                actor=actor,
                matter_id=matter_id,
                offer_id=offer_id,
                round=round_,
                party=party,
                reason_code=fact.reason_code,
                suggested_owner=fact.suggested_owner,
                note=fact.note,
            )
        case facts.TimedOut(offer=offer):
            return assignments.OfferTimedOut(
                actor=actor,
                matter_id=matter_id,
                offer_id=offer_id,
                round=round_,
                party=party,
                expired_at=offer.expires_at,
            )
        case facts.Rescinded():
            return assignments.OfferRescinded(
                actor=actor,
                matter_id=matter_id,
                offer_id=offer_id,
                round=round_,
                party=party,
                reason=fact.reason,
            )


def _objection_raised(actor: Actor, fact: facts.Objected) -> assignments.ObjectionRaised:
    objection = fact.objection
    return assignments.ObjectionRaised(
        actor=actor,
        matter_id=objection.matter_id,
        objection_id=objection.id,
        offer_id=objection.offer_id,
        round=objection.round,
        raised_by=party_ref(objection.raised_by),
        suggested_owner=objection.suggested_owner,
        reason_code=objection.reason_code,
        note=objection.note,
        review_at=objection.review_at,
    )


def _offer_rescheduled(actor: Actor, fact: facts.OfferMoved) -> assignments.OfferRescheduled:
    offer = fact.offer
    return assignments.OfferRescheduled(
        actor=actor,
        matter_id=offer.matter_id,
        offer_id=offer.id,
        round=offer.round,
        party=party_ref(offer.party),
        old_expires_at=fact.old_expires_at,
        expires_at=offer.expires_at,
        calendar_version=fact.calendar_version,
        cause=fact.cause,
    )


def _objection_rescheduled(
    actor: Actor, fact: facts.ReviewMoved
) -> assignments.ObjectionRescheduled:
    objection = fact.objection
    return assignments.ObjectionRescheduled(
        actor=actor,
        matter_id=objection.matter_id,
        objection_id=objection.id,
        offer_id=objection.offer_id,
        round=objection.round,
        old_review_at=fact.old_review_at,
        review_at=objection.review_at,
        calendar_version=fact.calendar_version,
        cause=fact.cause,
    )


@lru_cache(maxsize=4096)
def actor_of(acting: Acting) -> Actor:
    """Return the actor for an event."""
    return Actor(role=acting.role, party=acting.party)


@lru_cache(maxsize=4096)
def party_ref(party: Party) -> PartyRef:
    """Return a party for an event."""
    return PartyRef(id=party.id, kind=party.kind, name=party.name)


@lru_cache(maxsize=4096)
def dispatch_of(dispatched: Dispatched, park: str | None) -> Dispatch:
    """Return a catalogue's decision for an event."""
    return Dispatch(
        catalogue_version=dispatched.catalogue_version,
        rule_id=dispatched.rule_id,
        category=dispatched.category,
        lead_department=dispatched.lead_department,
        co_departments=dispatched.co_departments,
        urgency=dispatched.urgency,
        difficulty=dispatched.difficulty,
        accept_hours=dispatched.accept_minutes / 60,
        handle_days=dispatched.handle_days,
        park=park,
    )
