"""Recomputes the limit of an open offer or objection."""

from dataclasses import replace

from services.routing.domain.decision import Changed, Unmoved, emit
from services.routing.domain.dispatching import accept_by, review_by
from services.routing.domain.facts import OfferMoved, ReviewMoved
from services.routing.domain.holding import with_objection, with_offer
from services.routing.domain.matter import Case, Objection, Offer, RoutingState
from services.routing.domain.moment import Moment
from shared.contracts.vocabulary import OfferState, RescheduleCause


def reschedule(case: Case, cause: RescheduleCause, moment: Moment) -> Changed | Unmoved:
    """Recompute the limit by the present calendar; no change when it is equal or would be past."""
    if case.matter.standing is RoutingState.OFFERED:
        offer = case.holding
        return _offer(case, offer, cause, moment) if offer else Unmoved("nothing is offered")
    objection = case.open_objection
    return _review(case, objection, cause, moment) if objection else Unmoved("no limit runs")


def _offer(case: Case, offer: Offer, cause: RescheduleCause, moment: Moment) -> Changed | Unmoved:
    if offer.state is not OfferState.OFFERED or offer.offered_at is None:
        return Unmoved("nothing is offered")
    expires_at = accept_by(case.matter.dispatched, offer.offered_at, moment.calendar)
    if expires_at <= moment.at or expires_at == offer.expires_at:
        return Unmoved("its limit stays")
    moved = replace(offer, expires_at=expires_at)
    fact = OfferMoved(moved, offer.expires_at, moment.calendar.version, cause)
    return emit(with_offer(case, moved), fact, moment.by)


def _review(
    case: Case, objection: Objection, cause: RescheduleCause, moment: Moment
) -> Changed | Unmoved:
    if objection.raised_at is None:
        return Unmoved("its beginning is not known")
    review_at = review_by(objection.raised_at, moment.calendar, moment.limits)
    if review_at <= moment.at or review_at == objection.review_at:
        return Unmoved("its limit stays")
    moved = replace(objection, review_at=review_at)
    fact = ReviewMoved(moved, objection.review_at, moment.calendar.version, cause)
    return emit(with_objection(case, moved), fact, moment.by)
