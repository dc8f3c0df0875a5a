"""Computes the limits of open offers and objections anew, a batch at a time, each moved limit recorded as an event."""

from dataclasses import dataclass
from datetime import datetime

from services.routing.domain.dispatching import accept_by, review_by
from services.routing.domain.matter import Case, Objection, Offer, RoutingState
from services.routing.handlers.changes import Change, party_ref
from services.routing.handlers.office import Office
from services.routing.handlers.persisting import load_cases, place_and_persist
from services.routing.store import matters
from services.routing.store import rescheduling as store
from services.routing.store.rescheduling import NewLimit
from shared.contracts.assignments import ObjectionRescheduled, OfferRescheduled
from shared.contracts.event import Actor, MatterEvent
from shared.contracts.vocabulary import OfferState, Role
from shared.rescheduling.orders import BATCH, MovedDeadline, Order, ReschedulingBatch
from shared.runtime.database import Connection


@dataclass(frozen=True, slots=True)
class _Move:
    case: Case
    of: Offer | Objection
    new: datetime

    @property
    def old(self) -> datetime:
        return self.of.expires_at if isinstance(self.of, Offer) else self.of.review_at


async def next_batch(
    conn: Connection, office: Office, order: Order, now: datetime
) -> ReschedulingBatch:
    """Look at the next matters with an open offer or objection; with `apply` their limits move."""
    ids = await matters.promising_after(conn, order.after, BATCH)
    if not ids:
        return ReschedulingBatch(None, [])
    # A preview locks them too, for the moment of one batch: what it shows is what would move.
    cases = await load_cases(conn, ids)
    moves = [move for case in cases.values() if (move := _move(case, office, now)) is not None]
    if order.apply and moves:
        await _apply(conn, office, order, moves, now)
    listed = [
        MovedDeadline(
            move.case.matter.id,
            "accept" if isinstance(move.of, Offer) else "ruling",
            move.old,
            move.new,
        )
        for move in moves
    ]
    return ReschedulingBatch(ids[-1], listed)


def _move(case: Case, office: Office, now: datetime) -> _Move | None:
    """What the present calendar gives; None where it is the same, or would have ended already."""
    limit: Offer | Objection | None = case.open_objection
    new = None
    if case.matter.standing is RoutingState.OFFERED:
        limit = case.holding
        if limit is not None and limit.state is OfferState.OFFERED and limit.offered_at is not None:
            new = accept_by(case.matter.dispatched, limit.offered_at, office.calendar)
    elif case.open_objection is not None and case.open_objection.raised_at is not None:
        new = review_by(case.open_objection.raised_at, office.calendar, office.limits)
    if limit is None or new is None or new <= now:
        return None
    move = _Move(case, limit, new)
    return None if move.old == new else move


async def _apply(
    conn: Connection, office: Office, order: Order, moves: list[_Move], now: datetime
) -> None:
    offers = [NewLimit(move.of.id, move.new) for move in moves if isinstance(move.of, Offer)]
    objections = [
        NewLimit(move.of.id, move.new) for move in moves if isinstance(move.of, Objection)
    ]
    if offers:
        await store.move_offers(conn, offers, office.calendar.version)
    if objections:
        await store.move_objections(conn, objections)
    changes = []
    for move in moves:
        change = Change(move.case.matter)
        change.stand(move.case.matter.standing, move.new)
        change.events.append(_event(move, order, office.calendar.version))
        changes.append(change)
    await place_and_persist(conn, office, changes, now)


def _event(move: _Move, order: Order, calendar_version: str) -> MatterEvent:
    actor = Actor(role=Role.OPERATOR, party=order.asked_by)
    if isinstance(move.of, Offer):
        return OfferRescheduled(
            actor=actor,
            matter_id=move.of.matter_id,
            offer_id=move.of.id,
            round=move.of.round,
            party=party_ref(move.of.party),
            old_expires_at=move.old,
            expires_at=move.new,
            calendar_version=calendar_version,
            cause=order.cause,
        )
    return ObjectionRescheduled(
        actor=actor,
        matter_id=move.of.matter_id,
        objection_id=move.of.id,
        offer_id=move.of.offer_id,
        round=move.of.round,
        old_review_at=move.old,
        review_at=move.new,
        calendar_version=calendar_version,
        cause=order.cause,
    )
