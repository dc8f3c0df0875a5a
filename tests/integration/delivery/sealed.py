"""What the tests of seals and erasures do with a history, and how they hurt it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from shared.audit import erasure
from shared.audit.erasure import ErasureRequest
from shared.audit.hash_chain import Sealer
from shared.audit.verification import Anchor, ChainReport, verify
from shared.runtime.ids import new_id
from tests.integration.delivery.town import Town

INSERT = """
insert into event (id, subject, version, type, topic, at, causation_id, data)
select uuidv7(), $3 || number, 1, 'liaison.request.amended.v1', 'liaison.requests',
       timestamptz '2026-03-02 09:30:00.000001+08' + number * interval '1 microsecond',
       case when number % 2 = 0 then uuidv7() end,
       json_build_object('message', '雨后积水 ' || number, 'matter_id', $3 || number)
from generate_series($1::int, $2::int) as number"""

SELECT_SEALS = "select number, first_seq, last_seq, count from seal order by number"

KEPT = ("event", "seal", "erasure", "erased_event")


async def add(town: Town, count: int, subject: str = "s") -> None:
    """So many events, each of a subject of its own."""
    async with town.db.transaction() as conn:
        await conn.execute(INSERT, 1, count, subject)


async def seal_all(town: Town, most: int = 5_000) -> Sealer:
    """Seal all that there is; nobody writes meanwhile."""
    sealer = Sealer(town.db, most, rest_seconds=0)
    while await sealer.step():
        pass
    return sealer


async def seals(town: Town) -> list[tuple[int, ...]]:
    return [tuple(row) for row in await town.fetch(SELECT_SEALS)]


async def walked(town: Town, anchor: Anchor | None = None) -> ChainReport:
    def told(_: int) -> None: ...

    async with town.db.reading() as conn, conn.transaction(isolation="repeatable_read"):
        return await verify(conn, anchor, told)


async def found(town: Town, anchor: Anchor | None = None) -> tuple[str, int, int | None] | None:
    """The first thing that is not right: how, under which seal, at which event."""
    altered = (await walked(town, anchor)).altered
    return None if altered is None else (altered.key, altered.seal, altered.seq)


async def tamper(town: Town, *statements: str) -> None:
    """Do as an owner can who has turned off what refuses it."""
    async with town.db.transaction() as conn:
        for table in KEPT:
            await conn.execute(f"alter table {table} disable trigger user")
        for statement in statements:
            await conn.execute(statement)
        for table in KEPT:
            await conn.execute(f"alter table {table} enable trigger user")


async def erase(town: Town, subject: str) -> dict[str, int]:
    """Erase a subject as a service does that has no tables of its own."""
    asked = ErasureRequest(UUID(new_id()), subject, datetime.now(UTC), "operator", "was asked to")
    async with town.db.transaction() as conn:
        await erasure.begin(conn)
        return await erasure.finish(conn, asked, {})


@asynccontextmanager
async def open_transaction(town: Town) -> AsyncIterator[asyncpg.Connection]:
    """A transaction of somebody else's, rolled back at the end unless it was committed."""
    conn = await asyncpg.connect(town.url, server_settings={"search_path": town.db.schema})
    try:
        yield conn
    finally:
        await asyncio.wait_for(conn.close(), 5)
