"""Corrects a matter's row by its offers, where the reconciliation found it wrong."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import structlog

from services.routing.domain import answers
from services.routing.domain.matter import Case, Cause, RoutingState
from services.routing.handlers.changes import ROUTING, Change, Placing
from services.routing.handlers.office import Office
from services.routing.handlers.persisting import load_cases, place_and_persist
from services.routing.store import corrections
from services.routing.store.corrections import Correction
from shared.contracts import topics
from shared.contracts.vocabulary import MatterState, OfferState, RescindReason
from shared.delivery.inbox.bisect import isolate
from shared.delivery.inbox.sequencer import load_progress
from shared.observability.redaction import reason_of
from shared.runtime.database import Connection

log = structlog.get_logger()

RESCINDED_BY: Final = {
    MatterState.HANDLED: RescindReason.CLOSED,
    MatterState.CLOSED: RescindReason.CLOSED,
    MatterState.REJECTED: RescindReason.CLOSED,
    MatterState.WITHDRAWN: RescindReason.WITHDRAWN,
    MatterState.MERGED: RescindReason.MERGED,
}
"""The states in which nobody holds an offer, and why one is taken back there."""


async def correct_next(conn: Connection, office: Office, now: datetime) -> bool:
    """Make the next matter right that was ordered to be; whether there was one.

    Nothing is changed where followup has said more of the matter meanwhile: the next comparison looks again.
    """
    ordered = await corrections.claim(conn)
    if ordered is None:
        return False

    async def apply(connection: Connection, items: Sequence[Correction]) -> None:
        await _correct(connection, office, items[0], now)

    async def fail(connection: Connection, item: Correction, fault: Exception) -> None:
        log.error("correction.failed", matter=item.matter_id, fault=reason_of(fault))

    await isolate(conn, [ordered], apply, fail)
    return True


async def _correct(conn: Connection, office: Office, ordered: Correction, now: datetime) -> None:
    matter_id = ordered.matter_id
    progress = await load_progress(conn, [matter_id])
    if progress.at((matter_id, topics.MATTERS)).version != ordered.version:
        log.info("correction.overtaken", matter=matter_id)
        return
    if not await load_cases(conn, [matter_id]):
        log.warning("correction.unknown", matter=matter_id)
        return
    if not await corrections.align(conn, matter_id, ordered.round):
        log.error("correction.later_round", matter=matter_id)
        return
    # Read again: the offers are those of the round.
    case = (await load_cases(conn, [matter_id]))[matter_id]
    await place_and_persist(conn, office, [_ended(case, ordered) or _going_on(case, ordered)], now)
    log.warning("correction.made", matter=matter_id)


def _ended(case: Case, ordered: Correction) -> Change | None:
    reason = RESCINDED_BY.get(ordered.state)
    if reason is None:
        return None
    change = Change(case.matter)
    change.let_go(case, reason, ROUTING)
    change.stand(RoutingState.ENDED)
    return change


def _going_on(case: Case, ordered: Correction) -> Change:
    """Who has the latest offer of the round has the matter; where nobody has, the next is found as always.

    An acceptance has no effect where followup has heard of it and waits for somebody all the same.
    """
    change = Change(case.matter)
    counts = ordered.state is not MatterState.AWAITING_DISPATCH
    last = case.offers[-1] if case.offers else None
    objection = case.open_objection
    if last is not None and last.state is OfferState.OFFERED:
        change.matter = replace(case.matter, offer_id=last.id)
        change.stand(RoutingState.OFFERED, last.expires_at)
    elif objection is not None:
        change.stand(RoutingState.WAITING, objection.review_at)
    elif counts and last is not None and last.state is OfferState.ACCEPTED:
        if not last.holding:
            change.hold_accepted(last, True)
        change.mark_accepted(last)
    else:
        if case.holding is not None:
            change.hold_accepted(case.holding, False)
        begins = last is None and case.matter.round > 1
        change.placing = Placing(
            Cause.REOPENED if begins else Cause.UNMERGED,
            decide_anew=last is None,
            returning=case.matter.owner_id if begins else None,
            answered=answers.answered(case.offers, case.matter.round),
        )
    return change
