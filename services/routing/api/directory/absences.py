"""Passes on the offers of a liaison whose absence was entered."""

import structlog

from services.routing.api.edge import Edge
from services.routing.domain.moment import Acting
from services.routing.handlers import due
from shared.contracts.events.event import Actor
from shared.observability.redaction import reason_of
from shared.runtime.database import is_transient

log = structlog.get_logger()


async def pass_on_offers(edge: Edge, by: Actor, liaison_id: str | None = None) -> None:
    """Pass on the offers of absent liaisons, or of one, in a transaction of its own.

    The absence is entered already: where a lock is in the way or the database fails, the sweep does it soon after.
    """
    acting = Acting(by.role, by.party)
    try:
        async with edge.db.transaction() as conn:
            await due.begin_absences(conn, edge.office, edge.clock(), acting, liaison_id)
    except Exception as fault:
        if not is_transient(fault):
            raise
        log.warning("absences.left_to_sweep", fault=reason_of(fault))
