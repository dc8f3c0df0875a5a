"""Copies whole tables by COPY, out of a database and into one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

from shared.runtime.database import counted

if TYPE_CHECKING:
    Session: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    Session = asyncpg.Connection

CONNECT_SECONDS = 10.0
CLOSE_SECONDS = 5.0
STATEMENT_SECONDS = 6 * 3600.0
"""How long one table may take."""

# What decides how values are written; a server may have other habits.
SETTINGS = {
    "statement_timeout": f"{STATEMENT_SECONDS:.0f}s",
    "lock_timeout": "30s",
    "idle_in_transaction_session_timeout": "600s",
    "application_name": "liaison-operator",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}

SELECT_TABLES = """
select space.nspname as schema, class.relname as name,
       array_agg(attribute.attname::text order by attribute.attnum) as columns
from pg_class as class
join pg_namespace as space on space.oid = class.relnamespace
join pg_attribute as attribute on attribute.attrelid = class.oid
where space.nspname = any($1::text[]) and class.relkind in ('r', 'p') and not class.relispartition
  and class.relname <> 'migration'
  and attribute.attnum > 0 and not attribute.attisdropped and attribute.attgenerated = ''
group by space.nspname, class.relname order by space.nspname, class.relname"""

SELECT_REFERENCES = """
select space.nspname as schema, class.relname as name,
       other_space.nspname as other_schema, other.relname as other_name
from pg_constraint as reference
join pg_class as class on class.oid = reference.conrelid
join pg_namespace as space on space.oid = class.relnamespace
join pg_class as other on other.oid = reference.confrelid
join pg_namespace as other_space on other_space.oid = other.relnamespace
where reference.contype = 'f' and class.oid <> other.oid and space.nspname = any($1::text[])"""

SELECT_SCHEMAS = "select nspname from pg_namespace where nspname = any($1::text[]) order by nspname"

# Whoever draws a number does so before its row is seen: read after the rows, no sequence is behind them.
SELECT_SEQUENCES = """
select schemaname || '.' || sequencename as name, last_value from pg_sequences
where schemaname = any($1::text[]) and last_value is not null order by 1"""

SET_SEQUENCE = "select setval($1::text::regclass, $2)"

Write = Callable[[bytes], Coroutine[None, None, None]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with the columns that are stored, in their order."""

    schema: str
    name: str
    columns: tuple[str, ...]

    @property
    def quoted(self) -> str:
        """Its name as SQL takes it."""
        return f'"{self.schema}"."{self.name}"'


async def connect_to_copy(url: str) -> Session:
    """A connection that may take its time: hours for a table, seconds for a lock. Raises asyncpg errors, OSError."""
    return await asyncpg.connect(
        url,
        timeout=CONNECT_SECONDS,
        command_timeout=STATEMENT_SECONDS,
        server_settings=SETTINGS,
    )


@asynccontextmanager
async def one_transaction(url: str, *, readonly: bool = False) -> AsyncIterator[Session]:
    """Yield such a connection in one transaction with one snapshot, committed when the block ends.

    When the block raises, or is cancelled, the connection is cut, and PostgreSQL rolls back by itself: in the middle
    of a COPY nothing else can be said.
    """
    conn = await connect_to_copy(url)
    try:
        transaction = conn.transaction(isolation="repeatable_read", readonly=readonly)
        await transaction.start()
        yield conn
        await transaction.commit()
        await conn.close(timeout=CLOSE_SECONDS)
    finally:
        conn.terminate()


async def existing(conn: Session, schemas: Sequence[str]) -> list[str]:
    """Which of these schemas are there."""
    return [row["nspname"] for row in await conn.fetch(SELECT_SCHEMAS, list(schemas))]


async def tables_of(conn: Session, schemas: Sequence[str]) -> list[Table]:
    """All tables of these schemas but the ledgers of migrations, those that others refer to first."""
    found = {
        (row["schema"], row["name"]): Table(row["schema"], row["name"], tuple(row["columns"]))
        for row in await conn.fetch(SELECT_TABLES, list(schemas))
    }
    order: TopologicalSorter[tuple[str, str]] = TopologicalSorter({name: () for name in found})
    for row in await conn.fetch(SELECT_REFERENCES, list(schemas)):
        order.add((row["schema"], row["name"]), (row["other_schema"], row["other_name"]))
    return [found[name] for name in order.static_order()]


async def copy_out(conn: Session, table: Table, write: Write) -> int:
    """Write all rows of a table as text; return their number. `write` is awaited for each block."""
    copying = conn.copy_from_table(
        table.name,
        schema_name=table.schema,
        columns=table.columns,
        output=write,
        timeout=STATEMENT_SECONDS,
    )
    return counted(await while_connected(conn, copying))


async def copy_in(conn: Session, table: Table, source: AsyncIterator[bytes]) -> int:
    """Copy rows into a table as `copy_out` wrote them; return their number. Raises asyncpg errors for a bad row."""
    copying = conn.copy_to_table(
        table.name,
        schema_name=table.schema,
        columns=table.columns,
        source=source,
        timeout=STATEMENT_SECONDS,
    )
    return counted(await while_connected(conn, copying))


async def while_connected(conn: Session, copying: Coroutine[None, None, str]) -> str:
    """Return the result of `copying`.

    Raises ConnectionResetError when the server goes: while asyncpg waits to send, it would wait for ever.
    """
    gone = asyncio.Event()

    def on_termination(_: object) -> None:
        gone.set()

    conn.add_termination_listener(on_termination)
    tasks = [asyncio.ensure_future(copying), asyncio.ensure_future(gone.wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if tasks[0].done():
            return str(tasks[0].result())
        raise ConnectionResetError("the server closed the connection")
    finally:
        conn.remove_termination_listener(on_termination)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=CONNECT_SECONDS)


async def empty(conn: Session, tables: Sequence[Table]) -> None:
    """Delete the rows that migrations inserted into these tables."""
    await conn.execute("truncate " + ", ".join(table.quoted for table in tables))


async def numbers_drawn(conn: Session, schemas: Sequence[str]) -> dict[str, int]:
    """Return the last number of each sequence of these schemas."""
    rows = await conn.fetch(SELECT_SEQUENCES, list(schemas))
    return {row["name"]: row["last_value"] for row in rows}


async def number_on(conn: Session, drawn: Mapping[str, int]) -> None:
    """Set sequences to continue after these numbers."""
    await conn.executemany(SET_SEQUENCE, list(drawn.items()))


async def measure(conn: Session, tables: Sequence[Table]) -> None:
    """Update the planner's statistics after a copy."""
    await conn.execute("analyze " + ", ".join(table.quoted for table in tables))
