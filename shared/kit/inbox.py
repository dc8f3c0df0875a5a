"""The tables of what came in: claims, versions seen and letters that wait. Plain SQL, no judgement."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from shared.kit.cloudevents import Raw
from shared.kit.db import Connection

# Sorted, so that two consumers of the same records never wait for each other in a circle.
CLAIM = """
insert into inbox (event_id, topic, partition, "offset")
select given.event_id, given.topic, given.partition, given."offset"
from unnest($1::uuid[], $2::text[], $3::int[], $4::bigint[])
     as given (event_id, topic, partition, "offset")
order by given.event_id
on conflict do nothing
returning event_id"""


async def claim(conn: Connection, ids: Sequence[UUID], raws: Sequence[Raw]) -> set[UUID]:
    """Mark events as taken in by this transaction; those that no transaction had taken before."""
    rows = await conn.fetch(
        CLAIM,
        ids,
        [raw.topic for raw in raws],
        [raw.partition for raw in raws],
        [raw.offset for raw in raws],
    )
    return {row["event_id"] for row in rows}


@dataclass(frozen=True, slots=True)
class Seen:
    """How far a subject has been followed on a topic; `held` when letters of it wait."""

    version: int
    held: bool


LOAD_SEEN = """
select subject, topic, version, held from seen
where subject = any($1::text[]) order by subject, topic for update"""


async def load_seen(conn: Connection, subjects: Sequence[str]) -> dict[tuple[str, str], Seen]:
    """What is known of these subjects, by (subject, topic), locked until the transaction ends."""
    return {
        (row["subject"], row["topic"]): Seen(row["version"], row["held"])
        for row in await conn.fetch(LOAD_SEEN, subjects)
    }


SAVE_SEEN = """
insert into seen as old (subject, topic, version, held)
select given.subject, given.topic, given.version, given.held
from unnest($1::text[], $2::text[], $3::int[], $4::bool[])
     as given (subject, topic, version, held)
order by given.subject, given.topic
on conflict (subject, topic) do update set version = excluded.version, held = excluded.held"""


async def save_seen(conn: Connection, seen: dict[tuple[str, str], Seen]) -> None:
    """Store how far these subjects have been followed."""
    if seen:
        await conn.execute(
            SAVE_SEEN,
            [subject for subject, _ in seen],
            [topic for _, topic in seen],
            [state.version for state in seen.values()],
            [state.held for state in seen.values()],
        )


@dataclass(frozen=True, slots=True)
class Letter:
    """A message set aside: why, and all that is needed to try it again."""

    fate: str
    reason: str
    raw: Raw
    subject: str | None
    version: int | None


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A letter as it lies in the table. `asked` is what an operator wants done with it."""

    id: UUID
    letter: Letter
    asked: str | None
    asked_by: str | None
    asked_because: str | None
    first_failed_at: datetime
    last_failed_at: datetime


INSERT_LETTER = """
insert into dead_letter as old (fate, reason, topic, partition, "offset", value_hash, key, value,
                                header_names, header_values, subject, version)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict on constraint dead_letter_place do update
set fate = excluded.fate, reason = excluded.reason, state = 'waiting', asked = null,
    attempts = old.attempts + 1, last_failed_at = now()
returning id, fate, reason, topic, partition, "offset", key, value, header_names, header_values,
          subject, version, asked, asked_by, asked_because, first_failed_at, last_failed_at"""


async def set_aside(conn: Connection, letter: Letter) -> StoredLetter:
    """Keep a letter; the same message set aside again only renews its reason."""
    raw = letter.raw
    row = await conn.fetchrow(
        INSERT_LETTER,
        letter.fate,
        letter.reason,
        raw.topic,
        raw.partition,
        raw.offset,
        hashlib.sha256(raw.value or b"").digest(),
        raw.key,
        raw.value,
        [name.replace("\0", "") for name, _ in raw.headers],
        [value for _, value in raw.headers],
        letter.subject,
        letter.version,
    )
    assert row is not None, "an upsert returns its row"  # noqa: S101 - narrows the type
    return _stored(row)


LOAD_HELD = """
select id, fate, reason, topic, partition, "offset", key, value, header_names, header_values,
       subject, version, asked, asked_by, asked_because, first_failed_at, last_failed_at
from dead_letter
where state = 'waiting' and fate in ('early', 'gap') and subject = any($1::text[])
order by subject, topic, version limit $2
for update"""


async def load_held(conn: Connection, subjects: Sequence[str], limit: int) -> list[StoredLetter]:
    """The letters of these subjects that wait for something to come first, `limit` at most."""
    return [_stored(row) for row in await conn.fetch(LOAD_HELD, subjects, limit)]


LOAD_ASKED = """
select id, fate, reason, topic, partition, "offset", key, value, header_names, header_values,
       subject, version, asked, asked_by, asked_because, first_failed_at, last_failed_at
from dead_letter
where asked is not null and state = 'waiting'
order by subject, topic, version limit 1
for update skip locked"""


async def next_asked(conn: Connection) -> StoredLetter | None:
    """A letter that an operator wants replayed or discarded, locked; the lowest version first."""
    row = await conn.fetchrow(LOAD_ASKED)
    return None if row is None else _stored(row)


SETTLE_LETTERS = """
update dead_letter set state = $2, asked = null, last_failed_at = now() where id = any($1::uuid[])"""


async def settle(conn: Connection, ids: Sequence[UUID], state: str) -> None:
    """Mark letters as `replayed` or `discarded`."""
    await conn.execute(SETTLE_LETTERS, ids, state)


DELETE_LETTERS = "delete from dead_letter where id = any($1::uuid[])"


async def forget(conn: Connection, ids: Sequence[UUID]) -> None:
    """Drop letters that only had to wait for their turn, which has come."""
    await conn.execute(DELETE_LETTERS, ids)


COUNT_HELD = """
select subject, topic from dead_letter
where state = 'waiting' and subject = any($1::text[]) group by subject, topic"""


async def still_held(conn: Connection, subjects: Sequence[str]) -> set[tuple[str, str]]:
    """Which (subject, topic) still have letters that wait."""
    return {(row["subject"], row["topic"]) for row in await conn.fetch(COUNT_HELD, subjects)}


def _stored(row: asyncpg.Record) -> StoredLetter:
    raw = Raw(
        row["topic"],
        row["partition"],
        row["offset"],
        row["key"],
        row["value"],
        tuple(zip(row["header_names"], row["header_values"], strict=True)),
    )
    letter = Letter(row["fate"], row["reason"], raw, row["subject"], row["version"])
    return StoredLetter(
        row["id"],
        letter,
        row["asked"],
        row["asked_by"],
        row["asked_because"],
        row["first_failed_at"],
        row["last_failed_at"],
    )
