"""Rules of answers to an offer (accept, decline) and of a coordinator's ruling."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from services.routing.domain.decision import (
    AlreadySettled,
    Changed,
    NoSuchOwner,
    NotOpen,
    NotYours,
    ObjectionSpent,
    Placing,
    Refused,
    SuggestsItself,
    Why,
    emit,
)
from services.routing.domain.dispatching import acted_on_at, review_by
from services.routing.domain.facts import Accepted, Declined, Objected, ReviewAwaited, Ruled
from services.routing.domain.holding import (
    answered,
    held_by,
    with_objection,
    without_holder,
)
from services.routing.domain.matter import Case, Cause, Objection, ObjectionState, Offer
from services.routing.domain.moment import Acting, Moment
from shared.contracts.vocabulary import DeclineReason, OfferState, PartyKind, Role, Ruling


@dataclass(frozen=True, slots=True)
class Declination:
    """The reason of a decline, and the suggested better owner."""

    reason_code: DeclineReason
    suggested_owner: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Accept:
    """An acceptance of an offer."""

    offer_id: str


@dataclass(frozen=True, slots=True)
class Decline:
    """A decline of an offer with its reason. A resulting objection gets `objection_id`.

    `owner_known`: the suggested owner, where one is named, is a party of the town.
    """

    offer_id: str
    declination: Declination
    objection_id: str
    owner_known: bool = True


@dataclass(frozen=True, slots=True)
class RuleObjection:
    """A coordinator's ruling on an objection."""

    objection_id: str
    ruling: Ruling
    note: str | None = None


def accept(case: Case, step: Accept, moment: Moment) -> Changed | Refused:
    """Accept an offer: the party becomes the owner (签收)."""
    offer = case.offer(step.offer_id)
    if why := _not_answerable(case, offer, moment):
        return Refused(why, case, offer)
    after = held_by(case, offer)
    return emit(after, Accepted(after.offer(offer.id)), moment.by)


def decline(case: Case, step: Decline, moment: Moment) -> Changed | Refused:
    """Decline an offer (退单): the next candidate gets one, or a named better owner leads to a ruling."""
    offer = case.offer(step.offer_id)
    if why := _not_answerable(case, offer, moment) or _not_declinable(case, offer, step):
        return Refused(why, case, offer)
    given = step.declination
    ended = replace(
        offer,
        state=OfferState.DECLINED,
        holding=False,
        reason=given.reason_code,
        suggested_owner=given.suggested_owner,
        note=given.note,
    )
    fact = Declined(ended, given.reason_code, given.suggested_owner, given.note)
    declined = emit(without_holder(case, ended), fact, moment.by)
    if given.suggested_owner is not None:
        return _object(declined, ended, given.suggested_owner, step, moment)
    out = answered(declined.case.offers, declined.matter.round)
    return replace(declined, placing=Placing(Cause.DECLINED, answered=out))


def _object(
    declined: Changed, offer: Offer, suggested_owner: str, step: Decline, moment: Moment
) -> Changed:
    """Raise an objection; the matter waits for its ruling, one review at most."""
    objection = Objection(
        id=step.objection_id,
        matter_id=offer.matter_id,
        offer_id=offer.id,
        round=offer.round,
        raised_by=offer.party,
        suggested_owner=suggested_owner,
        reason_code=step.declination.reason_code,
        note=step.declination.note,
        review_at=review_by(moment.at, moment.calendar, moment.limits),
        state=ObjectionState.OPEN,
    )
    objections = (*declined.case.objections, objection)
    waiting = replace(declined.case, objections=objections)
    raised = emit(waiting, Objected(objection), moment.by, declined.emitted)
    return emit(raised.case, ReviewAwaited(objection), moment.by, raised.emitted)


def _not_answerable(case: Case, offer: Offer, moment: Moment) -> Why | None:
    """Return why the actor cannot answer the offer now. On a day off an ended offer can be, until the sweep ends it."""
    if not may_answer(offer, moment.by):
        return NotYours()
    if offer.state is not OfferState.OFFERED:
        return NotOpen(offer.state)
    urgency = case.matter.dispatched.urgency
    ends_at = acted_on_at(offer.expires_at, urgency, moment.calendar)
    return NotOpen(OfferState.TIMED_OUT) if ends_at <= moment.at else None


def _not_declinable(case: Case, offer: Offer, step: Decline) -> Why | None:
    suggested = step.declination.suggested_owner
    if suggested is None:
        return None
    if suggested == offer.party.id:
        return SuggestsItself()
    if _has_objected(case.objections, offer):
        return ObjectionSpent()
    return None if step.owner_known else NoSuchOwner()


def _has_objected(objections: Iterable[Objection], offer: Offer) -> bool:
    return any(
        objection.round == offer.round and objection.raised_by.id == offer.party.id
        for objection in objections
    )


def may_answer(offer: Offer, acting: Acting) -> bool:
    """Return whether the actor may answer: a coordinator for anybody, liaisons and desks for themselves."""
    match acting.role:
        case Role.COORDINATOR:
            return True
        case Role.LIAISON:
            return offer.party.kind is PartyKind.LIAISON and offer.party.id == acting.party
        case Role.DEPARTMENT:
            return offer.party.kind is PartyKind.DEPARTMENT and offer.party.id == acting.party
        case Role.SYSTEM | Role.OPERATOR | Role.REQUESTER | Role.CLOCK:
            return False


def rule(case: Case, step: RuleObjection, moment: Moment) -> Changed | Refused:
    """Rule on an objection, once and in time: upheld 改派 to the suggested owner, overruled 维持 back to the party."""
    objection = case.objection(step.objection_id)
    if objection.state is not ObjectionState.OPEN:
        return Refused(AlreadySettled(objection.state), case)
    if acted_on_at(objection.review_at, None, moment.calendar) <= moment.at:
        return Refused(AlreadySettled(ObjectionState.LAPSED), case)
    upheld = step.ruling is Ruling.UPHELD
    ruled = replace(
        objection,
        state=ObjectionState.UPHELD if upheld else ObjectionState.OVERRULED,
        ruled_by=moment.by.party,
        ruling_note=step.note,
    )
    changed = emit(with_objection(case, ruled), Ruled(ruled, step.ruling, step.note), moment.by)
    placing = Placing(
        Cause.UPHELD if upheld else Cause.OVERRULED,
        ruled=objection.suggested_owner if upheld else objection.raised_by.id,
        answered=answered(case.offers, case.matter.round),
    )
    return replace(changed, placing=placing)
