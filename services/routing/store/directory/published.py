"""The last published content of each directory entry, and entries that were never published."""

from collections.abc import Sequence
from typing import Any

from shared.runtime.database import Connection

# The row of an entry is its lock: versions become visible in order.
PUT_PUBLISHED = """
insert into published_entry as old (subject, version, data) values ($1, 1, $2)
on conflict (subject) do update set version = old.version + 1, data = excluded.data
where old.data is distinct from excluded.data
returning version"""


async def put_published(conn: Connection, subject: str, data: str) -> int | None:
    """Store an entry's new content; return its new version, None when it is unchanged."""
    version: int | None = await conn.fetchval(PUT_PUBLISHED, subject, data)
    return version


# Whoever changes an entry meanwhile publishes it in the same transaction, so that its row is there already or will be a
# later version.
ADD_PUBLISHED = """
insert into published_entry (subject, version, data)
select given.subject, 1, given.data from unnest($1::text[], $2::jsonb[]) as given (subject, data)
order by given.subject
on conflict (subject) do nothing
returning subject"""


async def add_published(conn: Connection, entries: Sequence[tuple[str, str]]) -> set[str]:
    """Store the first version of entries (subject, data); return the subjects that were new."""
    subjects, data = [subject for subject, _ in entries], [each for _, each in entries]
    rows = await conn.fetch(ADD_PUBLISHED, subjects, data)
    return {row["subject"] for row in rows}


SELECT_UNPUBLISHED_DEPARTMENTS = """
select department.id, party.name from department join party using (id)
where not exists (select from published_entry where subject = 'department/' || department.id)
order by id limit $1"""

SELECT_UNPUBLISHED_LIAISONS = """
select liaison.id, party.name, liaison.department_id from liaison join party using (id)
where not exists (select from published_entry where subject = 'liaison/' || liaison.id)
order by id limit $1"""

SELECT_UNPUBLISHED_ENTERPRISES = """
select uscc, name, park, industry, tier from enterprise
where not exists (select from published_entry where subject = 'enterprise/' || uscc)
order by uscc limit $1"""

SELECT_UNPUBLISHED_ABSENCES = """
select liaison_id, id, from_at, until_at, deputy_id from absence
where not exists (select from published_entry where subject = 'absence/' || liaison_id || '/' || id)
order by liaison_id, id limit $1"""


async def unpublished(conn: Connection, statement: str, limit: int) -> list[dict[str, Any]]:
    """Return unpublished entries, `limit` at most, by one of the statements above."""
    return [dict(row) for row in await conn.fetch(statement, limit)]
