"""Changes the holder of a case: ends an offer, releases or restores an acceptance, closes an objection."""

from collections.abc import Iterable
from dataclasses import replace

from services.routing.domain.choice import Verdict
from services.routing.domain.decision import Changed, emit
from services.routing.domain.facts import Rescinded
from services.routing.domain.matter import Case, Objection, ObjectionState, Offer, RoutingState
from services.routing.domain.moment import Acting
from shared.contracts.vocabulary import OfferState, RescindReason

_OUT = {OfferState.DECLINED: Verdict.DECLINED, OfferState.TIMED_OUT: Verdict.TIMED_OUT}


def with_offer(case: Case, offer: Offer) -> Case:
    """Return the case with its offer of that id replaced."""
    offers = tuple(offer if one.id == offer.id else one for one in case.offers)
    return replace(case, offers=offers)


def with_objection(case: Case, objection: Objection) -> Case:
    """Return the case with its objection of that id replaced."""
    objections = tuple(objection if one.id == objection.id else one for one in case.objections)
    return replace(case, objections=objections)


def without_holder(case: Case, ended: Offer | None = None) -> Case:
    """Return the case without a holder, with an offer that has `ended`."""
    matter = replace(case.matter, standing=RoutingState.WAITING, offer_id=None)
    waiting = replace(case, matter=matter)
    return waiting if ended is None else with_offer(waiting, ended)


def held_by(case: Case, accepted: Offer) -> Case:
    """Return the case with the party of an accepted offer as its owner, counted against the party's capacity."""
    matter = replace(
        case.matter,
        standing=RoutingState.TAKEN,
        offer_id=accepted.id,
        owner_id=accepted.party.id,
    )
    holding = replace(accepted, state=OfferState.ACCEPTED, holding=True)
    return with_offer(replace(case, matter=matter), holding)


def rescind(case: Case, offer: Offer, reason: RescindReason, by: Acting) -> Changed:
    """Rescind the open offer; the case has no holder then."""
    ended = replace(offer, state=OfferState.RESCINDED, holding=False, reason=reason)
    return emit(without_holder(case, ended), Rescinded(ended, reason), by)


def let_go(case: Case, reason: RescindReason, by: Acting) -> Changed:
    """Remove the holder of the matter, and make an open objection moot.

    An open offer is rescinded, which is a fact; an acceptance counts no longer, which is none.
    """
    holding, objection = case.holding, case.open_objection
    if objection is not None:
        case = with_objection(case, replace(objection, state=ObjectionState.MOOT))
    if holding is None:
        return Changed(without_holder(case))
    if holding.state is OfferState.OFFERED:
        return rescind(case, holding, reason, by)
    return Changed(without_holder(case, replace(holding, holding=False)))


def end_routing(case: Case, reason: RescindReason, by: Acting) -> Changed:
    """End routing of the matter: no holder, and no further offer."""
    freed = let_go(case, reason, by)
    matter = replace(freed.matter, standing=RoutingState.ENDED)
    return replace(freed, case=replace(freed.case, matter=matter))


def answered(offers: Iterable[Offer], round_: int) -> dict[str, Verdict]:
    """Return the parties that are excluded in this round: they declined or timed out."""
    return {
        offer.party.id: _OUT[offer.state]
        for offer in offers
        if offer.round == round_ and offer.state in _OUT
    }
