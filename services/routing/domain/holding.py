"""Who holds a matter: the case with an offer ended, an acceptance released or restored, an objection closed."""

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
    """The case with its offer of that id replaced; the others stay the same values."""
    offers = tuple(offer if one.id == offer.id else one for one in case.offers)
    return replace(case, offers=offers)


def with_objection(case: Case, objection: Objection) -> Case:
    """The case with its objection of that id replaced; the others stay the same values."""
    objections = tuple(objection if one.id == objection.id else one for one in case.objections)
    return replace(case, objections=objections)


def without_holder(case: Case, ended: Offer | None = None) -> Case:
    """The case as it waits for somebody, with an offer that has `ended`."""
    matter = replace(case.matter, standing=RoutingState.WAITING, offer_id=None)
    waiting = replace(case, matter=matter)
    return waiting if ended is None else with_offer(waiting, ended)


def held_by(case: Case, accepted: Offer) -> Case:
    """The case with the party of an accepted offer as its owner, counted against the party's capacity."""
    matter = replace(
        case.matter,
        standing=RoutingState.TAKEN,
        offer_id=accepted.id,
        owner_id=accepted.party.id,
    )
    holding = replace(accepted, state=OfferState.ACCEPTED, holding=True)
    return with_offer(replace(case, matter=matter), holding)


def rescind(case: Case, offer: Offer, reason: RescindReason, by: Acting) -> Changed:
    """The open offer is taken back; nobody has the matter."""
    ended = replace(offer, state=OfferState.RESCINDED, holding=False, reason=reason)
    return emit(without_holder(case, ended), Rescinded(ended, reason), by)


def let_go(case: Case, reason: RescindReason, by: Acting) -> Changed:
    """Whoever holds the matter holds it no longer, and an objection that waits has lost its matter.

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
    """Nobody has the matter any more, and nobody is to be found for it."""
    freed = let_go(case, reason, by)
    matter = replace(freed.matter, standing=RoutingState.ENDED)
    return replace(freed, case=replace(freed.case, matter=matter))


def answered(offers: Iterable[Offer], round_: int) -> dict[str, Verdict]:
    """Who is out of the round: those who declined and those who let time run out."""
    return {
        offer.party.id: _OUT[offer.state]
        for offer in offers
        if offer.round == round_ and offer.state in _OUT
    }
