"""A schema whose tables have grown since PostgreSQL looked at them: many rows and no statistics."""

from collections.abc import Collection

from shared.runtime.database import Connection

ROWS = 20_000

# A value of row `n` for each type of a column; `on conflict` passes over what an index refuses.
VALUES = {
    "uuid": "md5(n::text)::uuid",
    "text": "'t' || n",
    "int2": "1",
    "int4": "n",
    "int8": "n",
    "bool": "n % 2 = 0",
    "json": "'{}'",
    "jsonb": "'{}'",
    "date": "current_date",
    "timestamptz": "now() - n * interval '1 minute'",
    "bytea": "int4send(n)",
    "_text": "'{}'",
    "_bytea": "'{}'",
}

SELECT_TABLES = """
select relname from pg_class where relnamespace = current_schema()::regnamespace and relkind = 'r'"""
SELECT_CHECKS = """
select conrelid::regclass::text as table, conname from pg_constraint
where contype = 'c' and connamespace = current_schema()::regnamespace"""
SELECT_COLUMNS = """
select relname as table, array_agg(format('%I', attname) order by attnum) as columns,
       array_agg(typname::text order by attnum) as types
from pg_class
join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
join pg_type on pg_type.oid = atttypid
where relnamespace = current_schema()::regnamespace and relname = any($1::text[])
group by relname"""


async def growing_tables(conn: Connection, fixed: Collection[str]) -> set[str]:
    """The tables of the search path's schema but for those that are `fixed`."""
    return {row["relname"] for row in await conn.fetch(SELECT_TABLES)} - set(fixed)


async def make_ready(conn: Connection, tables: Collection[str]) -> None:
    """Let any row be inserted, and no statistics be gathered. Each change of a table here discards its kept plans."""
    for row in await conn.fetch(SELECT_CHECKS):
        await conn.execute(f"alter table {row['table']} drop constraint {row['conname']}")
    for table in tables:
        await conn.execute(f"alter table {table} set (autovacuum_enabled = off)")


async def grow(conn: Connection, tables: Collection[str]) -> None:
    """Insert `ROWS` rows into each table; foreign keys and triggers are passed over."""
    await conn.execute("set session_replication_role = replica")
    for row in await conn.fetch(SELECT_COLUMNS, list(tables)):
        values = ", ".join(VALUES[name] for name in row["types"])
        done = await conn.execute(
            f"insert into {row['table']} ({', '.join(row['columns'])}) overriding system value "
            f"select {values} from generate_series(1, {ROWS}) as n on conflict do nothing"
        )
        assert done == f"INSERT 0 {ROWS}", (row["table"], done)
    await conn.execute("reset session_replication_role")
