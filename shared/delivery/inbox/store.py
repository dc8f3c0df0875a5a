"""The inbox's tables: processed ids, versions seen, parked messages and dead letters."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from shared.delivery.cloudevents import Raw
from shared.runtime.database import Connection

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
    """Insert the ids of events in this transaction (deduplication); return those that were new."""
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
    """The last applied version of a subject on a topic; `held` when letters of it wait."""

    version: int
    held: bool


LOAD_SEEN = """
select subject, topic, version, held from seen
where subject = any($1::text[]) order by subject, topic for update"""


async def load_seen(conn: Connection, subjects: Sequence[str]) -> dict[tuple[str, str], Seen]:
    """Load the progress of these subjects by (subject, topic), locked until the transaction ends."""
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
    """Store the progress of these subjects."""
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
    """A message set aside: the reason, and everything needed to process it again."""

    fate: str
    reason: str
    raw: Raw
    subject: str | None
    version: int | None


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A row of the table of letters. `asked` is the operator's request."""

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
    """Store a letter; for a message stored before, only its reason is renewed."""
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


# Of each subject and topic the letters that follow on what has been applied without a gap, counting the discarded as
# steps: the seen rows are locked, so the window needs no lock of its own.
LOAD_DUE = """
select id, fate, reason, topic, partition, "offset", key, value, header_names, header_values,
       subject, version, asked, asked_by, asked_because, first_failed_at, last_failed_at
from (
    select letter.*, seen.version as applied,
           dense_rank() over (partition by letter.subject, letter.topic
                              order by greatest(letter.version, seen.version)) as step,
           bool_or(letter.version <= seen.version)
               over (partition by letter.subject, letter.topic) as has_stale
    from dead_letter as letter join seen using (subject, topic)
    where letter.subject = any($1::text[])
      and (letter.state = 'waiting' and letter.fate in ('early', 'gap')
           or letter.state = 'discarded' and letter.version > seen.version)
) as letter
where state = 'waiting' and greatest(version, applied) = applied + step - has_stale::int
order by subject, topic, version limit $2"""


async def load_due(conn: Connection, subjects: Sequence[str], limit: int) -> list[StoredLetter]:
    """Return letters of these subjects whose turn has come or has passed, `limit` at most."""
    return [_stored(row) for row in await conn.fetch(LOAD_DUE, subjects, limit)]


LOAD_DISCARDED = """
select letter.subject, letter.topic, letter.version from dead_letter as letter
where letter.state = 'discarded' and letter.subject = any($1::text[]) and letter.version is not null"""


async def load_discarded(
    conn: Connection, subjects: Sequence[str]
) -> frozenset[tuple[str, str, int]]:
    """Return the (subject, topic, version) that an operator discarded, so that subjects go on without them."""
    return frozenset(
        (row["subject"], row["topic"], row["version"])
        for row in await conn.fetch(LOAD_DISCARDED, subjects)
    )


RENEW_LETTERS = """
update dead_letter as letter
set fate = given.fate, reason = given.reason, attempts = attempts + 1, last_failed_at = now()
from unnest($1::uuid[], $2::text[], $3::text[]) as given (id, fate, reason)
where letter.id = given.id"""


async def renew(conn: Connection, tried: Sequence[tuple[UUID, str, str]]) -> None:
    """Renew waiting letters (id, fate, reason) after another attempt."""
    if tried:
        await conn.execute(RENEW_LETTERS, *(list(column) for column in zip(*tried, strict=True)))


# After each try a letter rests as long as it has waited by then, from 2 s to 5 min.
LOAD_FORGOTTEN = """
select distinct letter.subject
from seen join dead_letter as letter using (subject, topic)
where seen.held and letter.state = 'waiting' and letter.fate in ('early', 'gap')
  and letter.version <= seen.version + 1
  and letter.last_failed_at < now() - least(interval '5 minutes', greatest(interval '2 seconds',
                                            letter.last_failed_at - letter.first_failed_at))
limit $1"""


async def load_forgotten(conn: Connection, limit: int) -> list[str]:
    """Return subjects with a letter whose turn may have come unnoticed, `limit` at most."""
    return [row["subject"] for row in await conn.fetch(LOAD_FORGOTTEN, limit)]


ASK_KNOWN = """
update dead_letter set asked = 'replay', asked_by = $2, asked_because = 'its type is known by now'
where state = 'waiting' and fate = 'unknown_version' and asked is null
  and last_failed_at < now() - interval '60 seconds'
  and header_values[array_position(header_names, 'ce_type')] = any($1::bytea[])"""


async def ask_known(conn: Connection, types: Sequence[str], by: str) -> None:
    """Request the replay of letters whose type was newer than the program that set them aside."""
    await conn.execute(ASK_KNOWN, [name.encode() for name in types], by)


LOAD_ASKED = """
select id, fate, reason, topic, partition, "offset", key, value, header_names, header_values,
       subject, version, asked, asked_by, asked_because, first_failed_at, last_failed_at
from dead_letter
where asked is not null and state = 'waiting'
order by subject, topic, version limit 1"""


async def next_asked(conn: Connection) -> StoredLetter | None:
    """Return a letter with an operator's request, not locked; the lowest version first."""
    row = await conn.fetchrow(LOAD_ASKED)
    return None if row is None else _stored(row)


LOCK_ASKED = """
select id, fate, reason, topic, partition, "offset", key, value, header_names, header_values,
       subject, version, asked, asked_by, asked_because, first_failed_at, last_failed_at
from dead_letter
where id = $1 and asked is not null and state = 'waiting'
for update"""


async def lock_asked(conn: Connection, letter_id: UUID) -> StoredLetter | None:
    """Lock a letter and return it if its request is still open: another replica may have carried it out."""
    row = await conn.fetchrow(LOCK_ASKED, letter_id)
    return None if row is None else _stored(row)


SETTLE_LETTERS = """
update dead_letter set state = $2, asked = null, last_failed_at = now() where id = any($1::uuid[])"""


async def close_letters(conn: Connection, ids: Sequence[UUID], state: str) -> None:
    """Mark letters as `replayed` or `discarded`."""
    await conn.execute(SETTLE_LETTERS, ids, state)


DELETE_LETTERS = "delete from dead_letter where id = any($1::uuid[])"


async def forget(conn: Connection, ids: Sequence[UUID]) -> None:
    """Delete parked letters whose turn has come."""
    await conn.execute(DELETE_LETTERS, ids)


SELECT_HELD = """
select subject, topic from dead_letter
where state = 'waiting' and subject = any($1::text[]) group by subject, topic"""


async def still_held(conn: Connection, subjects: Sequence[str]) -> set[tuple[str, str]]:
    """Return the (subject, topic) that still have waiting letters."""
    return {(row["subject"], row["topic"]) for row in await conn.fetch(SELECT_HELD, subjects)}


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
