"""Sweeps due timers: offers and reviews that run out, absences that begin, feeds that are old enough to delete."""

from datetime import datetime, timedelta
from typing import Final

from services.routing.domain import answers
from services.routing.domain.choice import Verdict
from services.routing.domain.dispatching import acted_on_at
from services.routing.domain.matter import Case, Cause, ObjectionState, RoutingState
from services.routing.handlers.changes import CLOCK, Change, Placing, party_ref
from services.routing.handlers.office import Office
from services.routing.handlers.persisting import load_cases, place_and_persist
from services.routing.store import directory, feed, matters
from services.routing.store.offers import Settlement
from shared.contracts.assignments import OfferTimedOut
from shared.contracts.event import Actor
from shared.contracts.vocabulary import OfferState, RescindReason
from shared.runtime.database import Connection

SWEEP_LIMIT: Final = 500
ABSENCE_LIMIT: Final = 5000
ABSENCE_GRACE: Final = timedelta(seconds=15)
"""Longer than a choice may take: one that was under way when an absence began may be committed after that."""

MOST_PASSES: Final = 20
FEED_LIMIT: Final = 5000
FEED_KEPT: Final = timedelta(days=7)


async def sweep(conn: Connection, office: Office, now: datetime, limit: int = SWEEP_LIMIT) -> int:
    """Act on what has run out, the longest overdue first, `limit` matters at most; how many it acted on.

    Its cost follows what is due. Several replicas may sweep at once: each takes what no other is at. On a day off
    what rests is put off to the next opening.
    """
    due = await matters.claim_due(conn, now, limit)
    if not due:
        return 0
    cases = await load_cases(conn, due)
    looked_at = {case.matter.id: _acted_on_at(case, office, now) for case in cases.values()}
    resting = {matter_id: at for matter_id, at in looked_at.items() if at > now}
    if resting:
        await matters.put_off(conn, resting)
    ran_out = [_run_out(case, now) for case in cases.values() if case.matter.id not in resting]
    if ran_out:
        await place_and_persist(conn, office, ran_out, now)
    return len(ran_out)


def _acted_on_at(case: Case, office: Office, now: datetime) -> datetime:
    urgency = (
        case.matter.dispatched.urgency if case.matter.standing is RoutingState.OFFERED else None
    )
    objection, offer = case.open_objection, case.holding
    limit = offer.expires_at if offer else objection.review_at if objection else now
    calendar = office.calendar
    return max(acted_on_at(limit, urgency, calendar), acted_on_at(now, urgency, calendar))


def _run_out(case: Case, now: datetime) -> Change:
    change = Change(case.matter)
    earlier = answers.answered(case.offers, case.matter.round)
    match case.matter.standing:
        case RoutingState.OFFERED:
            offer = case.holding
            if offer is None:
                raise LookupError(f"{case.matter.id} is offered to nobody")
            change.end_offer(offer, OfferState.TIMED_OUT)
            change.events.append(
                OfferTimedOut(
                    actor=CLOCK,
                    matter_id=offer.matter_id,
                    offer_id=offer.id,
                    round=offer.round,
                    party=party_ref(offer.party),
                    expired_at=offer.expires_at,
                )
            )
            answered = earlier | {offer.party.id: Verdict.TIMED_OUT}
            change.placing = Placing(Cause.TIMED_OUT, answered=answered)
        case RoutingState.WAITING:
            if case.open_objection is not None:
                lapsed = Settlement(case.open_objection.id, ObjectionState.LAPSED)
                change.settlements.append(lapsed)
            change.placing = Placing(Cause.REVIEW_LAPSED, answered=earlier)
        case RoutingState.TAKEN | RoutingState.ENDED:
            change.stand(case.matter.standing)
    return change


async def begin_absences(
    conn: Connection,
    office: Office,
    now: datetime,
    actor: Actor = CLOCK,
    liaison_id: str | None = None,
) -> int:
    """Pass on at once what is offered to those whose absence has begun; how many absences that were.

    With `liaison_id`, of this liaison alone. An absence is looked at again until it is 15 s old.
    """
    begun = await directory.claim_absences(conn, now, liaison_id, ABSENCE_LIMIT)
    settled = [absence for absence in begun if absence.from_at <= now - ABSENCE_GRACE]
    if settled:
        await directory.mark_begun(conn, settled)
    away = sorted({absence.liaison_id for absence in begun if absence.covers(now)})
    for _ in range(MOST_PASSES if away else 0):
        concerned = await matters.find_offered_to(conn, away, SWEEP_LIMIT)
        cases = await load_cases(conn, concerned)
        changes = [
            change for case in cases.values() if (change := _leave(case, away, actor)) is not None
        ]
        if changes:
            await place_and_persist(conn, office, changes, now)
        if len(concerned) < SWEEP_LIMIT:
            break
    return len(begun)


def _leave(case: Case, away: list[str], actor: Actor) -> Change | None:
    offer = case.holding
    if offer is None or offer.state is not OfferState.OFFERED or offer.party.id not in away:
        return None
    change = Change(case.matter)
    change.rescind(offer, RescindReason.LIAISON_ABSENT, actor)
    earlier = answers.answered(case.offers, case.matter.round)
    change.placing = Placing(Cause.LIAISON_ABSENT, answered=earlier)
    return change


async def forget_feed(conn: Connection, now: datetime) -> bool:
    """Drop what was told in queues more than a week ago, 5,000 entries at most; whether there may be more."""
    return await feed.forget(conn, now - FEED_KEPT, FEED_LIMIT)
