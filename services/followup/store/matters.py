"""The rows of matters: loaded locked, stored whole, and what is due for the sweep."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import orjson
from pydantic import TypeAdapter

from services.followup.domain.matter import Matter
from shared.kit.db import Connection

_MATTER = TypeAdapter(Matter)


class Overtaken(RuntimeError):
    """A row was not at the version that was decided on, though it should have been locked."""


LOAD_LOCKED = "select body from matter where id = any($1::uuid[]) order by id for update"


async def load_locked(conn: Connection, ids: Iterable[UUID]) -> dict[str, Matter]:
    """The matters with these ids, locked in the order of their ids until the transaction ends."""
    rows = await conn.fetch(LOAD_LOCKED, sorted(set(ids)))
    return {matter.id: matter for matter in (from_body(row["body"]) for row in rows)}


LOAD = "select body from matter where id = any($1::uuid[])"


async def load(conn: Connection, ids: Sequence[UUID | str]) -> dict[str, Matter]:
    """The matters with these ids, not locked."""
    rows = await conn.fetch(LOAD, ids)
    return {matter.id: matter for matter in (from_body(row["body"]) for row in rows)}


def from_body(body: str) -> Matter:
    """The matter in a row's body."""
    return _MATTER.validate_json(body)


# A matter that a second sweep has in hand is passed over; the lock is the matter's row, as everywhere.
LOAD_DUE = """
select body from matter where act_at <= $1 order by act_at limit $2 for update skip locked"""


async def load_due(conn: Connection, now: datetime, limit: int) -> list[Matter]:
    """Matters with a clock that is due, the longest due first, locked."""
    return [from_body(row["body"]) for row in await conn.fetch(LOAD_DUE, now, limit)]


INSERT_MATTERS = """
insert into matter (id, version, state, round, category, park, owner_id, visit_state, exemption,
                    merged_into, joint_id, next_due_at, act_at, breached, body)
select given.id, given.version, given.state, given.round, given.category, given.park,
       given.owner_id, given.visit_state, given.exemption, given.merged_into, given.joint_id,
       given.next_due_at, given.act_at, given.breached, given.body
from unnest($1::uuid[], $2::int[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::uuid[], $11::uuid[], $12::timestamptz[],
            $13::timestamptz[], $14::bool[], $15::json[])
     as given (id, version, state, round, category, park, owner_id, visit_state, exemption,
               merged_into, joint_id, next_due_at, act_at, breached, body)"""


async def insert_matters(conn: Connection, matters: Sequence[Matter]) -> None:
    """Store matters that are new. Raises asyncpg.UniqueViolationError when one is not."""
    await conn.execute(INSERT_MATTERS, *_columns(matters))


UPDATE_MATTERS = """
update matter
set version = given.version, state = given.state, round = given.round, category = given.category,
    park = given.park, owner_id = given.owner_id, visit_state = given.visit_state,
    exemption = given.exemption, merged_into = given.merged_into, joint_id = given.joint_id,
    next_due_at = given.next_due_at, act_at = given.act_at, breached = given.breached,
    body = given.body
from unnest($1::uuid[], $2::int[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::uuid[], $11::uuid[], $12::timestamptz[],
            $13::timestamptz[], $14::bool[], $15::json[], $16::int[])
     as given (id, version, state, round, category, park, owner_id, visit_state, exemption,
               merged_into, joint_id, next_due_at, act_at, breached, body, was)
where matter.id = given.id and matter.version = given.was"""


async def update_matters(
    conn: Connection, matters: Sequence[Matter], versions: Sequence[int]
) -> None:
    """Store matters that were at `versions`. Raises Overtaken when one was not."""
    done = await conn.execute(UPDATE_MATTERS, *_columns(matters), versions)
    if done != f"UPDATE {len(matters)}":
        raise Overtaken(f"{done} of {len(matters)} matters")


def _columns(matters: Sequence[Matter]) -> tuple[list[object], ...]:
    rows = [_row(matter) for matter in matters]
    return tuple([row[at] for row in rows] for at in range(len(rows[0])))


def _row(matter: Matter) -> tuple[object, ...]:
    return (
        matter.id,
        matter.version,
        matter.state,
        matter.round,
        matter.category,
        matter.park,
        matter.owner.id if matter.owner else None,
        matter.visit.state if matter.visit else None,
        matter.closing.exemption if matter.closing else None,
        matter.merging.into if matter.merging else None,
        matter.joint.joint_id if matter.joint else None,
        matter.next_due_at,
        matter.act_at,
        matter.breached,
        orjson.dumps(matter).decode(),
    )


SELECT_MERGED = "select id from matter where merged_into = $1 order by id limit 200"


async def merged_into(conn: Connection, matter_id: UUID) -> list[str]:
    """The matters that were merged into this one, the first 200."""
    return [str(row["id"]) for row in await conn.fetch(SELECT_MERGED, matter_id)]


SELECT_JOINED = "select id from matter where joint_id = $1 order by id limit 200"


async def joined_in(conn: Connection, joint_id: UUID) -> list[str]:
    """The matters of a joint matter, the first 200."""
    return [str(row["id"]) for row in await conn.fetch(SELECT_JOINED, joint_id)]
