"""Acts on the clocks that are due; what it costs follows what is due, not what is open."""

from datetime import datetime

from services.followup.domain.ladder import climb
from services.followup.handlers.office import Office
from services.followup.handlers.saving import Change, Happening, save
from services.followup.store import matters, requests
from shared.kit.db import Connection

SWEEP_LIMIT = 500


async def sweep(conn: Connection, office: Office, now: datetime) -> int:
    """Remind, supervise, escalate and resume what is due by `now`, 500 matters at most; how many there were."""
    due = await matters.load_due(conn, now, SWEEP_LIMIT)
    moment = office.moment(now)
    changes = []
    for matter in due:
        changed = climb(matter, moment)
        happenings = [Happening(told) for told in changed.told]
        changes.append(Change(matter, changed.matter, happenings))
    if changes:
        await save(conn, changes)
    return len(due)


async def settle_words(conn: Connection) -> None:
    """Have the words that were taken in lately found as fast as all others; outside of a transaction."""
    await requests.settle_terms(conn)
