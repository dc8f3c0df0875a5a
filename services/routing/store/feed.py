"""Queue entries, numbered without gaps: written with the offers, read by streams."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.contracts.vocabulary import OfferState
from shared.runtime.database import Connection


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """One change of a queue: an offer came or ended; `load` is the change of the party's load.

    An entry without a `kind` is in no stream and only changes the load.
    """

    party: str
    offer_id: str
    kind: Literal["offered", "ended"] | None
    load: int
    how: OfferState | None = None


# Liaisons before desks, as a choice locks them; held until the commit, so that positions become visible in order.
APPEND = """
with locked as (
    select queue.party, change.entries, change.load
    from queue join unnest($1::text[], $2::int[], $3::int[]) as change (party, entries, load)
         on change.party = queue.party
    order by queue.is_desk, queue.party
    for update of queue
), moved as (
    update queue
    set position = queue.position + locked.entries, load = queue.load + locked.load
    from locked where locked.party = queue.party
    returning queue.party, queue.position - locked.entries as start
)
insert into feed (party, position, kind, offer_id, how, at)
select new.party, moved.start + new.number, new.kind, new.offer_id, new.how, $9
from unnest($4::text[], $5::int[], $6::text[], $7::uuid[], $8::text[])
     as new (party, number, kind, offer_id, how)
join moved on moved.party = new.party"""


async def append(conn: Connection, entries: Sequence[QueueEntry], now: datetime) -> None:
    """Append queue entries and add their load. CheckViolationError: queue_load."""
    told = [entry for entry in entries if entry.kind is not None]
    counts = Counter(entry.party for entry in told)
    loads: Counter[str] = Counter()
    numbers: list[int] = []
    next_number: Counter[str] = Counter()
    for entry in entries:
        loads[entry.party] += entry.load
    for entry in told:
        next_number[entry.party] += 1
        numbers.append(next_number[entry.party])
    parties = sorted(loads)
    await conn.execute(
        APPEND,
        parties,
        [counts[party] for party in parties],
        [loads[party] for party in parties],
        [entry.party for entry in told],
        numbers,
        [entry.kind for entry in told],
        [entry.offer_id for entry in told],
        [entry.how for entry in told],
        now,
    )


POSITIONS = "select party, position from queue where party = any($1::text[])"


async def positions(conn: Connection, parties: Sequence[str]) -> dict[str, int]:
    """Return the last position of each queue."""
    rows = await conn.fetch(POSITIONS, parties)
    return {row["party"]: row["position"] for row in rows}


IS_KEPT = """
select $2 <= queue.position and (
    $2 = queue.position
    or exists (select 1 from feed where feed.party = queue.party and feed.position = $2 + 1)
) from queue where queue.party = $1"""


async def is_kept(conn: Connection, party: str, position: int) -> bool:
    """Return whether all entries after `position` are kept."""
    return bool(await conn.fetchval(IS_KEPT, party, position))


FORGET = """
delete from feed where ctid = any(array(
    select ctid from feed where at < $1 order by at limit $2))"""


async def forget(conn: Connection, before: datetime, limit: int) -> bool:
    """Delete entries older than `before`, `limit` at most; return whether there may be more."""
    return await conn.execute(FORGET, before, limit) == f"DELETE {limit}"
