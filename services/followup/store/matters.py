"""Rows of matters: loaded locked, stored whole, and read by the sweep."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import orjson
from pydantic import TypeAdapter

from services.followup.domain.matter import Matter
from shared.runtime.database import Connection

_MATTER = TypeAdapter(Matter)


class LostUpdate(RuntimeError):
    """A row was not at the version that was decided on, although it should have been locked."""


LOAD_LOCKED = "select body from matter where id = any($1::uuid[]) order by id for update"


async def load_locked(conn: Connection, ids: Iterable[UUID]) -> dict[str, Matter]:
    """Load the matters with these ids, locked in the order of ids until the transaction ends."""
    rows = await conn.fetch(LOAD_LOCKED, sorted(set(ids)))
    return {matter.id: matter for matter in (from_body(row["body"]) for row in rows)}


SELECT_STATE = "select state from matter where id = $1"


async def load_state(conn: Connection, matter_id: UUID) -> str | None:
    """Return the state of a matter; None for an unknown one."""
    state: str | None = await conn.fetchval(SELECT_STATE, matter_id)
    return state


# What was locked by somebody else is not waited for: 55P03, after which the whole is tried again.
LOAD_LOCKED_NOW = LOAD_LOCKED + " nowait"


async def load_locked_now(conn: Connection, ids: Iterable[UUID]) -> dict[str, Matter]:
    """Like `load_locked`, but raises asyncpg.LockNotAvailableError in place of waiting for a lock."""
    rows = await conn.fetch(LOAD_LOCKED_NOW, sorted(set(ids)))
    return {matter.id: matter for matter in (from_body(row["body"]) for row in rows)}


# Lateral: each matter by its key, and not all that were ever merged for each step.
SELECT_TARGETS = """
with recursive target (id) as (
    select merged_into from matter where id = any($1::uuid[]) and merged_into is not null
    union
    select matter.merged_into
    from target
    cross join lateral (
        select merged_into from matter where matter.id = target.id and merged_into is not null offset 0) as matter)
select id from target"""


async def merge_targets(conn: Connection, ids: Iterable[UUID]) -> set[UUID]:
    """Return the ids of the matters that these were merged into, and their targets in turn, unlocked."""
    return {row["id"] for row in await conn.fetch(SELECT_TARGETS, list(ids))}


LOAD = "select body from matter where id = any($1::uuid[])"


async def load(conn: Connection, ids: Sequence[UUID | str]) -> dict[str, Matter]:
    """Load the matters with these ids, unlocked."""
    rows = await conn.fetch(LOAD, ids)
    return {matter.id: matter for matter in (from_body(row["body"]) for row in rows)}


def from_body(body: str) -> Matter:
    """Return the matter in a row's body."""
    return _MATTER.validate_json(body)


# A matter that a second sweep has in hand is passed over; the lock is the matter's row, as everywhere.
LOAD_DUE = """
select body from matter where act_at <= $1 order by act_at limit $2 for update skip locked"""


async def load_due(conn: Connection, now: datetime, limit: int) -> list[Matter]:
    """Load matters with a due clock, longest due first, locked."""
    return [from_body(row["body"]) for row in await conn.fetch(LOAD_DUE, now, limit)]


OPEN_AFTER = """
select id from matter
where id > $1 and state not in ('closed', 'merged', 'rejected', 'withdrawn') order by id limit $2"""


async def open_after(conn: Connection, after: UUID, limit: int) -> list[UUID]:
    """Load the next open matters in the order of ids."""
    return [row["id"] for row in await conn.fetch(OPEN_AFTER, after, limit)]


# The body keeps the limits as they are: only the moment at which the sweep looks again moves.
PUT_OFF = """
update matter set act_at = given.act_at
from unnest($1::uuid[], $2::timestamptz[]) as given (id, act_at) where matter.id = given.id"""


async def put_off(conn: Connection, resting: Sequence[tuple[str, datetime]]) -> None:
    """Set when the sweep looks at these matters next; the caller has locked them."""
    ids, moments = zip(*resting, strict=True)
    await conn.execute(PUT_OFF, ids, moments)


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
    """Insert new matters. Raises asyncpg.UniqueViolationError when one exists."""
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
        raise LostUpdate(f"{done} of {len(matters)} matters")


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
    """Return the first 200 matters that were merged into this one."""
    return [str(row["id"]) for row in await conn.fetch(SELECT_MERGED, matter_id)]


SELECT_ALL_MERGED = "select id from matter where merged_into = any($1::uuid[]) order by id"


async def all_merged_into(conn: Connection, ids: Sequence[UUID]) -> list[UUID]:
    """Return all matters that were merged into one of these; their number is bounded."""
    return [row["id"] for row in await conn.fetch(SELECT_ALL_MERGED, ids)]


async def load_with_merged(
    conn: Connection, ids: Iterable[UUID], ending: Sequence[UUID]
) -> dict[str, Matter]:
    """Load the matters with these ids, and those merged into one of `ending`, all locked.

    Raises asyncpg.LockNotAvailableError when one was merged there meanwhile and somebody else has locked it.
    """
    if not ending:
        return await load_locked(conn, ids)
    loaded = await load_locked(conn, {*ids, *await all_merged_into(conn, ending)})
    # A merge locks both of its matters, so that none can come in any more.
    late = {each for each in await all_merged_into(conn, ending) if str(each) not in loaded}
    return loaded | (await load_locked_now(conn, late) if late else {})


SELECT_ORPHANS = """
select merged.id, merged.merged_into from matter merged
join matter ended on ended.id = merged.merged_into
where merged.merged_into is not null and ended.state in ('withdrawn', 'rejected')
order by merged.id limit $1"""


async def merged_into_nothing(conn: Connection, limit: int) -> list[tuple[UUID, UUID]]:
    """Return matters merged into one that ended without an answer, each with its target."""
    rows = await conn.fetch(SELECT_ORPHANS, limit)
    return [(row["id"], row["merged_into"]) for row in rows]


SELECT_JOINED = "select id from matter where joint_id = $1 order by id limit 200"


async def joined_in(conn: Connection, joint_id: UUID) -> list[str]:
    """Return the first 200 matters of a joint matter."""
    return [str(row["id"]) for row in await conn.fetch(SELECT_JOINED, joint_id)]
