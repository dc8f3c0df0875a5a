"""Lists of the directory in the order of ids, page by page."""

from datetime import datetime
from typing import Any

from shared.contracts.fields.folding import compact
from shared.runtime.database import Connection

LIST_DEPARTMENTS = """
select department.id, party.name, department.phone_desk
from department join party on party.id = department.id
where department.id > $1
order by department.id limit $2"""


async def list_departments(conn: Connection, after: str, limit: int) -> list[dict[str, Any]]:
    """Departments whose id comes after `after`."""
    return [dict(row) for row in await conn.fetch(LIST_DEPARTMENTS, after, limit)]


# Away by a subquery for each of a page, by the key: an `exists` may be answered from all absences there ever were.
LIST_LIAISONS = """
select liaison.id, party.name, liaison.department_id, liaison.capacity, queue.load,
       (select 1 from absence
        where absence.liaison_id = liaison.id and absence.from_at <= $4
          and coalesce(absence.until_at, timestamptz 'infinity') > $4 limit 1) is not null as away
from liaison
join party on party.id = liaison.id
join queue on queue.party = liaison.id
where liaison.id > $1 and ($3::text is null or liaison.department_id = $3)
order by liaison.id limit $2"""


async def list_liaisons(
    conn: Connection, after: str, limit: int, department_id: str | None, now: datetime
) -> list[dict[str, Any]]:
    """Liaisons with what they hold and whether they are away at `now`."""
    rows = await conn.fetch(LIST_LIAISONS, after, limit, department_id, now)
    return [dict(row) for row in rows]


LIST_ENTERPRISES = """
select uscc, name, park, industry, tier from enterprise
where uscc > $1 and ($3::text[] is null or park = any($3)) and ($4::text is null or tier = $4)
order by uscc limit $2"""


async def list_enterprises(
    conn: Connection, after: str, limit: int, park: str | None, tier: str | None
) -> list[dict[str, Any]]:
    """Enterprises, of one park, however it is written, or of one tier when asked so."""
    parks = None if park is None else await _spellings(conn, park)
    return [dict(row) for row in await conn.fetch(LIST_ENTERPRISES, after, limit, parks, tier)]


SELECT_PARKS = "select distinct park from enterprise where park is not null"


async def _spellings(conn: Connection, park: str) -> list[str]:
    names = [row["park"] for row in await conn.fetch(SELECT_PARKS)]
    return [name for name in names if compact(name) == compact(park)]


LIST_TIES = """
select id, uscc, liaison_id, role, from_on as "from", until_on as until, reason from tie
where id > $1 and ($3::text is null or uscc = $3) and ($4::text is null or liaison_id = $4)
order by id limit $2"""


async def list_ties(
    conn: Connection, after: str, limit: int, uscc: str | None, liaison_id: str | None
) -> list[dict[str, Any]]:
    """Ties, past and future ones too; of one enterprise or one liaison when asked so."""
    return [dict(row) for row in await conn.fetch(LIST_TIES, after, limit, uscc, liaison_id)]


LIST_ABSENCES = """
select id, liaison_id, from_at as "from", until_at as until, deputy_id from absence
where liaison_id = $1 and id > $2
order by id limit $3"""


async def list_absences(
    conn: Connection, liaison_id: str, after: str, limit: int
) -> list[dict[str, Any]]:
    """A liaison's absences, past and future ones too."""
    return [dict(row) for row in await conn.fetch(LIST_ABSENCES, liaison_id, after, limit)]


HAS_PARTY = "select exists (select from party where id = $1)"


async def has_party(conn: Connection, party: str) -> bool:
    """Whether the directory has a party of that id."""
    found: bool = await conn.fetchval(HAS_PARTY, party)
    return found
