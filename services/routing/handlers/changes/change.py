"""Changes of one matter and the rows they write, by comparing the case before and after."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from services.routing.domain.decision import Changed
from services.routing.domain.facts import Offered
from services.routing.domain.matter import Case, Matter, Objection, Offer
from services.routing.store.feed import QueueEntry
from services.routing.store.offers import NewOffer, OfferEnd, Settlement
from shared.contracts.vocabulary import OfferState


@dataclass(frozen=True, slots=True)
class Change:
    """A decision about a matter whose row is locked; `before` is None for a new matter."""

    before: Case | None
    decision: Changed
    causation_id: UUID | None = None
    traceparent: str | None = None

    @property
    def matter(self) -> Matter:
        """The matter after the step."""
        return self.decision.matter

    @property
    def made(self) -> Offer | None:
        """The new offer; None without one."""
        made = self.decision.made
        return made.fact.offer if made is not None and isinstance(made.fact, Offered) else None


def new_offers(change: Change) -> list[NewOffer]:
    """Return the new offer with its explanation."""
    made = change.decision.made
    if made is None or not isinstance(made.fact, Offered):
        return []
    dispatched = made.matter.dispatched
    return [
        NewOffer(
            offer=made.fact.offer,
            cause=made.fact.cause,
            catalogue_version=dispatched.catalogue_version,
            rule_id=dispatched.rule_id,
            considered=made.fact.considered,
            received_at=made.matter.asked.received_at,
        )
    ]


def offer_ends(change: Change) -> list[OfferEnd]:
    """Return the offers that ended, or whose count against the capacity changed."""
    return [
        OfferEnd(
            now.id, was.state, now.state, now.holding, now.reason, now.suggested_owner, now.note
        )
        for was, now in _changed_offers(change)
    ]


def queue_entries(change: Change) -> Iterator[QueueEntry]:
    """Return the entries for the parties' queues: an ended offer before a new one."""
    for was, now in _changed_offers(change):
        load = int(now.holding) - int(was.holding)
        if was.state is OfferState.OFFERED:
            yield QueueEntry(now.party.id, now.id, "ended", load, now.state)
        else:
            yield QueueEntry(now.party.id, now.id, None, load)
    if (made := change.made) is not None:
        yield QueueEntry(made.party.id, made.id, "offered", 1)


def settlements(change: Change) -> list[Settlement]:
    """Return the objections that were ruled, lapsed or became moot."""
    if change.before is None:
        return []
    pairs = zip(change.before.objections, change.decision.case.objections, strict=False)
    return [
        Settlement(now.id, now.state, now.ruled_by, now.ruling_note)
        for was, now in pairs
        if was.state is not now.state
    ]


def new_objections(change: Change) -> tuple[Objection, ...]:
    """Return the objections that were raised."""
    known = 0 if change.before is None else len(change.before.objections)
    return change.decision.case.objections[known:]


def _changed_offers(change: Change) -> Iterator[tuple[Offer, Offer]]:
    if change.before is None:
        return
    # A step replaces offers in their places and adds new ones at the end.
    for was, now in zip(change.before.offers, change.decision.case.offers, strict=False):
        if (was.state, was.holding) != (now.state, now.holding):
            yield was, now
