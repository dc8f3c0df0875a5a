"""Hash chain over an append-only table with a number `seq`; seals are in `TABLE_seal`.

A row's digest is the SHA-256 of its columns that are not null as PostgreSQL's JSON in UTC, so that a column that is
added later and is null in the rows before it breaks no seal.
"""

from typing import Final, NamedTuple

import asyncpg

from shared.audit.verification import Altered
from shared.runtime.database import Connection, Database

MOST_SEALED: Final = 5_000
SEALS_AT_ONCE: Final = 50
NOTHING: Final = bytes(32)

IN_UTC = "set local timezone = 'UTC'"
TRY_CHAIN = """
select pg_try_advisory_xact_lock(hashtextextended('liaison.seal.' || current_schema() || '.' || $1, 0))"""
WRITERS = """
select virtualtransaction from pg_locks
where locktype = 'relation' and relation = to_regclass($1) and mode = 'RowExclusiveLock' and granted
  and database = (select oid from pg_database where datname = current_database())"""
HEAD = "select coalesce(max(seq), 0) from {table}"
LAST = "select number, last_seq, digest from {table}_seal order by number desc limit 1"
SEAL = """
insert into {table}_seal (number, first_seq, last_seq, count, previous, digest, sealed_at)
select number, first_seq, last_seq, count, previous,
       sha256(previous || sha256(convert_to(json_build_array(number, first_seq, last_seq, count,
           (extract(epoch from now()) * 1000000)::bigint)::text, 'UTF8')) || rows), now()
from (
    select $1::bigint + 1 as number, $2::bigint + 1 as first_seq, max(seq) as last_seq, count(*) as count,
           $3::bytea as previous, string_agg(own, ''::bytea order by seq) as rows
    from (
        select seq, sha256(convert_to(jsonb_strip_nulls(to_jsonb(each))::text, 'UTF8')) as own
        from {table} as each where seq > $2::bigint and seq <= $4 order by seq limit $5
    ) as next
    having count(*) > 0
) as made
returning count"""
COMPARE = """
select seal.number, seal.first_seq, seal.last_seq, seal.previous, seal.digest, seal.count = found.count as is_whole,
       sha256(seal.previous || sha256(convert_to(json_build_array(
           seal.number, seal.first_seq, seal.last_seq, seal.count,
           (extract(epoch from seal.sealed_at) * 1000000)::bigint)::text, 'UTF8'))
           || coalesce(found.rows, '')) as computed
from (select * from {table}_seal where number > $1 order by number limit $2) as seal
cross join lateral (
    select count(*) as count,
           string_agg(sha256(convert_to(jsonb_strip_nulls(to_jsonb(each))::text, 'UTF8')),
                      ''::bytea order by seq) as rows
    from {table} as each where seq >= seal.first_seq and seq <= seal.last_seq
) as found
order by seal.number"""
BEFORE_ALL = """
select count(*) + (select count(*) from {table}_seal where number < 1) from {table} where seq < 1"""


class RowLink(NamedTuple):
    """State of a table's chain."""

    number: int
    last_seq: int
    digest: bytes


class RowSealer:
    """Seals the rows of one table, behind their writers; run it in every replica, an advisory lock lets one work."""

    def __init__(self, db: Database, table: str, most: int = MOST_SEALED) -> None:
        self._db = db
        self._table = table
        self._most = most
        self._up_to = 0
        self._writers: set[str] | None = None

    async def step(self) -> bool:
        """Seal the rows that nothing can precede any more; return whether there are more at once."""
        async with self._db.reading() as conn:
            if self._writers is None:
                self._up_to = await conn.fetchval(_of(self._table, HEAD))
                self._writers = await self._writing(conn)
            elif self._writers:
                self._writers &= await self._writing(conn)
        if self._writers:
            return False
        async with self._db.transaction() as conn:
            if not await conn.fetchval(TRY_CHAIN, self._table):
                return False
            await conn.execute(IN_UTC)
            last = await last_row_link(conn, self._table)
            sealed = await conn.fetchval(
                _of(self._table, SEAL), *last_of(last), self._up_to, self._most
            )
        if sealed == self._most:
            return True
        self._writers = None
        return False

    async def _writing(self, conn: Connection) -> set[str]:
        return {row["virtualtransaction"] for row in await conn.fetch(WRITERS, self._table)}


def last_of(link: RowLink) -> tuple[int, int, bytes]:
    """Return the arguments of a seal that follows `link`."""
    return link.number, link.last_seq, link.digest


async def last_row_link(conn: Connection, table: str) -> RowLink:
    """Return the state of a table's chain."""
    row = await conn.fetchrow(_of(table, LAST))
    return RowLink(0, 0, NOTHING) if row is None else RowLink(*row.values())


async def verify_rows(conn: Connection, table: str, kept: RowLink | None = None) -> RowLink:
    """Verify the chain of a table, in a transaction with one snapshot; return its end.

    Raises Altered with the first seal that is not right, or that is not what somebody else has kept in mind.
    """
    await conn.execute(IN_UTC)
    last = RowLink(0, 0, NOTHING)
    while seals := await conn.fetch(_of(table, COMPARE), last.number, SEALS_AT_ONCE):
        for seal in seals:
            if not _follows(seal, last):
                raise Altered("rows", last.number + 1)
            last = RowLink(seal["number"], seal["last_seq"], seal["digest"])
            if kept is not None and kept.number == last.number and kept.digest != last.digest:
                raise Altered("rows", last.number)
    if kept is not None and kept.number > last.number:
        raise Altered("rows", kept.number)
    if await conn.fetchval(_of(table, BEFORE_ALL)):
        raise Altered("rows", 1)
    return last


def _follows(seal: asyncpg.Record, last: RowLink) -> bool:
    is_next = (seal["number"], seal["first_seq"]) == (last.number + 1, last.last_seq + 1)
    is_right = seal["previous"] == last.digest and seal["digest"] == seal["computed"]
    return is_next and is_right and bool(seal["is_whole"])


def _of(table: str, statement: str) -> str:
    """Return the statement for a table, whose name is a constant of the program."""
    if not table.isidentifier():
        raise ValueError(f"{table!r} is no name for a table")
    return statement.replace("{table}", table)
