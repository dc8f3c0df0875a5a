"""Computes the limits of open offers and objections anew, a batch at a time, each moved limit recorded as an event."""

from collections.abc import Sequence
from datetime import datetime

from services.routing.domain.decision import Changed
from services.routing.domain.facts import OfferMoved, ReviewMoved
from services.routing.domain.moment import Acting
from services.routing.domain.rescheduling import reschedule
from services.routing.handlers.changes.change import Change
from services.routing.handlers.changes.persisting import load_cases, place_and_persist
from services.routing.handlers.office import Office
from services.routing.store import matters
from services.routing.store import rescheduling as store
from services.routing.store.rescheduling import NewLimit
from shared.contracts.vocabulary import Role
from shared.rescheduling.orders import BATCH, MovedDeadline, Order, ReschedulingBatch
from shared.runtime.database import Connection


async def next_batch(
    conn: Connection, office: Office, order: Order, now: datetime
) -> ReschedulingBatch:
    """Look at the next matters with an open offer or objection; with `apply` their limits move."""
    ids = await matters.promising_after(conn, order.after, BATCH)
    if not ids:
        return ReschedulingBatch(None, [])
    # A preview locks them too, for the moment of one batch: what it shows is what would move.
    cases = await load_cases(conn, ids)
    moment = office.moment(now, Acting(Role.OPERATOR, order.asked_by))
    changes = [
        Change(case, decision)
        for case in cases.values()
        if isinstance(decision := reschedule(case, order.cause, moment), Changed)
    ]
    if order.apply and changes:
        await _apply(conn, office, changes, now)
    return ReschedulingBatch(ids[-1], _listed(changes))


def _listed(changes: Sequence[Change]) -> list[MovedDeadline]:
    return [
        MovedDeadline(change.matter.id, "accept", fact.old_expires_at, fact.offer.expires_at)
        if isinstance(fact, OfferMoved)
        else MovedDeadline(change.matter.id, "ruling", fact.old_review_at, fact.objection.review_at)
        for change in changes
        for fact in _moves(change)
    ]


def _moves(change: Change) -> list[OfferMoved | ReviewMoved]:
    return [
        emitted.fact
        for emitted in change.decision.emitted
        if isinstance(emitted.fact, OfferMoved | ReviewMoved)
    ]


async def _apply(
    conn: Connection, office: Office, changes: Sequence[Change], now: datetime
) -> None:
    moves = [fact for change in changes for fact in _moves(change)]
    offers = [
        NewLimit(fact.offer.id, fact.offer.expires_at)
        for fact in moves
        if isinstance(fact, OfferMoved)
    ]
    objections = [
        NewLimit(fact.objection.id, fact.objection.review_at)
        for fact in moves
        if isinstance(fact, ReviewMoved)
    ]
    if offers:
        await store.move_offers(conn, offers, office.calendar.version)
    if objections:
        await store.move_objections(conn, objections)
    await place_and_persist(conn, office, changes, now)
