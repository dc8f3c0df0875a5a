"""Brings a case to its next offer: asks the catalogue, chooses a party, makes the offer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.routing.domain.choice import Choice, Need, choose_each
from services.routing.domain.decision import Changed, Placing, emit_on
from services.routing.domain.dispatching import Dispatched, Facts, accept_by
from services.routing.domain.facts import Offered
from services.routing.domain.matter import Case, Matter, Offer, RoutedRequest, RoutingState
from services.routing.domain.moment import Moment
from services.routing.domain.parties import NO_TIES, Enterprise, Town
from shared.contracts.vocabulary import OfferState, RequesterKind, Urgency


@dataclass(frozen=True, slots=True)
class Wanted:
    """A step that needs an offer, its input to the choice, and the new offer's id."""

    changed: Changed
    need: Need
    offer_id: str


def uscc_of(matter: Matter) -> str | None:
    """Return the requesting enterprise's code; None for other requesters."""
    is_enterprise = matter.asked.requester_kind is RequesterKind.ENTERPRISE
    return matter.asked.requester_id if is_enterprise else None


def placing_of(changed: Changed) -> Placing:
    """Return why a step needs an offer. Raises ValueError when it needs none."""
    if changed.placing is None:
        raise ValueError(f"nobody is to be found for {changed.matter.id}")
    return changed.placing


def catalogue_facts(asked: RoutedRequest, enterprise: Enterprise | None) -> Facts:
    """Return the facts for the catalogue; words only when the request names no category."""
    park = enterprise.park if enterprise else None
    tier = enterprise.tier if enterprise else None
    words = "" if asked.category else f"{asked.summary}\n{asked.detail}"
    return Facts(asked.category, asked.kind, asked.urgency, park, tier, words)


def with_dispatch(
    changed: Changed, dispatched: Dispatched, enterprise: Enterprise | None
) -> Changed:
    """Return the step with the catalogue's new decision, and the enterprise facts behind it."""
    matter = replace(
        changed.matter,
        dispatched=dispatched,
        park=enterprise.park if enterprise else None,
        tier=enterprise.tier if enterprise else None,
    )
    case = Case(matter, changed.case.offers, changed.case.objections)
    return Changed(case, changed.emitted, changed.placing)


def need_of(changed: Changed, enterprise: Enterprise | None, town: Town) -> Need:
    """Return the step's input to the choice."""
    placing = placing_of(changed)
    # A desk that had the round before is no one person who knows the firm; a liaison is.
    returning = placing.returning if placing.returning in town.liaisons else None
    return Need(
        ties=enterprise.ties if enterprise else NO_TIES,
        lead_department=changed.matter.dispatched.lead_department,
        ruled=placing.ruled,
        returning=returning,
        answered=placing.answered,
    )


def place_each(
    wanted: Sequence[Wanted], town: Town, load: Mapping[str, int], moment: Moment
) -> list[Changed]:
    """Return each step, in order, with the offer that it needed.

    `load` counts the matters that each liaison holds; what one is offered counts for those after it.
    """
    expiries: dict[tuple[int, bool], datetime] = {}
    placed = []
    choices = choose_each([each.need for each in wanted], town, load)
    for each, choice in zip(wanted, choices, strict=True):
        dispatched = each.changed.matter.dispatched
        key = (dispatched.accept_minutes, dispatched.urgency is Urgency.EMERGENCY)
        if key not in expiries:
            expiries[key] = accept_by(dispatched, moment.at, moment.calendar)
        placed.append(_offer(each, choice, expiries[key], moment))
    return placed


def _offer(wanted: Wanted, choice: Choice, expires_at: datetime, moment: Moment) -> Changed:
    changed, matter = wanted.changed, wanted.changed.matter
    made = Offer(
        id=wanted.offer_id,
        matter_id=matter.id,
        round=matter.round,
        attempt=matter.attempt + 1,
        party=choice.party,
        candidacy=choice.candidacy,
        state=OfferState.OFFERED,
        holding=True,
        expires_at=expires_at,
    )
    offered = replace(
        matter,
        version=matter.version + 1,
        standing=RoutingState.OFFERED,
        attempt=made.attempt,
        offer_id=made.id,
    )
    case = Case(offered, (*changed.case.offers, made), changed.case.objections)
    cause = placing_of(changed).cause
    fact = Offered(made, cause, choice.considered, moment.at, moment.calendar.version)
    return emit_on(case, fact, moment.by, changed.emitted)
