"""Publishes a service's history again, for a Kafka that has lost it; consumers drop duplicates."""

from dataclasses import dataclass

from shared.delivery.outbox.relay import REQUEST_SECONDS, SIGN_OF_LIFE_SECONDS, STOP_SECONDS
from shared.runtime.database import Connection, counted

WAIT_MS = 15_000
GONE_SECONDS = SIGN_OF_LIFE_SECONDS + STOP_SECONDS + REQUEST_SECONDS

# A relay that has a batch out would forget, when the rest of it is acknowledged, what only the lost Kafka had.
END_RELAY = """
select count(pg_terminate_backend(pid, $1)) from pg_locks
where locktype = 'advisory' and granted and pid <> pg_backend_pid()
  and (classid::bigint << 32) | objid::bigint = hashtextextended('liaison.relay.' || current_schema(), 0)
  and database = (select oid from pg_database where datname = current_database())"""

SEND_AGAIN = """
insert into outbox (seq) select seq from event where seq > $1 on conflict do nothing"""

SEND_PART_AGAIN = """
with part as (select seq from event where seq > $1 and seq <= $2 order by seq limit $3),
     again as (insert into outbox (seq) select seq from part on conflict do nothing)
select coalesce(max(seq), $2) as last, count(*) as events from part"""

SELECT_HEAD = "select coalesce(max(seq), 0) from event"
SELECT_NEXT = "select coalesce(min(seq), 0) from outbox"
SELECT_PENDING_UP_TO = (
    "select count(*) from (select from outbox where seq <= $1 order by seq limit $2) as pending"
)


async def rewind(conn: Connection, after: int = 0) -> int:
    """Have the relay send every event above `after` again, in order; how many more than were pending.

    Call it outside of a transaction, when Kafka is back and before its topics are made: what is recorded meanwhile
    must not be sent before what was recorded earlier. The relay is ended first, which takes its process up to
    `GONE_SECONDS`; make the topics then.
    """
    await end_relay(conn)
    return await mark_again(conn, after)


async def end_relay(conn: Connection) -> int:
    """End the relay at work, if one is: its process notices within `GONE_SECONDS`. How many were ended."""
    ended: int = await conn.fetchval(END_RELAY, WAIT_MS)
    return ended


async def mark_again(conn: Connection, after: int = 0) -> int:
    """The same where no relay is at work, inside the caller's transaction."""
    return counted(await conn.execute(SEND_AGAIN, after))


@dataclass(frozen=True, slots=True)
class RewoundPart:
    """Some events of a history, up to the one with the number `last`."""

    last: int
    events: int


async def mark_part(conn: Connection, after: int, up_to: int, limit: int) -> RewoundPart:
    """Have the relay send the next `limit` events above `after` again, while it goes on with the new ones.

    For a Kafka that has lost nothing: newer events of a subject may well be there already.
    """
    row = await conn.fetchrow(SEND_PART_AGAIN, after, up_to, limit)
    assert row is not None, "an aggregate returns its row"  # noqa: S101 - narrows the type
    return RewoundPart(row["last"], row["events"])


async def head(conn: Connection) -> int:
    """The number of the last event, 0 before the first."""
    found: int = await conn.fetchval(SELECT_HEAD)
    return found


async def next_to_send(conn: Connection) -> int:
    """The number of the event that Kafka gets next, 0 when it has all."""
    found: int = await conn.fetchval(SELECT_NEXT)
    return found


async def pending(conn: Connection, up_to: int, most: int) -> int:
    """How many events up to this number Kafka has not got; the counting ends at `most`."""
    found: int = await conn.fetchval(SELECT_PENDING_UP_TO, up_to, most)
    return found
