"""Sweeps due timers; its cost depends on what is due, not on what is open."""

from datetime import datetime

from services.followup.domain.ladder import climb, resting_until
from services.followup.domain.steps.links import released
from services.followup.handlers.office import Office
from services.followup.handlers.saving import Change, Happening, save
from services.followup.store import matters, requests
from shared.messages.catalogue import text
from shared.runtime.database import Connection

FOLD_LIMIT = 500
SWEEP_LIMIT = 500
ORPHANS_LIMIT = 100


async def sweep(conn: Connection, office: Office, now: datetime) -> int:
    """Remind, supervise, escalate and resume what is due by `now`; return the number of matters.

    500 matters at most are looked at. On a day off those whose clocks rest are put off to the next opening.
    """
    due = await matters.load_due(conn, now, SWEEP_LIMIT)
    changes, resting = [], []
    for matter in due:
        moment = office.moment(now, matter)
        changed = climb(matter, moment, on_days_off=False)
        if not changed.emitted:
            resting.append((matter.id, resting_until(matter, moment)))
            continue
        happenings = [Happening(emitted) for emitted in changed.emitted]
        changes.append(Change(matter, changed.matter, happenings))
    if changes:
        await save(conn, changes)
    if resting:
        await matters.put_off(conn, resting)
    return len(changes)


async def release_orphans(conn: Connection, office: Office, now: datetime) -> int:
    """Unmerge matters whose target ended without an answer; return their number, 100 at most.

    Such matters were left behind by earlier versions; a merge and an end take care of each other since.
    """
    pairs = await matters.merged_into_nothing(conn, ORPHANS_LIMIT)
    if not pairs:
        return 0
    loaded = await matters.load_locked(conn, {each for pair in pairs for each in pair})
    changes, reason = [], text("unmerged.ended", "zh")
    for merged_id, ended_id in pairs:
        merged = loaded[str(merged_id)]
        moment = office.moment(now, merged)
        freed = released(merged, loaded[str(ended_id)], reason, moment)
        if freed is not None:
            changed = climb(freed.matter, moment, freed.emitted, on_days_off=False)
            changes.append(
                Change(merged, changed.matter, [Happening(emitted) for emitted in changed.emitted])
            )
    if changes:
        await save(conn, changes)
    return len(changes)


async def fold_words(conn: Connection) -> bool:
    """Fold summaries that were stored before folding existed, some at a time; return whether there may be more."""
    return await requests.fold_summaries(conn, FOLD_LIMIT)


async def merge_pending_terms(conn: Connection) -> None:
    """Merge the index's pending entries, so that recent words are found as fast; outside of a transaction."""
    await requests.merge_pending_terms(conn)
