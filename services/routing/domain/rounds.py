"""Beginning and end of routing for a matter: registered, reopened, ended, unmerged."""

from dataclasses import dataclass, replace
from typing import Final

from services.routing.domain.decision import Changed, Placing, Unmoved
from services.routing.domain.dispatching import Facts, dispatch
from services.routing.domain.holding import end_routing, held_by, let_go
from services.routing.domain.matter import Case, Cause, Matter, RoutedRequest, RoutingState
from services.routing.domain.moment import Moment
from services.routing.domain.parties import Party
from shared.contracts.vocabulary import MatterState, OfferState, PartyKind, RescindReason

RESCINDED_BY: Final = {
    MatterState.HANDLED: RescindReason.CLOSED,
    MatterState.CLOSED: RescindReason.CLOSED,
    MatterState.REJECTED: RescindReason.CLOSED,
    MatterState.WITHDRAWN: RescindReason.WITHDRAWN,
    MatterState.MERGED: RescindReason.MERGED,
}
"""The states in which nobody holds an offer, and why one is taken back there."""


@dataclass(frozen=True, slots=True)
class Reopening:
    """A new round, and the last owner as far as followup knows."""

    round: int
    last_owner: Party | None = None


def register(matter_id: str, asked: RoutedRequest, moment: Moment) -> Changed:
    """Create a matter of version 0, which needs an offer by the catalogue."""
    undecided = dispatch(Facts(None, asked.kind, asked.urgency), None, None, moment.limits)
    matter = Matter(
        id=matter_id,
        round=1,
        attempt=0,
        version=0,
        standing=RoutingState.WAITING,
        offer_id=None,
        owner_id=None,
        asked=asked,
        dispatched=undecided,
    )
    return Changed(Case(matter), placing=Placing(Cause.REGISTERED, decide_anew=True))


def reopen(case: Case, step: Reopening, moment: Moment) -> Changed | Unmoved:
    """Begin another round, with offers counted from 1; the last owner is the first candidate."""
    if step.round <= case.matter.round:
        return Unmoved("the round has begun already")
    freed = let_go(case, RescindReason.REDIRECTED, moment.by)
    last = step.last_owner
    returning = case.matter.owner_id if last is None else last.id
    if last is not None and last.kind is not PartyKind.LIAISON:
        returning = None
    matter = replace(freed.matter, round=step.round, attempt=0)
    placing = Placing(Cause.REOPENED, decide_anew=True, returning=returning)
    return replace(freed, case=replace(freed.case, matter=matter), placing=placing)


def end(case: Case, reason: RescindReason, moment: Moment) -> Changed | Unmoved:
    """End routing of the matter: rescind an open offer and release the holder's capacity."""
    if case.matter.standing is RoutingState.ENDED:
        return Unmoved("it has ended already")
    return end_routing(case, reason, moment.by)


def restore(case: Case, state: MatterState) -> Changed | Unmoved:
    """After an unmerging that left the matter in `state`: restore the accepted offer; without one, make a new offer.

    An acceptance that followup had not heard of by the merge counts for nothing there, so that it does not here.
    """
    if case.matter.standing is not RoutingState.ENDED:
        return Unmoved("it is routed already")
    if state in RESCINDED_BY:
        return Unmoved("it has ended all the same")
    last = case.offers[-1] if case.offers else None
    counts = state is not MatterState.AWAITING_DISPATCH
    if counts and last is not None and last.state is OfferState.ACCEPTED:
        return Changed(held_by(case, last))
    return Changed(case, placing=Placing(Cause.UNMERGED))
