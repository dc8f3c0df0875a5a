"""Dead letters for operators: list, show, request a replay or a discard."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from shared.runtime.database import Connection

# A letter that came early is on its way for a moment; a gap is one only when it lasts.
LIST_WAITING = """
select id, fate, state, reason, topic, partition, "offset", subject, version, attempts,
       first_failed_at, last_failed_at, asked
from dead_letter
where state = 'waiting'
  and (fate in ('poison', 'failed', 'unknown_version') or first_failed_at < now() - interval '60 seconds')
order by first_failed_at desc, id desc limit $1"""

LIST_ALL = """
select id, fate, state, reason, topic, partition, "offset", subject, version, attempts,
       first_failed_at, last_failed_at, asked
from dead_letter
where fate in ('poison', 'failed', 'unknown_version') or first_failed_at < now() - interval '60 seconds'
order by first_failed_at desc, id desc limit $1"""


async def list_letters(
    conn: Connection, limit: int, *, settled: bool = False
) -> list[dict[str, Any]]:
    """Return the newest waiting letters, `limit` at most; with `settled` also replayed and discarded ones."""
    rows = await conn.fetch(LIST_ALL if settled else LIST_WAITING, limit)
    return [dict(row) for row in rows]


SHOW = """
select id, fate, state, reason, topic, partition, "offset", key, value, header_names, header_values,
       subject, version, attempts, first_failed_at, last_failed_at, asked, asked_by, asked_because
from dead_letter where id = $1"""


async def show_letter(conn: Connection, letter_id: UUID) -> dict[str, Any] | None:
    """Return one letter with its raw key, value and headers; None when there is none of that id."""
    row = await conn.fetchrow(SHOW, letter_id)
    return None if row is None else dict(row)


ASK = """
update dead_letter set asked = $2, asked_by = $3, asked_because = $4
where id = any($1::uuid[]) and state = 'waiting' returning id"""


async def ask(
    conn: Connection, ids: Sequence[UUID], what: str, by: str, because: str | None
) -> list[UUID]:
    """Request `replay` or `discard` of letters; return the ids that were waiting. The service acts within seconds."""
    return [row["id"] for row in await conn.fetch(ASK, ids, what, by, because)]


LIKE = """
select other.id from dead_letter as one join dead_letter as other using (topic, fate)
where one.id = any($1::uuid[]) and other.state = 'waiting'
order by other.id limit $2"""


async def like(conn: Connection, ids: Sequence[UUID], limit: int) -> list[UUID]:
    """Return waiting letters of the same topic and fate as one of these, `limit` at most, oldest first."""
    return [row["id"] for row in await conn.fetch(LIKE, ids, limit)]


SELECT_STATES = "select id, state, asked from dead_letter where id = any($1::uuid[])"


async def states(conn: Connection, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return the state of these letters; `failed` is one that was replayed and waits again."""
    return {
        row["id"]: "failed" if row["state"] == "waiting" and row["asked"] is None else row["state"]
        for row in await conn.fetch(SELECT_STATES, ids)
    }


MEND = """
update dead_letter set value = $2, value_hash = sha256($2)
where id = $1 and state = 'waiting' returning id"""


async def mend_letter(conn: Connection, letter_id: UUID, value: bytes) -> bool:
    """Replace the value of a waiting letter before its replay; return whether it was there."""
    return await conn.fetchval(MEND, letter_id, value) is not None
