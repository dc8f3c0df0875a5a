"""Counts of waiting matters for the gauges; the cost depends on what is open and is bounded."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.runtime.database import Connection

MOST_COUNTED: Final = 100_000
"""Where counting ends: more would say nothing that this does not."""

MOST_QUEUES: Final = 10_000
"""No town has more parties; of each the ten oldest requests are looked at."""

# What is offered and what is under review are all that is due. The first offer of a round is where the waiting began:
# a matter that is reopened keeps the age of its request.
SELECT_WAITING = """
select (select count(*) from (
            select from matter where due_at is not null order by due_at limit $1) as due) as due,
       (select min(due_at) from matter where due_at is not null) as due_at,
       (select count(*) from (
            select from objection where state = 'open' order by review_at, id limit $1) as open) as reviewed,
       (select min(begun.offered_at)
        from (select matter_id, round from objection
              where state = 'open' order by review_at, id limit 1000) as open
        cross join lateral (
            select offered_at from offer
            where offer.matter_id = open.matter_id and offer.round = open.round and attempt = 1
            order by attempt limit 1) as begun) as reviewed_since,
       (select min(begun.offered_at)
        from (select party from queue where load > 0 limit $2) as busy
        cross join lateral (
            select matter_id, round from offer
            where offer.party = busy.party and state = 'offered' and holding
            order by received_at, id limit 10) as asked
        cross join lateral (
            select offered_at from offer
            where offer.matter_id = asked.matter_id and offer.round = asked.round and attempt = 1
            order by attempt limit 1) as begun) as offered_since"""


@dataclass(frozen=True, slots=True)
class WaitingFigures:
    """Numbers of matters with an open offer or review, and since when the oldest of each waits.

    Each count ends at 100,000. `due_at` is when the first of them has to be acted on.
    """

    offered: int
    reviewed: int
    offered_since: datetime | None
    reviewed_since: datetime | None
    due_at: datetime | None


async def count_waiting(conn: Connection, most: int = MOST_COUNTED) -> WaitingFigures:
    """Count what waits now, up to `most`."""
    row = await conn.fetchrow(SELECT_WAITING, most, MOST_QUEUES)
    assert row is not None, "an aggregate returns its row"  # noqa: S101 - narrows the type
    return WaitingFigures(
        max(0, row["due"] - row["reviewed"]),
        row["reviewed"],
        row["offered_since"],
        row["reviewed_since"],
        row["due_at"],
    )
