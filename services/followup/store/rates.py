"""Rows behind the rates, one for each counted event, and the sums of a period."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.followup.domain.rates import Counts, GroupBy, Tally
from shared.runtime.database import Connection

INSERT_TALLIES = """
insert into tally (what, at, matter_id, round, park, department, liaison, category, kind, channel,
                   seconds, on_time, instant, exempted, reached, answered, solved, satisfaction)
select given.what, given.at, given.matter_id, given.round, given.park, given.department,
       given.liaison, given.category, given.kind, given.channel, given.seconds, given.on_time,
       given.instant, given.exempted, given.reached, given.answered, given.solved,
       given.satisfaction
from unnest($1::text[], $2::timestamptz[], $3::uuid[], $4::int[], $5::text[], $6::text[],
            $7::text[], $8::text[], $9::text[], $10::text[], $11::int[], $12::bool[], $13::bool[],
            $14::bool[], $15::bool[], $16::bool[], $17::bool[], $18::smallint[])
     as given (what, at, matter_id, round, park, department, liaison, category, kind, channel,
               seconds, on_time, instant, exempted, reached, answered, solved, satisfaction)"""


async def count(conn: Connection, tallies: Sequence[Tally]) -> None:
    """Store rows for the rates."""
    if tallies:
        rows = [_row(tally) for tally in tallies]
        await conn.execute(
            INSERT_TALLIES, *([row[at] for row in rows] for at in range(len(rows[0])))
        )


def _row(tally: Tally) -> tuple[object, ...]:
    matter, visited = tally.matter, tally.visited
    return (
        tally.what.value,
        tally.at,
        matter.id,
        matter.round,
        matter.park,
        matter.lead_department,
        tally.liaison,
        matter.category,
        matter.kind.value,
        matter.channel.value,
        tally.seconds,
        tally.on_time,
        tally.instant,
        tally.exempted,
        visited.reached if visited else None,
        visited.answered if visited else None,
        visited.solved if visited else None,
        visited.satisfaction if visited else None,
    )


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and 90th percentile in seconds; None without values."""

    p50_s: float | None
    p90_s: float | None
    count: int


@dataclass(frozen=True, slots=True)
class Period:
    """Sums of one group, or of everything when `whole` is true."""

    key: str | None
    whole: bool
    counts: Counts
    to_accept: Spread
    to_first_contact: Spread
    to_closure: Spread


# Of a round that was visited the last answer counts, else the last try; of one that ended otherwise the last such end.
# What happened to the same round in the period is looked up by matter and round, so that nothing is counted twice and
# no part can be greater than its whole. Rows of one moment stand in the order in which they were written.
SUM_PERIOD = """
with counted as materialized (
    select what, matter_id, round, at, ctid as place, seconds, on_time, instant, exempted, reached, answered,
           solved, satisfaction,
           case $3 when 'park' then park when 'department' then department
                   when 'liaison' then liaison when 'category' then category
                   when 'kind' then kind when 'channel' then channel end as key
    from tally where at >= $1 and at < $2 and what = any($4::text[])
), visited as (
    select distinct on (matter_id, round) * from counted where what = 'visited'
    order by matter_id, round, reached desc, at desc, place desc
), handled as (
    select distinct on (matter_id, round) * from counted where what = 'handled'
    order by matter_id, round, at desc, place desc
), ended as (
    select distinct on (matter_id, round) * from counted
    where what in ('merged', 'unmerged', 'withdrawn', 'rejected')
    order by matter_id, round, at desc, place desc
), exempted as (
    select distinct on (matter_id, round) * from counted where what = 'closed' and exempted
    order by matter_id, round, at desc, place desc
), once as (
    select key, what, reached, answered, solved, satisfaction, seconds, on_time, instant from visited
    union all
    select key, what, null, null, null, null, seconds, on_time, instant from handled
    union all
    select key, what, null, null, null, null, seconds, null, null from counted
    where what in ('taken', 'declined', 'timed_out', 'contacted', 'closed')
    union all
    select key, 'exempted', null, null, null, null, null, null, null from exempted
    where (matter_id, round) not in (select matter_id, round from visited)
    union all
    select coalesce(handled.key, again.key),
           case when handled.what is null then 'reopened_earlier' else 'reopened' end,
           null, null, null, null, null, null, null
    from (select distinct on (matter_id, round) * from counted where what = 'reopened') as again
    left join handled on handled.matter_id = again.matter_id and handled.round = again.round - 1
    union all
    select key, 'unvisited_' || what, null, null, null, null, null, null, null from ended
    where (matter_id, round) not in (select matter_id, round from visited)
      and (matter_id, round) not in (select matter_id, round from exempted)
    union all
    select key, 'unhandled_' || what, null, null, null, null, null, null, null from ended
    where (matter_id, round) not in (select matter_id, round from handled)
)
select key, grouping(key) = 1 as whole,
       count(*) filter (where what = 'visited') as visited,
       count(*) filter (where what = 'visited' and reached) as reached,
       count(*) filter (where what = 'visited' and reached and answered) as answered,
       count(*) filter (where what = 'visited' and reached and solved) as solved,
       count(*) filter (where what = 'visited' and reached and satisfaction is not null) as rated,
       count(*) filter (where what = 'visited' and reached and satisfaction >= 3) as satisfied,
       count(*) filter (where what = 'exempted') as exempted,
       count(*) filter (where what = 'handled') as handled,
       count(*) filter (where what = 'handled' and on_time) as on_time,
       count(*) filter (where what = 'handled' and instant) as instant,
       count(*) filter (where what = 'taken') as taken,
       count(*) filter (where what = 'declined') as declined,
       count(*) filter (where what = 'timed_out') as timed_out,
       count(*) filter (where what = 'reopened') as reopened,
       count(*) filter (where what = 'reopened_earlier') as reopened_earlier,
       count(*) filter (where what = 'unvisited_merged') as unvisited_merged,
       count(*) filter (where what = 'unvisited_withdrawn') as unvisited_withdrawn,
       count(*) filter (where what = 'unvisited_rejected') as unvisited_rejected,
       count(*) filter (where what = 'unhandled_merged') as unhandled_merged,
       count(*) filter (where what = 'unhandled_withdrawn') as unhandled_withdrawn,
       count(*) filter (where what = 'unhandled_rejected') as unhandled_rejected,
       count(*) filter (where what = 'contacted') as contacted,
       count(*) filter (where what = 'closed') as closed,
       percentile_cont(array[0.5, 0.9]) within group (order by seconds)
           filter (where what = 'taken') as to_accept,
       percentile_cont(array[0.5, 0.9]) within group (order by seconds)
           filter (where what = 'contacted') as to_first_contact,
       percentile_cont(array[0.5, 0.9]) within group (order by seconds)
           filter (where what = 'closed') as to_closure
from once
group by grouping sets ((key), ())
order by whole desc, key nulls last"""


async def sum_period(
    conn: Connection,
    since: datetime,
    until: datetime,
    by: GroupBy | None,
    what: Sequence[str],
) -> list[Period]:
    """Return the sums from `since` until before `until`: the total first, then each group by key.

    `what` names the kinds of rows to read; sums of the others are 0. Without `by` there is the whole alone.
    """
    rows = await conn.fetch(SUM_PERIOD, since, until, by.value if by else None, list(what))
    return [_period(row) for row in rows if row["whole"] or by is not None]


def _period(row: asyncpg.Record) -> Period:
    counts = Counts(**{name: row[name] for name in Counts.__slots__})
    return Period(
        row["key"],
        row["whole"],
        counts,
        _spread(row["to_accept"], row["taken"]),
        _spread(row["to_first_contact"], row["contacted"]),
        _spread(row["to_closure"], row["closed"]),
    )


def _spread(values: Sequence[float] | None, number: int) -> Spread:
    return Spread(values[0], values[1], number) if values else Spread(None, None, number)
