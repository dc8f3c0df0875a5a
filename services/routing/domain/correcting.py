"""Corrects a case by its offers and by followup's state of the matter."""

from dataclasses import replace

from services.routing.domain.decision import Changed, Placing
from services.routing.domain.holding import answered, end_routing, held_by, without_holder
from services.routing.domain.matter import Case, Cause, RoutingState
from services.routing.domain.moment import Moment
from services.routing.domain.rounds import RESCINDED_BY
from shared.contracts.vocabulary import MatterState, OfferState


def correct(case: Case, state: MatterState, moment: Moment) -> Changed:
    """Make the party of the round's latest accepted or open offer the holder; without one, choose the next as usual.

    An ended matter has no holder. An acceptance is ignored when followup knows of it and still waits for dispatch.
    """
    reason = RESCINDED_BY.get(state)
    if reason is not None:
        return end_routing(case, reason, moment.by)
    last = case.offers[-1] if case.offers else None
    if last is not None and last.state is OfferState.OFFERED:
        offered = replace(case.matter, standing=RoutingState.OFFERED, offer_id=last.id)
        return Changed(replace(case, matter=offered))
    if case.open_objection is not None:
        return Changed(without_holder(case))
    counts = state is not MatterState.AWAITING_DISPATCH
    if counts and last is not None and last.state is OfferState.ACCEPTED:
        return Changed(held_by(case, last))
    return _place_anew(case)


def _place_anew(case: Case) -> Changed:
    holding = case.holding
    ended = None if holding is None else replace(holding, holding=False)
    begins = not case.offers and case.matter.round > 1
    placing = Placing(
        Cause.REOPENED if begins else Cause.UNMERGED,
        decide_anew=not case.offers,
        returning=case.matter.owner_id if begins else None,
        answered=answered(case.offers, case.matter.round),
    )
    return Changed(without_holder(case, ended), placing=placing)
