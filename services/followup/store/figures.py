"""Counts of open matters for the gauges; the cost depends on what is open and is bounded."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.followup.domain.matter import FINAL
from services.followup.store.glance import MOST_COUNTED, count_states
from shared.contracts.vocabulary import MatterState
from shared.runtime.database import Connection

# Of the wall so many steps are read, not matters: one may have hundreds.
SELECT_PROMISES = """
select (select count(*) from (
            select from matter where next_due_at is not null and next_due_at < $1
            order by next_due_at, id limit $2) as late) as breached,
       (select count(distinct matter_id) from (
            select matter_id from milestone
            where live and state in ('planned', 'in_progress') order by matter_id limit $2) as wall) as charted,
       (select min(act_at) from matter where act_at is not null) as act_at"""


@dataclass(frozen=True, slots=True)
class Open:
    """Numbers of open matters by state, with a broken limit, and on the wall chart; each count stops at 100,000.

    `act_at` is when the first clock has to be looked at.
    """

    states: Mapping[MatterState, int]
    breached: int
    charted: int
    act_at: datetime | None


async def count_open(conn: Connection, now: datetime, most: int = MOST_COUNTED) -> Open:
    """Count what is open at `now`, up to `most`."""
    open_states = [state for state in MatterState if state not in FINAL]
    counts = await count_states(conn, open_states, most)
    row = await conn.fetchrow(SELECT_PROMISES, now, most)
    assert row is not None, "an aggregate returns its row"  # noqa: S101 - narrows the type
    states = {state: counts.get(state, 0) for state in open_states}
    return Open(states, row["breached"], row["charted"], row["act_at"])


SELECT_DISAGREEMENTS = """
select what, gone_at is null as stands, count(*) from disagreement where looks >= 2 group by 1, 2"""
SELECT_RECONCILED = "select ended_at from reconciliation"


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Numbers of disagreements that persist or ended within the last hour, and when a run last ended."""

    counts: Mapping[tuple[str, bool], int]
    ended_at: datetime | None


async def count_disagreements(conn: Connection) -> Reconciled:
    """Count the disagreements that the reconciliation found twice."""
    rows = await conn.fetch(SELECT_DISAGREEMENTS)
    ended_at = await conn.fetchval(SELECT_RECONCILED)
    return Reconciled({(row["what"], row["stands"]): row["count"] for row in rows}, ended_at)
