"""Clears a projection's position in a topic, so that a read model can be built again."""

from shared.runtime.database import Connection

# Before anything is forgotten: a batch at work would leave claims behind of what is forgotten.
LOCK_TAKEN = "lock table inbox, seen in share row exclusive mode"

FORGET_CLAIMS = "delete from inbox where topic = $1"
FORGET_SEEN = "delete from seen where topic = $1"
FORGET_EARLY = """
delete from dead_letter where topic = $1 and state = 'waiting' and fate in ('early', 'gap')"""


async def forget(conn: Connection, topic: str) -> None:
    """Reset the position in `topic`, in the caller's transaction, so that all events are applied again.

    Consumers wait until it ends. Letters that only waited for their turn go: their events come again.
    """
    await conn.execute(LOCK_TAKEN)
    for statement in (FORGET_CLAIMS, FORGET_SEEN, FORGET_EARLY):
        await conn.execute(statement, topic)
