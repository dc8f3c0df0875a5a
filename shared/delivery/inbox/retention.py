"""Retention of processed ids (deduplication): those that Kafka cannot deliver again are deleted."""

from datetime import datetime

from shared.runtime.database import Connection

DAYS = 37
"""Days that an id is kept: longer than any topic but the compacted one keeps a record (30), with a week to spare."""

FORGET_LIMIT = 5000

FORGET_PROCESSED = """
delete from inbox where ctid = any(array(
    select ctid from inbox where at < now() - make_interval(days => $1) order by at limit $2))"""


async def forget_processed(conn: Connection) -> bool:
    """Delete processed ids older than 37 days, 5,000 at most; return whether there may be more.

    A record that comes again after that is known by its subject's version, or is another record to its sender too.
    """
    return await conn.execute(FORGET_PROCESSED, DAYS, FORGET_LIMIT) == f"DELETE {FORGET_LIMIT}"


# A day less: an id is drawn by another machine's clock, and kept from when its record was processed.
SELECT_KNOWN_SINCE = """
select greatest(max(applied_at), now() - make_interval(days => $1)) from migration"""


async def known_since(conn: Connection) -> datetime:
    """Return the moment since which the id of every processed event is stored.

    The latest upgrade, since a migration may have had the service forget ids to learn some subjects anew, but 36 days
    ago at the earliest.
    """
    found: datetime = await conn.fetchval(SELECT_KNOWN_SINCE, DAYS - 1)
    return found
