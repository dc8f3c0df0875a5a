"""Schema migrations: numbered SQL files, forward only, each applied once, all in one transaction."""

import hashlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

if TYPE_CHECKING:
    Session: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    Session = asyncpg.Connection

DELIVERY_MIGRATIONS = Path(__file__).parents[1] / "delivery" / "migrations"
"""The tables that every service has."""

# The ledger of each installation has the shared files under the name of the folder that they were once in.
_NAMES_IN_LEDGER = {"delivery": "kit"}

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
    """Apply the missing migrations in `schema`, folder by folder in the order of file names; return their names.

    Safe to run from several processes at once. Raises EditedMigration, or asyncpg errors with nothing applied.
    """
    connection = await asyncpg.connect(url, timeout=10, command_timeout=600)
    try:
        async with connection.transaction():
            return await apply(connection, schema, folders)
    finally:
        await connection.close(timeout=5)


async def apply(
    connection: Session, schema: str, folders: Sequence[Path], only: Collection[str] | None = None
) -> list[str]:
    """Apply migrations inside the caller's transaction, all files or only those named in `only`."""
    await lock(connection, schema)
    await connection.execute("set local lock_timeout = '5s'")
    await connection.execute(f'create schema if not exists "{_checked(schema)}"')
    await connection.execute(f'set local search_path = "{_checked(schema)}"')
    await connection.execute(CREATE_LEDGER)
    known = await applied(connection)
    fresh: list[str] = []
    for name, text in files(folders).items():
        if known.get(name, sha256_of(text)) != sha256_of(text):
            raise EditedMigration(f"{name} was edited after it was applied")
        if name not in known and (only is None or name in only):
            await connection.execute(text)
            await connection.execute(INSERT_APPLIED, name, sha256_of(text))
            fresh.append(name)
    return fresh


async def lock(connection: Session, schema: str) -> None:
    """Lock the schema for this transaction, so that nobody else migrates it."""
    await connection.execute(LOCK, schema)


async def applied(connection: Session) -> dict[str, str]:
    """Return the migrations applied to the search path's schema, each with its SHA-256."""
    return {row["name"]: row["sha256"] for row in await connection.fetch(SELECT_APPLIED)}


def files(folders: Sequence[Path]) -> dict[str, str]:
    """The text of each file by its name, in the order in which they are applied."""
    found: dict[str, str] = {}
    for folder in folders:
        owner = _NAMES_IN_LEDGER.get(folder.parent.name, folder.parent.name)
        found |= {
            f"{owner}/{file.name}": file.read_text("utf-8") for file in sorted(folder.glob("*.sql"))
        }
    return found


def sha256_of(text: str) -> str:
    """Return the SHA-256 that identifies an applied file."""
    return hashlib.sha256(text.encode()).hexdigest()


def _checked(schema: str) -> str:
    if not schema.isidentifier():
        raise ValueError(f"{schema!r} is no name for a schema")
    return schema
