"""Brings a schema up to date from numbered SQL files; forward only, each file once, all or nothing."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import asyncpg

KIT_MIGRATIONS = Path(__file__).parent / "migrations"

CREATE_LEDGER = """
create table if not exists migration (
    name text primary key,
    sha256 text not null,
    applied_at timestamptz not null default now()
)"""
SELECT_APPLIED = "select name, sha256 from migration"
INSERT_APPLIED = "insert into migration (name, sha256) values ($1, $2)"
LOCK = "select pg_advisory_xact_lock(hashtextextended('liaison.migrate.' || $1, 0))"


class EditedMigration(Exception):
    """An applied migration file was changed. Restore it and put the change into a new file."""


async def migrate(url: str, schema: str, folders: Sequence[Path]) -> list[str]:
    """Apply what is missing in `schema`, folder by folder in the order of the file names; the names applied.

    Safe to run from several processes at once. Raises EditedMigration, or asyncpg errors with nothing applied.
    """
    connection = await asyncpg.connect(url, timeout=10, command_timeout=600)
    try:
        async with connection.transaction():
            await connection.execute(LOCK, schema)
            await connection.execute("set local lock_timeout = '5s'")
            await connection.execute(f'create schema if not exists "{_checked(schema)}"')
            await connection.execute(f'set local search_path = "{_checked(schema)}"')
            await connection.execute(CREATE_LEDGER)
            return await _apply_missing(connection, folders)
    finally:
        await connection.close(timeout=5)


async def _apply_missing(
    connection: "asyncpg.Connection[asyncpg.Record]", folders: Sequence[Path]
) -> list[str]:
    applied = {row["name"]: row["sha256"] for row in await connection.fetch(SELECT_APPLIED)}
    fresh: list[str] = []
    for file in (file for folder in folders for file in sorted(folder.glob("*.sql"))):
        name = f"{file.parent.parent.name}/{file.name}"
        text = file.read_text(encoding="utf-8")
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        if applied.get(name, sha256) != sha256:
            raise EditedMigration(f"{name} was edited after it was applied")
        if name not in applied:
            await connection.execute(text)
            await connection.execute(INSERT_APPLIED, name, sha256)
            fresh.append(name)
    return fresh


def _checked(schema: str) -> str:
    if not schema.isidentifier():
        raise ValueError(f"{schema!r} is no name for a schema")
    return schema
