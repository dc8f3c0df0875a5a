"""SQL of reading the feed: positions by name, and the events behind them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from shared.runtime.database import Connection, counted

PAGE_BYTES: Final = 4 * 1024 * 1024

# Each name's next rows by its own index. Of an event that several of the names have the first row counts. Data are read
# for as many as fit into the bytes of a page, one at least.
SELECT_ENTRIES = """
with next as (
    select found.*
    from unnest($1::text[]) as reader (name)
    cross join lateral (
        select position, request_id, event_seq, matter_seq, followed
        from feed where feed.name = reader.name and feed.position > $2
        order by feed.position limit $3) as found
    order by found.position limit $3
), whole as (
    select next.position, next.request_id, next.followed,
           exists (
               select from feed as earlier
               where earlier.event_seq = next.event_seq and earlier.name = any($1::text[])
                 and earlier.position < next.position)
           or exists (
               select from feed as earlier
               where earlier.matter_seq = next.matter_seq and earlier.name = any($1::text[])
                 and earlier.position < next.position) as repeated,
           coalesce(event.id, matter_event.id) as id, matter_event.source,
           coalesce(event.subject, matter_event.subject::text) as subject,
           coalesce(event.version, matter_event.version) as version,
           coalesce(event.type, matter_event.type) as type,
           coalesce(event.at, matter_event.at) as at,
           coalesce(event.causation_id, matter_event.causation_id) as causation_id,
           coalesce(event.traceparent, matter_event.traceparent) as traceparent,
           coalesce(event.data, matter_event.data) as data,
           case when event.seq is not null then request.receipt end as receipt, request.submitted_by
    from next
    left join event on event.seq = next.event_seq
    left join matter_event on matter_event.seq = next.matter_seq
    left join request on request.id = next.request_id
), sized as (
    select whole.*, sum(octet_length(data::text)) over (order by position)
                    - octet_length(data::text) as before
    from whole
)
select position, repeated, request_id, followed, id, source, subject, version, type, at, causation_id,
       traceparent, data, receipt, submitted_by
from sized where before < $4 order by position"""


class FeedEntry(NamedTuple):
    """An event at its position in a reader's feed.

    `repeated`: the reader has it at an earlier position. `followed`: it is of the matter that `request_id` was merged
    into. `source` is None for intake's own. `receipt` is there for a registration alone.
    """

    position: int
    repeated: bool
    request_id: UUID | None
    followed: bool
    id: UUID
    source: str | None
    subject: str
    version: int
    type: str
    at: datetime
    causation_id: UUID | None
    traceparent: str | None
    data: str
    receipt: str | None
    submitted_by: str | None


async def load_entries(
    conn: Connection, names: Sequence[str], after: int, limit: int, most_bytes: int = PAGE_BYTES
) -> list[FeedEntry]:
    """Return a reader's next entries in order, bounded by `limit` and `most_bytes` of data, at least one."""
    return [
        FeedEntry(*row.values())
        for row in await conn.fetch(SELECT_ENTRIES, names, after, limit, most_bytes)
    ]


SELECT_PLACE = """
select coalesce(event.id, matter_event.id) as id,
       (select max(position) from feed_forgotten where name = any($2::text[])) as forgotten
from (select) as one
left join feed on feed.position = $1 and feed.name = any($2::text[])
left join event on event.seq = feed.event_seq
left join matter_event on matter_event.seq = feed.matter_seq"""


class FeedPosition(NamedTuple):
    """A reader's entry at a position: `id` is the event's, None when none of the names has one there.

    `forgotten` is the last position that one of the names had and that is not kept.
    """

    id: UUID | None
    forgotten: int | None


async def load_place(conn: Connection, names: Sequence[str], position: int) -> FeedPosition:
    """Return a reader's entry at a position."""
    row = await conn.fetchrow(SELECT_PLACE, position, names)
    assert row is not None, "a left join returns its row"  # noqa: S101 - narrows the type
    return FeedPosition(*row.values())


SELECT_LAST = """
select given.name, coalesce((select max(position) from feed where feed.name = given.name), 0) as position
from unnest($1::text[]) as given (name)"""


async def last_positions(conn: Connection, names: Sequence[str]) -> dict[str, int]:
    """Return the last position of each name, 0 where it has none."""
    return {row["name"]: row["position"] for row in await conn.fetch(SELECT_LAST, names)}


FORGET_ENTRIES = """
with gone as (
    delete from feed where ctid = any(array(
        select ctid from feed where entered_at < now() - make_interval(days => $1)
        order by entered_at, position limit $2))
    returning name, position
)
insert into feed_forgotten (name, position)
select name, max(position) from gone group by name order by name
on conflict (name) do update set position = greatest(feed_forgotten.position, excluded.position)"""

# A row of a feed may have come later than its event.
FORGET_EVENTS = """
delete from matter_event where ctid = any(array(
    select ctid from matter_event
    where entered_at < now() - make_interval(days => $1)
      and (select 1 from feed where feed.matter_seq = matter_event.seq limit 1) is null
      and seq <= (select matter_seq from feed_head)
    order by entered_at limit $2))"""


async def forget_entries(conn: Connection, days: int, limit: int) -> bool:
    """Delete the oldest entries and events, older than `days`, `limit` of each; return whether there may be more."""
    forgotten = counted(await conn.execute(FORGET_ENTRIES, days, limit))
    return counted(await conn.execute(FORGET_EVENTS, days, limit)) == limit or forgotten > 0
