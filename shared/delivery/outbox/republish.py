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
    """Mark every event above `after` to be published again, in order; return how many became pending.

    Call it outside of a transaction, when Kafka is back and before its topics are made: what is recorded meanwhile
    must not be sent before what was recorded earlier. The relay is ended first, which takes its process up to
    `GONE_SECONDS`; make the topics then.
    """
    await end_relay(conn)
    return await mark_again(conn, after)


async def end_relay(conn: Connection) -> int:
    """End the working relay, which notices within `GONE_SECONDS`; return how many were ended."""
    ended: int = await conn.fetchval(END_RELAY, WAIT_MS)
    return ended


async def mark_again(conn: Connection, after: int = 0) -> int:
    """Mark events like `rewind`, without a working relay, inside the caller's transaction."""
    return counted(await conn.execute(SEND_AGAIN, after))


@dataclass(frozen=True, slots=True)
class RewoundPart:
    """A part of a history, up to the event numbered `last`."""

    last: int
    events: int


async def mark_part(conn: Connection, after: int, up_to: int, limit: int) -> RewoundPart:
    """Mark the next `limit` events above `after` to be published again, beside new ones.

    For a Kafka that has lost nothing: newer events of a subject may well be there already.
    """
    row = await conn.fetchrow(SEND_PART_AGAIN, after, up_to, limit)
    assert row is not None, "an aggregate returns its row"  # noqa: S101 - narrows the type
    return RewoundPart(row["last"], row["events"])


async def head(conn: Connection) -> int:
    """Return the number of the last event, 0 without any."""
    found: int = await conn.fetchval(SELECT_HEAD)
    return found


async def next_to_send(conn: Connection) -> int:
    """Return the number of the next event to publish, 0 when none is pending."""
    found: int = await conn.fetchval(SELECT_NEXT)
    return found


async def pending(conn: Connection, up_to: int, most: int) -> int:
    """Count pending events up to this number, `most` at most."""
    found: int = await conn.fetchval(SELECT_PENDING_UP_TO, up_to, most)
    return found
