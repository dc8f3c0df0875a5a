"""Sends a service's history again, for a Kafka that has lost it; readers pass over what they have taken in."""

from shared.kit.db import Connection
from shared.kit.relay import REQUEST_SECONDS, SIGN_OF_LIFE_SECONDS, STOP_SECONDS

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


async def rewind(conn: Connection, after: int = 0) -> int:
    """Have the relay send every event above `after` again, in order; how many more than were pending.

    Call it outside of a transaction, when Kafka is back and before its topics are made: what is recorded meanwhile
    must not be sent before what was recorded earlier. The relay is ended first, which takes its process up to
    `GONE_SECONDS`; make the topics then.
    """
    await conn.fetchval(END_RELAY, WAIT_MS)
    done = await conn.execute(SEND_AGAIN, after)
    return int(done.rsplit(" ", 1)[-1])
