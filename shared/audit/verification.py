"""Verifies the hash chain, in bounded parts, and names the first event or seal that was altered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import asyncpg

from shared.audit.hash_chain import (
    BEGINNING,
    MARK_BYTES,
    Link,
    Sealed,
    SealFacts,
    chained,
    microseconds,
    own_digest,
    place_digest,
    whole_digest,
    written_digest,
)
from shared.runtime.database import Connection

SEALS_AT_ONCE: Final = 200

SELECT_SEALS = """
select number, first_seq, last_seq, count, erasure, marks, previous, digest, sealed_at, whole, places,
       sealed_at < (select applied_at from migration where name = 'kit/0006_whole_seals.sql') as is_early
from seal where number > $1 order by number limit $2"""

SELECT_SEALED = """
select event.seq, event.id, event.subject, event.version, event.type, event.at, event.causation_id,
       event.topic, event.traceparent,
       sha256(convert_to(event.data::text, 'UTF8')) as data_sha256,
       erased_event.was_sha256, erased_event.is_sha256
from event left join erased_event using (seq)
where event.seq >= $1 and event.seq <= $2 order by event.seq limit $3"""

SELECT_ERASURE = """
select id, subject, at, erased_by, because, erased::text as erased from erasure where id = $1"""
SELECT_ERASED_EVENTS = """
select seq, was_sha256, is_sha256 from erased_event where erasure = $1 order by seq"""
SELECT_UNSEALED_ERASURE = """
select id from erasure where not exists (select from seal where seal.erasure = erasure.id) limit 1"""
# Numbers are drawn from 1 on: what stands before is under no seal.
SELECT_BEFORE_ALL = "select seq from event where seq < 1 order by seq limit 1"
SELECT_SEAL_BEFORE_ALL = "select number from seal where number < 1 order by number limit 1"
COUNT_UNSEALED = "select count(*) from event where seq > $1"

Tell = Callable[[int], None]


class Altered(Exception):
    """The first alteration in a chain: `key` names its kind, `seal` and `seq` its place."""

    def __init__(self, key: str, seal: int, seq: int | None = None) -> None:
        super().__init__(key, seal, seq)
        self.key = key
        self.seal = seal
        self.seq = seq


@dataclass(slots=True)
class ChainReport:
    """Result of a verification: events under `seals`, `erased` ones among them, and those not sealed yet.
    `altered` is the first alteration.
    """

    seals: int = 0
    events: int = 0
    erased: int = 0
    unsealed: int = 0
    last: Link = BEGINNING
    altered: Altered | None = None
    rows: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    beside: Altered | None = None
    """The first topic, trace or column of a seal that is not what was sealed, where the chain itself was right."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A seal stored elsewhere; `whole` is None when an earlier version wrote it."""

    number: int
    digest: bytes
    whole: bytes | None = None
    rows: Mapping[str, tuple[int, bytes]] = field(default_factory=dict)
    """Number and digest of the latest seal of each other table that is sealed."""


async def verify(conn: Connection, anchor: Anchor | None, tell: Tell) -> ChainReport:
    """Verify the chain of the search path's schema; `tell` gets the number of events verified so far.

    Run it in a transaction that sees one instant.
    """
    verdict = ChainReport()
    try:
        await _walk(conn, verdict, anchor, tell)
        if verdict.beside is not None:
            raise verdict.beside
        if (seq := await conn.fetchval(SELECT_BEFORE_ALL)) is not None:
            raise Altered("event", 1, seq)
        if (number := await conn.fetchval(SELECT_SEAL_BEFORE_ALL)) is not None:
            raise Altered("seal", number)
        if anchor is not None and anchor.number > verdict.last.number:
            raise Altered("anchor_beyond", anchor.number)
        if await conn.fetchval(SELECT_UNSEALED_ERASURE) is not None:
            raise Altered("erasure_unsealed", verdict.last.number)
        verdict.unsealed = await conn.fetchval(COUNT_UNSEALED, verdict.last.last_seq)
    except Altered as altered:
        verdict.altered = altered
    return verdict


async def _walk(conn: Connection, verdict: ChainReport, anchor: Anchor | None, tell: Tell) -> None:
    while seals := await conn.fetch(SELECT_SEALS, verdict.last.number, SEALS_AT_ONCE):
        for seal in seals:
            last, number = verdict.last, seal["number"]
            if number != last.number + 1:
                raise Altered("seal_missing", last.number + 1)
            if seal["previous"] != last.digest or seal["first_seq"] != last.last_seq + 1:
                raise Altered("seal", number)
            places: list[bytes] = []
            if seal["erasure"] is None:
                places = await _check_events(conn, seal, verdict)
            else:
                await _check_erasure(conn, seal)
            _check_whole(seal, places, verdict)
            if anchor is not None and anchor.number == number and _differs(anchor, seal):
                raise Altered("anchor", number)
            verdict.last = Link(number, seal["last_seq"], seal["digest"], seal["whole"])
            verdict.seals += 1
            tell(verdict.events)


def _differs(anchor: Anchor, seal: asyncpg.Record) -> bool:
    whole = anchor.whole
    return anchor.digest != seal["digest"] or (whole is not None and whole != seal["whole"])


def _check_whole(seal: asyncpg.Record, places: list[bytes], verdict: ChainReport) -> None:
    """Record the first place or seal that does not match; a seal of an earlier version covers neither."""
    if seal["whole"] is None and seal["is_early"] and verdict.last.whole is None:
        return
    facts = SealFacts(**{name: seal[name] for name in SealFacts.__slots__})
    marks = None if seal["erasure"] else b"".join(place[:MARK_BYTES] for place in places)
    is_whole = seal["whole"] == whole_digest(verdict.last.whole, facts, places)
    if not is_whole or seal["places"] != marks:
        verdict.beside = verdict.beside or Altered("seal", seal["number"])


async def _check_events(
    conn: Connection, seal: asyncpg.Record, verdict: ChainReport
) -> list[bytes]:
    """Verify the events under a seal; return the digests of their places."""
    number, count = seal["number"], seal["count"]
    # One more than there were, so that what was put in is seen, however much it is.
    rows = await conn.fetch(SELECT_SEALED, seal["first_seq"], seal["last_seq"], count + 1)
    digests, places = [], []
    for place, row in enumerate(rows):
        own = own_digest(_as_recorded(row))
        start = place * MARK_BYTES
        is_left = row["is_sha256"] in (None, row["data_sha256"])
        if own[:MARK_BYTES] != seal["marks"][start : start + MARK_BYTES] or not is_left:
            raise Altered("event", number, row["seq"])
        digests.append(own)
        places.append(place_digest(row["seq"], row["id"], row["topic"], row["traceparent"]))
        is_there = seal["whole"] is None or (
            places[-1][:MARK_BYTES] == (seal["places"] or b"")[start : start + MARK_BYTES]
        )
        if not is_there:
            verdict.beside = verdict.beside or Altered("event", number, row["seq"])
        verdict.erased += row["was_sha256"] is not None
    if len(rows) < count:
        raise Altered("event_missing", number, seal["last_seq"])
    if len(rows) > count or chained(seal["previous"], digests) != seal["digest"]:
        raise Altered("seal", number)
    verdict.events += count
    return places


def _as_recorded(row: asyncpg.Record) -> Sealed:
    return Sealed(
        row["id"],
        row["subject"],
        row["version"],
        row["type"],
        row["at"],
        row["causation_id"],
        row["was_sha256"] or row["data_sha256"],
    )


async def _check_erasure(conn: Connection, seal: asyncpg.Record) -> None:
    if await conn.fetchrow(SELECT_ERASURE, seal["erasure"]) is None:
        raise Altered("erasure", seal["number"])
    own, events = await erasure_digest(conn, seal["erasure"])
    is_empty = seal["last_seq"] == seal["first_seq"] - 1
    if (
        not is_empty
        or events != seal["count"]
        or chained(seal["previous"], [own]) != seal["digest"]
    ):
        raise Altered("erasure", seal["number"])


async def erasure_digest(conn: Connection, erasure_id: UUID) -> tuple[bytes, int]:
    """Return the digest of an erasure and its events, and the number of those events."""
    erasure = await conn.fetchrow(SELECT_ERASURE, erasure_id)
    assert erasure is not None, "a seal refers to it"  # noqa: S101 - narrows the type
    events = await conn.fetch(SELECT_ERASED_EVENTS, erasure_id)
    values: list[object] = [
        str(erasure["id"]),
        erasure["subject"],
        microseconds(erasure["at"]),
        erasure["erased_by"],
        erasure["because"],
        erasure["erased"],
        [[row["seq"], row["was_sha256"].hex(), row["is_sha256"].hex()] for row in events],
    ]
    return written_digest(values), len(events)
