"""Corrects a matter's row by its offers, when the reconciliation found it wrong."""

from collections.abc import Sequence
from datetime import datetime

import structlog

from services.routing.domain.correcting import correct
from services.routing.domain.moment import ROUTING
from services.routing.handlers.changes.change import Change
from services.routing.handlers.changes.persisting import load_cases, place_and_persist
from services.routing.handlers.office import Office
from services.routing.store import corrections
from services.routing.store.corrections import Correction
from shared.contracts import topics
from shared.delivery.inbox.bisect import isolate
from shared.delivery.inbox.sequencer import load_progress
from shared.observability.redaction import reason_of
from shared.runtime.database import Connection

log = structlog.get_logger()


async def correct_next(conn: Connection, office: Office, now: datetime) -> bool:
    """Correct the next matter that was ordered; return whether there was one.

    Changes nothing when followup has recorded a newer version meanwhile: the next comparison decides again.
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
    decision = correct(case, ordered.state, office.moment(now, ROUTING))
    await place_and_persist(conn, office, [Change(case, decision)], now)
    log.warning("correction.made", matter=matter_id)
