"""The versions of the dispatch catalogue, as uploaded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from shared.runtime.database import Connection

LOAD_SOURCE = "select source from catalogue_version where version = $1"


async def load_source(conn: Connection, version: int) -> str | None:
    """The file's text as uploaded; None when there is no such version."""
    source: str | None = await conn.fetchval(LOAD_SOURCE, version)
    return source


LOAD_DEPARTMENTS = "select id from department order by id"


async def load_departments(conn: Connection) -> list[str]:
    """The ids of all departments."""
    return [row["id"] for row in await conn.fetch(LOAD_DEPARTMENTS)]


LOAD_PARKS = "select distinct park from enterprise where park is not null order by park"


async def load_parks(conn: Connection) -> list[str]:
    """The parks that enterprises are in."""
    return [row["park"] for row in await conn.fetch(LOAD_PARKS)]


@dataclass(frozen=True, slots=True)
class Version:
    """A version without its text."""

    version: int
    state: str
    rules: int
    warnings: Sequence[Mapping[str, Any]]
    created_at: datetime
    created_by: str
    activated_at: datetime | None
    activated_by: str | None


LOCK_VERSIONS = "select pg_advisory_xact_lock(hashtextextended('liaison.routing.catalogue', 0))"


async def lock_versions(conn: Connection) -> None:
    """Lock the versions, so that one transaction at a time numbers or activates them."""
    await conn.execute(LOCK_VERSIONS)


INSERT_VERSION = """
insert into catalogue_version (version, source, rules, warnings, created_at, created_by)
values ((select coalesce(max(version), 0) + 1 from catalogue_version), $1, $2, $3, $4, $5)
returning version"""


async def insert_version(
    conn: Connection,
    source: str,
    rules: int,
    warnings: Sequence[Mapping[str, Any]],
    now: datetime,
    author: str,
) -> int:
    """Insert a draft and return its number. The caller has locked the versions."""
    kept = orjson.dumps(warnings).decode()
    number: int = await conn.fetchval(INSERT_VERSION, source, rules, kept, now, author)
    return number


LOAD_VERSION = """
select version, state, rules, warnings, created_at, created_by, activated_at, activated_by
from catalogue_version where version = $1"""


async def load_version(conn: Connection, version: int) -> Version | None:
    """One version; None when there is no such number."""
    row = await conn.fetchrow(LOAD_VERSION, version)
    return None if row is None else _version(row)


LIST_VERSIONS = """
select version, state, rules, warnings, created_at, created_by, activated_at, activated_by
from catalogue_version where version < $1 order by version desc limit $2"""


async def list_versions(conn: Connection, before: int, limit: int) -> list[Version]:
    """Versions numbered below `before`, the newest first."""
    return [_version(row) for row in await conn.fetch(LIST_VERSIONS, before, limit)]


RETIRE_ACTIVE = """
update catalogue_version set state = 'retired' where state = 'active' and version <> $1"""


async def retire_active(conn: Connection, but: int) -> None:
    """Retire the active version, unless it is `but`."""
    await conn.execute(RETIRE_ACTIVE, but)


ACTIVATE = """
update catalogue_version set state = 'active', activated_at = $2, activated_by = $3
where version = $1 and state <> 'active'
returning version"""


async def activate(conn: Connection, version: int, now: datetime, by: str) -> bool:
    """Activate a version; return whether it was inactive. UniqueViolationError: catalogue_one_active."""
    return await conn.fetchval(ACTIVATE, version, now, by) is not None


def _version(row: asyncpg.Record) -> Version:
    return Version(
        version=row["version"],
        state=row["state"],
        rules=row["rules"],
        warnings=orjson.loads(row["warnings"]),
        created_at=row["created_at"],
        created_by=row["created_by"],
        activated_at=row["activated_at"],
        activated_by=row["activated_by"],
    )
