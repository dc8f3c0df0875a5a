"""Hash chain over the recorded events: seals (SHA-256) follow the writers every 10 s."""

import asyncio
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from shared.delivery.outbox.republish import head
from shared.runtime.database import Connection, Database

SEAL_SECONDS: Final = 10.0
MOST_SEALED: Final = 5_000
REST_SECONDS: Final = 0.25
"""After a step that was full: a history of years, sealed at the first start, leaves others their time."""
MARK_BYTES: Final = 8
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

TRY_CHAIN = (
    "select pg_try_advisory_xact_lock(hashtextextended('liaison.seal.' || current_schema(), 0))"
)
HOLD_CHAIN = (
    "select pg_advisory_xact_lock(hashtextextended('liaison.seal.' || current_schema(), 0))"
)

# Whoever draws a number has locked the table before, and lets go of it when its rows are seen, or gone for ever.
SELECT_WRITERS = """
select virtualtransaction from pg_locks
where locktype = 'relation' and relation = 'event'::regclass and mode = 'RowExclusiveLock' and granted
  and database = (select oid from pg_database where datname = current_database())"""

SELECT_LAST = "select number, last_seq, digest from seal order by number desc limit 1"

# The same as `own_digest`, `place_digest` and `whole_digest`, where the events are: their service would stand still for
# as long as it takes.
SEAL_EVENTS = """
insert into seal (number, first_seq, last_seq, count, marks, previous, digest, places, sealed_at, whole)
select number, first_seq, last_seq, count, marks, previous, digest, places, now(),
       sha256(coalesce((select whole from seal where seal.number = $1::bigint), '\\x{zeros}'::bytea)
              || sha256(convert_to(json_build_array(
                     number, first_seq, last_seq, count, null, (extract(epoch from now()) * 1000000)::bigint,
                     encode(digest, 'hex'), encode(sha256(marks), 'hex'))::text, 'UTF8'))
              || beside)
from (
    select $1::bigint + 1 as number, $2::bigint + 1 as first_seq, max(seq) as last_seq, count(*) as count,
           string_agg(substring(own for 8), ''::bytea order by seq) as marks, $3::bytea as previous,
           sha256($3::bytea || string_agg(own, ''::bytea order by seq)) as digest,
           string_agg(substring(place for 8), ''::bytea order by seq) as places,
           string_agg(place, ''::bytea order by seq) as beside
    from (
        select event.seq, sha256(convert_to(json_build_array(
                   event.id, event.subject, event.version, event.type,
                   (extract(epoch from event.at) * 1000000)::bigint, event.causation_id,
                   encode(coalesce(erased_event.was_sha256, sha256(convert_to(event.data::text, 'UTF8'))), 'hex')
               )::text, 'UTF8')) as own,
               sha256(convert_to(json_build_array(
                   event.seq, event.id, event.topic, event.traceparent)::text, 'UTF8')) as place
        from event left join erased_event using (seq)
        where event.seq > $2::bigint and event.seq <= $4
        order by event.seq limit $5
    ) as next
    having count(*) > 0
) as made
returning count""".replace("{zeros}", "00" * 32)

SEAL_ERASURE = """
insert into seal (number, first_seq, last_seq, count, erasure, marks, previous, digest, sealed_at, whole)
values ($1, $2::bigint + 1, $2::bigint, $3, $4, '', $5, $6, $7, $8)"""
SELECT_WHOLE = "select whole, now() as now from (select) as one left join seal on seal.number = $1"


@dataclass(frozen=True, slots=True)
class Link:
    """State of a chain: its last seal, the last event's number under it, and the digests so far.

    `whole` is None where the last seal is of an earlier version.
    """

    number: int
    last_seq: int
    digest: bytes
    whole: bytes | None = None


BEGINNING: Final = Link(0, 0, bytes(32))


@dataclass(frozen=True, slots=True)
class Mark:
    """The last event number at one moment, and the transactions that may still write lower ones."""

    up_to: int
    writers: frozenset[str]


class Sealer:
    """Seals the events of one schema, `most` at a step. Run it in every replica: an advisory lock lets one work."""

    def __init__(
        self, db: Database, most: int = MOST_SEALED, rest_seconds: float = REST_SECONDS
    ) -> None:
        self._db = db
        self._most = most
        self._rest_seconds = rest_seconds
        self._mark: Mark | None = None

    async def step(self) -> bool:
        """Seal the events that nothing can precede any more; return whether there are more at once."""
        async with self._db.reading() as conn:
            self._mark = await marked(conn, self._mark)
        if self._mark.writers:
            return False
        async with self._db.transaction() as conn:
            sealed = await seal_events(conn, self._mark.up_to, self._most)
        if sealed == self._most:
            await asyncio.sleep(self._rest_seconds)
            return True
        self._mark = None
        return False


async def marked(conn: Connection, mark: Mark | None) -> Mark:
    """Return the present mark, or an earlier one without writers that have ended.

    Call it outside of a transaction: who has let go of the table was gone before, and what they wrote is seen from
    the next statement on. A number below the mark was drawn under a lock that was held when the mark was made.
    """
    if mark is None:
        up_to = await head(conn)
        return Mark(up_to, await _writers(conn))
    return Mark(mark.up_to, mark.writers & await _writers(conn)) if mark.writers else mark


async def _writers(conn: Connection) -> frozenset[str]:
    return frozenset(row["virtualtransaction"] for row in await conn.fetch(SELECT_WRITERS))


async def seal_events(conn: Connection, up_to: int, most: int) -> int:
    """Seal the next events up to that number, `most` of them, in the caller's transaction; return their number.

    None while another session has the chain in hand.
    """
    if not await conn.fetchval(TRY_CHAIN):
        return 0
    last = await last_link(conn)
    args = (last.number, last.last_seq, last.digest, up_to, most)
    sealed: int | None = await conn.fetchval(SEAL_EVENTS, *args)
    return sealed or 0


async def last_link(conn: Connection) -> Link:
    """Return the state of the chain."""
    row = await conn.fetchrow(SELECT_LAST)
    return BEGINNING if row is None else Link(*row.values())


async def hold_chain(conn: Connection) -> None:
    """Lock the chain until the caller's transaction ends, so that nobody else seals."""
    await conn.execute(HOLD_CHAIN)


async def seal_erasure(conn: Connection, erasure_id: UUID, own: bytes, events: int) -> None:
    """Append a seal for an erasure of so many events, with its digest; the caller holds the chain."""
    last = await last_link(conn)
    digest = chained(last.digest, [own])
    before = await conn.fetchrow(SELECT_WHOLE, last.number)
    assert before is not None, "a left join returns its row"  # noqa: S101 - narrows the type
    number, at = last.number + 1, before["now"]
    facts = SealFacts(number, last.last_seq + 1, last.last_seq, events, erasure_id, at, digest, b"")
    whole = whole_digest(before["whole"], facts, [])
    link = (last.last_seq, events, erasure_id, last.digest, digest, at, whole)
    await conn.execute(SEAL_ERASURE, number, *link)


@dataclass(frozen=True, slots=True)
class SealFacts:
    """The columns of a seal that its `whole` covers."""

    number: int
    first_seq: int
    last_seq: int
    count: int
    erasure: UUID | None
    sealed_at: datetime
    digest: bytes
    marks: bytes


def whole_digest(previous: bytes | None, facts: SealFacts, places: Iterable[bytes]) -> bytes:
    """Return a seal's second digest: over the previous one, the seal's own columns and its events' places."""
    own = written_digest(
        [
            facts.number,
            facts.first_seq,
            facts.last_seq,
            facts.count,
            None if facts.erasure is None else str(facts.erasure),
            microseconds(facts.sealed_at),
            facts.digest.hex(),
            hashlib.sha256(facts.marks).hexdigest(),
        ]
    )
    return chained(BEGINNING.digest if previous is None else previous, [own, *places])


def place_digest(seq: int, event_id: UUID, topic: str, traceparent: str | None) -> bytes:
    """Return the digest of an event's place: its number, topic and trace."""
    return written_digest([seq, str(event_id), topic, traceparent])


class Sealed(NamedTuple):
    """The fields of an event that the chain covers; `data_sha256` is of its data as recorded."""

    id: UUID
    subject: str
    version: int
    type: str
    at: datetime
    causation_id: UUID | None
    data_sha256: bytes


def own_digest(event: Sealed) -> bytes:
    """Return an event's digest: the SHA-256 of a JSON array of its covered fields, as PostgreSQL writes it."""
    return written_digest(
        [
            str(event.id),
            event.subject,
            event.version,
            event.type,
            microseconds(event.at),
            None if event.causation_id is None else str(event.causation_id),
            event.data_sha256.hex(),
        ]
    )


def microseconds(at: datetime) -> int:
    """Return a moment in microseconds since 1970, as the chain covers it."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def written_digest(values: list[object]) -> bytes:
    """Return the SHA-256 of values as a JSON array in UTF-8, separated by ", "."""
    return hashlib.sha256(json.dumps(values, ensure_ascii=False).encode()).digest()


def chained(previous: bytes, digests: Iterable[bytes]) -> bytes:
    """Return a seal's digest: the SHA-256 of the previous digest and of the digests it covers."""
    return hashlib.sha256(previous + b"".join(digests)).digest()
