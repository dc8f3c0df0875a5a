"""One matter's change in one transaction: what ends, what is said and whether somebody new must be found."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

from services.routing.domain.choice import Verdict
from services.routing.domain.dispatching import Dispatched
from services.routing.domain.matter import (
    Case,
    Cause,
    Matter,
    Objection,
    ObjectionState,
    Offer,
    RoutingState,
)
from services.routing.domain.parties import Party
from services.routing.store.feed import QueueEntry
from services.routing.store.offers import NewOffer, OfferEnd, Settlement
from shared.contracts.assignments import Dispatch, OfferRescinded, PartyRef
from shared.contracts.event import Actor, Event
from shared.contracts.vocabulary import OfferState, RescindReason, Role, Tier

ROUTING: Final = Actor(role=Role.SYSTEM, party="urn:liaison:routing")
CLOCK: Final = Actor(role=Role.CLOCK, party="urn:liaison:routing")


@dataclass(frozen=True, slots=True)
class Placing:
    """Somebody must be found: why, and what this brings to the choice.

    `decide_anew` asks the catalogue again, as at the beginning of each round.
    """

    cause: Cause
    decide_anew: bool = False
    ruled: str | None = None
    returning: str | None = None
    answered: Mapping[str, Verdict] | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What the catalogue decided anew, and the facts of the enterprise that it looked at."""

    dispatched: Dispatched
    park: str | None
    tier: Tier | None


@dataclass(slots=True)
class Change:
    """What is written for one matter. `events` are in the order in which they are told; an offer comes last.

    `matter` is as it was until `finish` makes it what it is afterwards.
    """

    matter: Matter
    is_new: bool = False
    decided: Decided | None = None
    due_at: datetime | None = None
    placing: Placing | None = None
    made: NewOffer | None = None
    ends: list[OfferEnd] = field(default_factory=list)
    entries: list[QueueEntry] = field(default_factory=list)
    objections: list[Objection] = field(default_factory=list)
    settlements: list[Settlement] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    causation_id: UUID | None = None
    traceparent: str | None = None

    def end_offer(self, offer: Offer, state: OfferState, **details: str | None) -> None:
        """The open offer ends in `state`; accepted, its party goes on holding the matter."""
        accepted = state is OfferState.ACCEPTED
        self.ends.append(OfferEnd(offer.id, OfferState.OFFERED, state, accepted, **details))
        self.entries.append(
            QueueEntry(offer.party.id, offer.id, "ended", 0 if accepted else -1, state)
        )

    def hold_accepted(self, offer: Offer, holding: bool) -> None:
        """An accepted offer counts against its party's capacity from now on, or no longer."""
        self.ends.append(OfferEnd(offer.id, OfferState.ACCEPTED, OfferState.ACCEPTED, holding))
        self.entries.append(QueueEntry(offer.party.id, offer.id, None, 1 if holding else -1))

    def rescind(self, offer: Offer, reason: RescindReason, actor: Actor) -> None:
        """The open offer is taken back, and that is said."""
        self.end_offer(offer, OfferState.RESCINDED, reason=reason)
        self.events.append(
            OfferRescinded(
                actor=actor,
                matter_id=offer.matter_id,
                offer_id=offer.id,
                round=offer.round,
                party=party_ref(offer.party),
                reason=reason,
            )
        )

    def let_go(self, case: Case, reason: RescindReason, actor: Actor) -> None:
        """Whoever holds the matter holds it no longer, and an objection that waits has lost its matter."""
        holding = case.holding
        if holding is not None and holding.state is OfferState.OFFERED:
            self.rescind(holding, reason, actor)
        elif holding is not None:
            self.hold_accepted(holding, False)
        if case.open_objection is not None:
            self.settlements.append(Settlement(case.open_objection.id, ObjectionState.MOOT))

    def stand(self, standing: RoutingState, due_at: datetime | None = None) -> None:
        """Where the matter stands when nobody is to be found."""
        kept = standing in (RoutingState.OFFERED, RoutingState.TAKEN)
        self.matter = replace(
            self.matter, standing=standing, offer_id=self.matter.offer_id if kept else None
        )
        self.due_at = due_at

    def mark_accepted(self, offer: Offer) -> None:
        """The party of an accepted offer has the matter."""
        self.matter = replace(
            self.matter, standing=RoutingState.TAKEN, offer_id=offer.id, owner_id=offer.party.id
        )
        self.due_at = None

    def begin_round(self, number: int) -> None:
        """Another round, whose offers are counted from 1."""
        self.matter = replace(self.matter, round=number, attempt=0, offer_id=None)

    @property
    def dispatched(self) -> Dispatched:
        """The catalogue's decision that holds after the change."""
        return self.matter.dispatched if self.decided is None else self.decided.dispatched

    @property
    def park(self) -> str | None:
        """The enterprise's park as that decision saw it."""
        return self.matter.park if self.decided is None else self.decided.park

    def finish(self) -> None:
        """Bring the matter up to what was decided, offered and said of it."""
        matter, made = self.matter, self.made
        self.matter = Matter(
            id=matter.id,
            round=matter.round,
            attempt=matter.attempt if made is None else made.offer.attempt,
            version=matter.version + len(self.events),
            standing=matter.standing if made is None else RoutingState.OFFERED,
            offer_id=matter.offer_id if made is None else made.offer.id,
            owner_id=matter.owner_id,
            asked=matter.asked,
            dispatched=self.dispatched,
            park=self.park,
            tier=matter.tier if self.decided is None else self.decided.tier,
        )


@lru_cache(maxsize=4096)
def party_ref(party: Party) -> PartyRef:
    """A party as events name it."""
    return PartyRef(id=party.id, kind=party.kind, name=party.name)


@lru_cache(maxsize=4096)
def dispatch_of(dispatched: Dispatched, park: str | None) -> Dispatch:
    """A catalogue's decision as events quote it."""
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
