"""Computes the limits of open matters anew, a batch at a time, each moved limit recorded as an event."""

from datetime import datetime

from services.followup.domain.decision import Changed
from services.followup.domain.moment import ActingParty
from services.followup.domain.rescheduling import moves, reschedule
from services.followup.handlers.office import Office
from services.followup.handlers.saving import Change, Happening, save
from services.followup.store import matters
from shared.contracts.vocabulary import Role
from shared.rescheduling.orders import BATCH, MovedDeadline, Order, ReschedulingBatch
from shared.runtime.database import Connection


async def next_batch(
    conn: Connection, office: Office, order: Order, now: datetime
) -> ReschedulingBatch:
    """Compute the next open matters' limits anew; only with `apply` they move."""
    ids = await matters.open_after(conn, order.after, BATCH)
    if not ids:
        return ReschedulingBatch(None, [])
    loaded = await (matters.load_locked if order.apply else matters.load)(conn, ids)
    by = ActingParty(Role.OPERATOR, order.asked_by)
    moved, changes = [], []
    for matter in loaded.values():
        moment = office.moment(now, matter, by)
        decision = reschedule(matter, order.cause, moment)
        moved += [
            MovedDeadline(matter.id, each.clock, each.old_due_at, each.new_due_at)
            for each in moves(decision)
        ]
        if isinstance(decision, Changed):
            happenings = [Happening(emitted) for emitted in decision.emitted]
            changes.append(Change(matter, decision.matter, happenings))
    if order.apply and changes:
        await save(conn, changes)
    return ReschedulingBatch(str(ids[-1]), moved)
