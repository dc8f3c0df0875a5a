"""SQL of ordering the feed: events are stored as they come, and numbered once no earlier one can commit."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import orjson

from shared.delivery.cloudevents import Message
from shared.runtime.database import Connection

# An event that comes again is passed over: what happened within these days and came before is still there. What is
# missing comes after later ones then, as does the true event of a version that a forged one was taken for.
INSERT_MATTER_EVENTS = """
insert into matter_event (id, source, subject, version, type, at, causation_id, traceparent, data)
select given.id, given.source, given.subject, given.version, given.type, given.at, given.causation_id,
       given.traceparent, given.data
from unnest($1::uuid[], $2::text[], $3::uuid[], $4::int[], $5::text[], $6::timestamptz[], $7::uuid[],
            $8::text[], $9::json[]) with ordinality
     as given (id, source, subject, version, type, at, causation_id, traceparent, data, place)
where given.at > now() - make_interval(days => $10)
  and exists (select from request where request.id = given.subject)
order by given.place
on conflict do nothing"""


async def insert_matter_events(conn: Connection, messages: Sequence[Message], days: int) -> None:
    """Store events of matters of the last `days`, each with its data as received."""
    rows = [
        (
            message.id,
            message.source,
            message.subject,
            message.sequence,
            message.event.wire_type(),
            message.time,
            message.causation_id,
            message.traceparent,
            (message.raw.value or b"").decode(),
        )
        for message in messages
    ]
    columns = ([row[at] for row in rows] for at in range(len(rows[0])))
    await conn.execute(INSERT_MATTER_EVENTS, *columns, days)


class Numbered(NamedTuple):
    """The feed's last position, and the last number of each history that is in it."""

    position: int
    event_seq: int
    matter_seq: int


SELECT_HEADS = """
select (select coalesce(max(seq), 0) from event) as event_seq,
       (select coalesce(max(seq), 0) from matter_event) as matter_seq,
       event_seq as event_done, matter_seq as matter_done
from feed_head"""
SELECT_WRITERS = """
select virtualtransaction from pg_locks
where locktype = 'relation' and relation in ('event'::regclass, 'matter_event'::regclass)
  and mode = 'RowExclusiveLock' and granted
  and database = (select oid from pg_database where datname = current_database())"""


class Heads(NamedTuple):
    """The last number of each history, and the last of each that is in the feed."""

    event_seq: int
    matter_seq: int
    event_done: int
    matter_done: int


async def load_heads(conn: Connection) -> Heads:
    """Return the last numbers of the histories and of the feed."""
    row = await conn.fetchrow(SELECT_HEADS)
    assert row is not None, "the head is one row"  # noqa: S101 - narrows the type
    return Heads(*row.values())


async def load_writers(conn: Connection) -> frozenset[str]:
    """Return the open transactions that may have drawn a number. Call it outside of a transaction."""
    return frozenset(row["virtualtransaction"] for row in await conn.fetch(SELECT_WRITERS))


LOCK_HEAD = "select position, event_seq, matter_seq from feed_head for update skip locked"
SAVE_HEAD = "update feed_head set position = $1, event_seq = $2, matter_seq = $3"


async def lock_head(conn: Connection) -> Numbered | None:
    """Return the head, locked until the transaction ends; None while another replica holds it."""
    row = await conn.fetchrow(LOCK_HEAD)
    return None if row is None else Numbered(*row.values())


async def save_head(conn: Connection, numbered: Numbered) -> None:
    """Store the feed's head."""
    await conn.execute(SAVE_HEAD, *numbered)


# The names of a request: its source, and the system that submitted it. A requester's own source is nobody's name. The
# actor is looked for in the text of the data, where no value can look like it: PostgreSQL reads no JSON with U+0000 in
# it, which a stranger may have sent as the name of a field.
# Lateral, here and below: each row is looked up by an index whatever the planner believes of the tables' sizes, which
# in a young database is nothing at all. A join of `event` read all of it once for each step.
_NAMES: Final = """(
    select concerned.id, request.name
    from (select distinct id from concerned) as concerned
    cross join lateral (
        select source as name from request
        where request.id = concerned.id and not starts_with(source, 'urn:liaison:requester:')
        union
        select submitted_by from request
        where request.id = concerned.id
          and (select strpos(event.data::text, '"actor":{"role":"system",') from event
               where event.subject = concerned.id::text and event.version = 1) > 0
    ) as request)"""

SELECT_REJECTED = """
select seq, data from (
    select seq, type, data from event where seq > $1 and seq <= $2 order by seq limit $3) as due
where type = 'liaison.request.rejected.v1'"""

NUMBER_EVENTS = """
with due as materialized (
    select seq, type, subject from event where seq > $2 and seq <= $3 order by seq limit $4
), registered as materialized (
    select seq, subject::uuid as id from due where type = 'liaison.request.registered.v1'
), concerned as (
    select id from registered
), named (id, name) as {names}, entry as (
    select registered.seq, registered.id, named.name from registered join named using (id)
    union all
    select seq, null, name from unnest($5::bigint[], $6::text[]) as rejected (seq, name)
), added as (
    insert into feed (position, name, request_id, event_seq)
    select $1::bigint + row_number() over (order by seq, name), name, id, seq from entry
    returning 1
)
select (select max(seq) from due) as last, (select count(*) from added) as entries""".replace(
    "{names}", _NAMES
)

# A merged request's names have what happens to the matter that it is followed in, from the merge on. What was missed
# because the merge was learned later comes with the next event of either; the way along merges ends after 20.
NUMBER_MATTERS = """
with recursive due as materialized (
    select seq, subject from matter_event where seq > $2 and seq <= $3 order by seq limit $4
), merged (id) as (
    (select found.request_id
     from (select distinct subject from due) as due
     cross join lateral (
         select request_id from progress where request_id = due.subject and merged_into is not null
         union
         select request_id from progress where merged_into = due.subject
     ) as found)
    union
    select found.request_id
    from merged
    cross join lateral (
        select request_id from progress where progress.merged_into = merged.id offset 0) as found
), path (id, matter, since, depth) as (
    select id, id, null::timestamptz, 0 from merged
    union
    select path.id, found.merged_into, greatest(path.since, found.since), depth + 1
    from path
    cross join lateral (
        select merged_into, (
            select max(at) from timeline
            where timeline.request_id = progress.request_id and type = 'matter.merged') as since
        from progress
        where progress.request_id = path.matter and merged_into is not null offset 0) as found
    where depth < 20
), concerned as (
    select subject as id from due union select id from merged
), named (id, name) as {names}, entry as (
    select distinct on (name, seq) seq, id, name, followed
    from (
        select due.seq, named.id, named.name, false as followed
        from due join named on named.id = due.subject
        union all
        select matter_event.seq, named.id, named.name, true
        from path
        cross join lateral (
            select seq from matter_event
            where matter_event.subject = path.matter and matter_event.at >= path.since
              and matter_event.type not in ('liaison.matter.amended.v1', 'liaison.matter.opened.v1')
            offset 0) as matter_event
        join named on named.id = path.id
        where matter_event.seq <= (select max(seq) from due)
          and (select 1 from feed
               where feed.matter_seq = matter_event.seq and feed.name = named.name) is null
    ) as found
    order by name, seq, followed, id
), added as (
    insert into feed (position, name, request_id, matter_seq, followed)
    select $1::bigint + row_number() over (order by seq, followed, name), name, id, seq, followed
    from entry
    returning 1
)
select (select max(seq) from due) as last, (select count(*) from added) as entries""".replace(
    "{names}", _NAMES
)


async def number_events(conn: Connection, head: Numbered, up_to: int, most: int) -> Numbered:
    """Number intake's own next events up to that one, `most` of them; return the head afterwards."""
    due = (head.event_seq, up_to, most)
    rejected = {
        row["seq"]: orjson.loads(row["data"])["source"]
        for row in await conn.fetch(SELECT_REJECTED, *due)
    }
    row = await conn.fetchrow(
        NUMBER_EVENTS, head.position, *due, list(rejected), list(rejected.values())
    )
    if row is None or row["last"] is None:
        return head
    return head._replace(position=head.position + row["entries"], event_seq=row["last"])


async def number_matters(conn: Connection, head: Numbered, up_to: int, most: int) -> Numbered:
    """Number the next events of matters up to that one, `most` of them; return the head afterwards."""
    row = await conn.fetchrow(NUMBER_MATTERS, head.position, head.matter_seq, up_to, most)
    if row is None or row["last"] is None:
        return head
    return head._replace(position=head.position + row["entries"], matter_seq=row["last"])
