"""Sends a service's history again, for a Kafka that has lost it; readers pass over what they have taken in."""

from shared.kit.db import Connection

WAIT_MS = 15_000

# A relay that has a batch out would forget, when the rest of it is acknowledged, what only the lost Kafka had.
END_RELAY = """
select count(pg_terminate_backend(pid, $1)) from pg_locks
where locktype = 'advisory' and granted and pid <> pg_backend_pid()
  and (classid::bigint << 32) | objid::bigint = hashtextextended('liaison.relay.' || current_schema(), 0)
  and database = (select oid from pg_database where datname = current_database())"""

SEND_AGAIN = """
insert into outbox (seq) select seq from event where seq > $1 on conflict do nothing"""


async def rewind(conn: Connection, after: int = 0) -> int:
    """Have the relay send every event above `after` again, in order; how many more than were pending.

    Call it when Kafka is back with its topics, outside of a transaction: the relay is ended first, and begins again.
    """
    await conn.fetchval(END_RELAY, WAIT_MS)
    done = await conn.execute(SEND_AGAIN, after)
    return int(done.rsplit(" ", 1)[-1])
