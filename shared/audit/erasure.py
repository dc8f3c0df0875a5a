"""Erasure: overwrites personal data in a subject's events and in the delivery tables, and records the erasure."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

import orjson

from shared.audit.hash_chain import hold_chain, seal_erasure
from shared.audit.verification import erasure_digest
from shared.contracts.events.personal import erase_person
from shared.messages.catalogue import LANGUAGES, text
from shared.runtime.database import Connection, counted

ERASED: Final = " / ".join(text("erased", lang) for lang in LANGUAGES)
"""What stands where something was: it is kept, and so it is one for all languages."""

# A subquery for each event, by the key: an anti-join may read all that was ever erased.
SELECT_EVENTS = """
select seq, type, data from event
where subject = any($1::text[]) and (select 1 from erased_event where erased_event.seq = event.seq) is null
order by seq"""

INSERT_ERASURE = """
insert into erasure (id, subject, at, erased_by, because, erased) values ($1, $2, $3, $4, $5, $6)"""

INSERT_ERASED_EVENTS = """
insert into erased_event (seq, erasure, was_sha256, is_sha256)
select event.seq, $1, sha256(convert_to(event.data::text, 'UTF8')), sha256(convert_to(given.data::text, 'UTF8'))
from unnest($2::bigint[], $3::json[]) as given (seq, data) join event on event.seq = given.seq"""

# By this name the table lets the events of that erasure be changed, until the transaction ends.
NAME_ERASURE = "select set_config('liaison.erasure', $1::uuid::text, true)"

ERASE_EVENTS = """
update event set data = given.data
from unnest($1::bigint[], $2::json[]) as given (seq, data) where event.seq = given.seq"""

# Letters that were settled: of the subject, or of nobody known with all of these words in their message.
ERASE_LETTERS = """
update dead_letter set value = null, key = null, reason = $3
where state <> 'waiting' and (value is not null or key is not null or reason <> $3)
  and (subject = $1 or subject is null and value is not null and not exists (
       select from unnest($2::bytea[]) as words (word) where position(words.word in dead_letter.value) = 0))
returning id"""

SELECT_WAITING_LETTERS = """
select id from dead_letter
where state = 'waiting'
  and (subject = $1 or subject is null and value is not null and not exists (
       select from unnest($2::bytea[]) as words (word) where position(words.word in dead_letter.value) = 0))
order by id limit 20"""

ERASE_ANSWERS = """
update idempotency set body = $2
where status > 0 and body::text <> $2::json::text and strpos(body::text, $1) > 0"""

SELECT_SAID = "select topic, max(version) as version from event where subject = $1 group by topic"

# What an operator let it go on without will never come.
SELECT_HEARD = """
select topic, max(version) as version
from (select topic, version from seen where subject = $1
      union all
      select topic, version from dead_letter
      where subject = $1 and state = 'discarded' and version is not null) as known
group by topic"""


EraseRows: TypeAlias = Callable[[Connection, UUID, str], Awaitable[dict[str, int]]]
"""Overwrites a service's own rows of a matter with a mark; how many of each table."""


@dataclass(frozen=True, slots=True)
class ErasureRequest:
    """An erasure as requested: subject, time, actor and reason. `id` identifies it in one service."""

    id: UUID
    subject: str
    at: datetime
    by: str
    because: str


async def begin(conn: Connection) -> None:
    """Lock the hash chain until the caller's transaction ends. Call it before any row is locked."""
    await hold_chain(conn)


async def erase_matter(conn: Connection, asked: ErasureRequest, erase: EraseRows) -> dict[str, int]:
    """Erase a matter known by its id alone, and by `erase` the service's own rows; return counts as `finish` does."""
    await begin(conn)
    rows = await erase(conn, UUID(asked.subject), ERASED)
    rows["idempotency"] = await erase_answers(conn, asked.subject)
    return await finish(conn, asked, rows)


async def finish(
    conn: Connection,
    asked: ErasureRequest,
    rows: Mapping[str, int],
    names: Sequence[Sequence[str]] = (),
) -> dict[str, int]:
    """Erase the subject's events and letters, and record the erasure with `rows`, the caller's own counts.

    `names` are words that together tell a raw message of the subject where its id is not in it. The counts by table of
    what was erased: empty, and nothing recorded, when there was nothing left of it.
    """
    letters = {
        letter for words in ((asked.subject,), *names)
        for letter in await _erase_letters(conn, asked.subject, words)
    }  # fmt: skip
    events = await _events_left(conn, [asked.subject, *letters])
    counts = {**rows, "dead_letter": len(letters), "event": len(events)}
    erased = {table: count for table, count in counts.items() if count}
    if erased:
        await _record(conn, asked, erased, events)
    return erased


async def _erase_letters(conn: Connection, subject: str, words: Sequence[str]) -> list[str]:
    rows = await conn.fetch(ERASE_LETTERS, subject, _encoded(words), ERASED)
    return [str(row["id"]) for row in rows]


def _encoded(words: Sequence[str]) -> list[bytes]:
    return [word.encode() for word in words]


async def _events_left(conn: Connection, subjects: Sequence[str]) -> dict[int, str]:
    """Return events' data without personal data, by number, for those that had any."""
    found = {}
    for row in await conn.fetch(SELECT_EVENTS, subjects):
        data = orjson.loads(row["data"])
        if erase_person(row["type"], data, ERASED):
            found[row["seq"]] = orjson.dumps(data).decode()
    return found


async def _record(
    conn: Connection, asked: ErasureRequest, erased: Mapping[str, int], events: Mapping[int, str]
) -> None:
    told = json.dumps(erased)
    await conn.execute(
        INSERT_ERASURE, asked.id, asked.subject, asked.at, asked.by, asked.because, told
    )
    numbers, data = list(events), list(events.values())
    await conn.execute(INSERT_ERASED_EVENTS, asked.id, numbers, data)
    await conn.execute(NAME_ERASURE, asked.id)
    await conn.execute(ERASE_EVENTS, numbers, data)
    own, count = await erasure_digest(conn, asked.id)
    await seal_erasure(conn, asked.id, own, count)


async def erase_answers(conn: Connection, subject: str) -> int:
    """Erase the idempotency responses about a subject, keeping their keys; return their number."""
    return counted(await conn.execute(ERASE_ANSWERS, subject, json.dumps({"matter_id": subject})))


async def waiting_letters(
    conn: Connection, subject: str, names: Sequence[Sequence[str]] = ()
) -> list[str]:
    """Return waiting dead letters that hold data of the subject, a few at most."""
    found: list[str] = []
    for words in ((subject,), *names):
        rows = await conn.fetch(SELECT_WAITING_LETTERS, subject, _encoded(words))
        found += [str(row["id"]) for row in rows]
    return found


async def last_versions(conn: Connection, subject: str) -> dict[str, int]:
    """Return the last recorded version of a subject by topic."""
    return {row["topic"]: row["version"] for row in await conn.fetch(SELECT_SAID, subject)}


async def heard(conn: Connection, subject: str) -> dict[str, int]:
    """Return the last processed version of a subject by topic."""
    return {row["topic"]: row["version"] for row in await conn.fetch(SELECT_HEARD, subject)}
