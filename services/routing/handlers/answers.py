"""Accepts and declines offers: one command, one transaction."""

from dataclasses import dataclass, replace
from datetime import datetime

from services.routing.domain import answers
from services.routing.domain.answers import (
    Accepted,
    Acting,
    Declination,
    NotOpen,
    NotYours,
    Objected,
    ObjectionSpent,
    PassedOn,
    SuggestsItself,
)
from services.routing.domain.choice import Verdict
from services.routing.domain.dispatching import acted_on_at, review_by
from services.routing.domain.matter import (
    Case,
    Cause,
    Objection,
    ObjectionState,
    Offer,
    RoutingState,
)
from services.routing.handlers.changes import Change, Placing, dispatch_of, party_ref
from services.routing.handlers.office import Office
from services.routing.handlers.outcomes import (
    Done,
    NoSuchOwner,
    NotFound,
    Outcome,
    Refused,
    VersionConflict,
    actor_of,
)
from services.routing.handlers.persisting import load_cases, place_and_persist
from services.routing.store import matters, town
from shared.contracts.assignments import (
    DispatchWaiting,
    ObjectionRaised,
    OfferAccepted,
    OfferDeclined,
)
from shared.contracts.event import Actor
from shared.contracts.vocabulary import OfferState, PendingReason
from shared.runtime.database import Connection
from shared.runtime.ids import new_id


@dataclass(frozen=True, slots=True)
class Answering:
    """Which offer is answered, by whom, and at which versions of the matter (None: at any)."""

    offer_id: str
    acting: Acting
    versions: frozenset[int] | None = None
    traceparent: str | None = None


async def accept_offer(
    conn: Connection, office: Office, answering: Answering, now: datetime
) -> Outcome:
    """The party takes the matter and owns it from now on (签收)."""
    found = await _case_of_offer(conn, answering)
    if not isinstance(found, tuple):
        return found
    case, offer = found
    decision = answers.accept(_until_acted_on(offer, case, office), answering.acting, now)
    if not isinstance(decision, Accepted):
        return Refused(decision, case, offer)
    change = Change(case.matter, traceparent=answering.traceparent)
    change.end_offer(offer, OfferState.ACCEPTED)
    change.mark_accepted(offer)
    change.events.append(
        OfferAccepted(
            actor=actor_of(answering.acting),
            matter_id=offer.matter_id,
            offer_id=offer.id,
            round=offer.round,
            party=party_ref(offer.party),
        )
    )
    await place_and_persist(conn, office, [change], now)
    return Done(change, offer)


async def decline_offer(
    conn: Connection,
    office: Office,
    answering: Answering,
    declination: Declination,
    now: datetime,
) -> Outcome:
    """The party sends the offer back (退单): to the next candidate, or for a ruling when it names a better owner."""
    found = await _case_of_offer(conn, answering)
    if not isinstance(found, tuple):
        return found
    case, offer = found
    standing = _until_acted_on(offer, case, office)
    decision = answers.decline(standing, answering.acting, declination, case.objections, now)
    match decision:
        case PassedOn():
            change = _sent_back(case, offer, answering.acting, declination)
            change.placing = _next(Cause.DECLINED, case, offer)
            objection = None
        case Objected(suggested_owner=owner):
            if not await town.load_parties(conn, [owner]):
                return Refused(NoSuchOwner(), case, offer)
            change = _sent_back(case, offer, answering.acting, declination)
            objection = _object(change, office, offer, declination, now)
        case NotYours() | NotOpen() | ObjectionSpent() | SuggestsItself():
            return Refused(decision, case, offer)
    change.traceparent = answering.traceparent
    await place_and_persist(conn, office, [change], now)
    return Done(change, offer, objection)


def _until_acted_on(offer: Offer, case: Case, office: Office) -> Offer:
    """The offer with the moment at which the sweep ends it: on a day off it can still be answered."""
    urgency = case.matter.dispatched.urgency
    return replace(offer, expires_at=acted_on_at(offer.expires_at, urgency, office.calendar))


async def _case_of_offer(
    conn: Connection, answering: Answering
) -> tuple[Case, Offer] | NotFound | VersionConflict:
    matter_id = await matters.find_matter_of_offer(conn, answering.offer_id)
    if matter_id is None:
        return NotFound()
    case = (await load_cases(conn, [matter_id], answering.offer_id))[matter_id]
    offer = next(found for found in case.offers if found.id == answering.offer_id)
    # Who may not answer learns nothing of the matter's version.
    expected, version = answering.versions, case.matter.version
    if answers.may_answer(offer, answering.acting) and (
        expected is not None and version not in expected
    ):
        return VersionConflict(version)
    return case, offer


def _sent_back(case: Case, offer: Offer, acting: Acting, declination: Declination) -> Change:
    change = Change(case.matter)
    change.end_offer(
        offer,
        OfferState.DECLINED,
        reason=declination.reason_code,
        suggested_owner=declination.suggested_owner,
        note=declination.note,
    )
    change.events.append(
        OfferDeclined(
            actor=actor_of(acting),
            matter_id=offer.matter_id,
            offer_id=offer.id,
            round=offer.round,
            party=party_ref(offer.party),
            reason_code=declination.reason_code,
            suggested_owner=declination.suggested_owner,
            note=declination.note,
        )
    )
    return change


def _next(cause: Cause, case: Case, offer: Offer) -> Placing:
    earlier = answers.answered(case.offers, case.matter.round)
    return Placing(cause, answered=earlier | {offer.party.id: Verdict.DECLINED})


def _object(
    change: Change, office: Office, offer: Offer, declination: Declination, now: datetime
) -> Objection:
    """Add the objection and the waiting for its ruling to the change."""
    objection = Objection(
        id=new_id(),
        matter_id=offer.matter_id,
        offer_id=offer.id,
        round=offer.round,
        raised_by=offer.party,
        suggested_owner=declination.suggested_owner or "",
        reason_code=declination.reason_code,
        note=declination.note,
        review_at=review_by(now, office.calendar, office.limits),
        state=ObjectionState.OPEN,
    )
    change.objections.append(objection)
    actor = change.events[-1].actor
    change.events += [
        _raised(actor, objection),
        DispatchWaiting(
            actor=actor,
            matter_id=objection.matter_id,
            round=objection.round,
            pending_reason=PendingReason.OBJECTION_REVIEW,
            review_at=objection.review_at,
            dispatch=dispatch_of(change.dispatched, change.park),
        ),
    ]
    change.stand(RoutingState.WAITING, objection.review_at)
    return objection


def _raised(actor: Actor, objection: Objection) -> ObjectionRaised:
    return ObjectionRaised(
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
