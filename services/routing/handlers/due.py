"""Sweeps due timers: offers and reviews that run out, absences that begin, feeds that are old enough to delete."""

from datetime import datetime, timedelta
from typing import Final

from services.routing.domain import expiry
from services.routing.domain.decision import Changed
from services.routing.domain.moment import CLOCK, Acting
from services.routing.handlers.changes.change import Change
from services.routing.handlers.changes.persisting import load_cases, place_and_persist
from services.routing.handlers.office import Office
from services.routing.store import feed, matters
from services.routing.store.directory import entries
from shared.runtime.database import Connection

SWEEP_LIMIT: Final = 500
ABSENCE_LIMIT: Final = 5000
ABSENCE_GRACE: Final = timedelta(seconds=15)
"""Longer than a choice may take: one that was under way when an absence began may be committed after that."""

MOST_PASSES: Final = 20
FEED_LIMIT: Final = 5000
FEED_KEPT: Final = timedelta(days=7)


async def sweep(conn: Connection, office: Office, now: datetime, limit: int = SWEEP_LIMIT) -> int:
    """Act on what has ended, longest overdue first, `limit` matters at most; return the number acted on.

    Its cost follows what is due. Several replicas may sweep at once: each takes what no other is at. On a day off
    what rests is put off to the next opening.
    """
    due = await matters.claim_due(conn, now, limit)
    if not due:
        return 0
    cases = await load_cases(conn, due)
    moment = office.moment(now, CLOCK)
    looked_at = {case.matter.id: expiry.acts_at(case, moment) for case in cases.values()}
    resting = {matter_id: at for matter_id, at in looked_at.items() if at > now}
    if resting:
        await matters.put_off(conn, resting)
    ran_out = [
        Change(case, expiry.run_out(case, moment))
        for case in cases.values()
        if case.matter.id not in resting
    ]
    if ran_out:
        await place_and_persist(conn, office, ran_out, now)
    return len(ran_out)


async def begin_absences(
    conn: Connection,
    office: Office,
    now: datetime,
    by: Acting = CLOCK,
    liaison_id: str | None = None,
) -> int:
    """Pass on the offers of liaisons whose absence has begun; return the number of absences.

    With `liaison_id`, of this liaison alone. An absence is looked at again until it is 15 s old.
    """
    begun = await entries.claim_absences(conn, now, liaison_id, ABSENCE_LIMIT)
    settled = [absence for absence in begun if absence.from_at <= now - ABSENCE_GRACE]
    if settled:
        await entries.mark_begun(conn, settled)
    away = sorted({absence.liaison_id for absence in begun if absence.covers(now)})
    moment = office.moment(now, by)
    for _ in range(MOST_PASSES if away else 0):
        concerned = await matters.find_offered_to(conn, away, SWEEP_LIMIT)
        cases = await load_cases(conn, concerned)
        changes = [
            Change(case, decision)
            for case in cases.values()
            if isinstance(decision := expiry.pass_on(case, away, moment), Changed)
        ]
        if changes:
            await place_and_persist(conn, office, changes, now)
        if len(concerned) < SWEEP_LIMIT:
            break
    return len(begun)


async def forget_feed(conn: Connection, now: datetime) -> bool:
    """Delete queue entries older than a week, 5,000 at most; return whether there may be more."""
    return await feed.forget(conn, now - FEED_KEPT, FEED_LIMIT)
