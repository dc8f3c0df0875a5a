"""Rules of expiry: an offer times out, a review lapses, an absence begins."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from services.routing.domain.decision import Changed, Placing, Unmoved, emit
from services.routing.domain.dispatching import acted_on_at
from services.routing.domain.facts import TimedOut
from services.routing.domain.holding import answered, rescind, with_objection, without_holder
from services.routing.domain.matter import Case, Cause, ObjectionState, RoutingState
from services.routing.domain.moment import Moment
from shared.contracts.vocabulary import OfferState, RescindReason


def acts_at(case: Case, moment: Moment) -> datetime:
    """Return when an ended limit is acted on: now, or at the next opening if the limit or now is on a day off."""
    offered = case.matter.standing is RoutingState.OFFERED
    urgency = case.matter.dispatched.urgency if offered else None
    offer, objection = case.holding, case.open_objection
    limit = offer.expires_at if offer else objection.review_at if objection else moment.at
    calendar = moment.calendar
    return max(acted_on_at(limit, urgency, calendar), acted_on_at(moment.at, urgency, calendar))


def run_out(case: Case, moment: Moment) -> Changed:
    """Time out an offer, or lapse a review without a ruling; the next candidate gets an offer.

    A case of which nothing runs stays as it is. LookupError: it is offered to nobody.
    """
    match case.matter.standing:
        case RoutingState.OFFERED:
            return _time_out(case, moment)
        case RoutingState.WAITING:
            return _lapse(case)
        case RoutingState.TAKEN | RoutingState.ENDED:
            # Changed for all that: the row is written anew without its due moment, and not swept again.
            return Changed(case)


def _time_out(case: Case, moment: Moment) -> Changed:
    offer = case.holding
    if offer is None:
        raise LookupError(f"{case.matter.id} is offered to nobody")
    ended = replace(offer, state=OfferState.TIMED_OUT, holding=False)
    changed = emit(without_holder(case, ended), TimedOut(ended), moment.by)
    out = answered(changed.case.offers, case.matter.round)
    return replace(changed, placing=Placing(Cause.TIMED_OUT, answered=out))


def _lapse(case: Case) -> Changed:
    out = answered(case.offers, case.matter.round)
    if case.open_objection is not None:
        lapsed = replace(case.open_objection, state=ObjectionState.LAPSED)
        case = with_objection(case, lapsed)
    return Changed(case, placing=Placing(Cause.REVIEW_LAPSED, answered=out))


def pass_on(case: Case, away: Collection[str], moment: Moment) -> Changed | Unmoved:
    """Pass the open offer of an absent liaison to the next candidate; accepted ones stay."""
    offer = case.holding
    if offer is None or offer.state is not OfferState.OFFERED:
        return Unmoved("nothing is offered")
    if offer.party.id not in away:
        return Unmoved("it is offered to somebody who is there")
    changed = rescind(case, offer, RescindReason.LIAISON_ABSENT, moment.by)
    out = answered(case.offers, case.matter.round)
    return replace(changed, placing=Placing(Cause.LIAISON_ABSENT, answered=out))
