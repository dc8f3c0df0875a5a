"""Writes of the directory: parties, enterprises, ties and absences."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from shared.contracts.vocabulary import PartyKind, Tier, TieRole
from shared.runtime.database import Connection


class Put(StrEnum):
    """Effects of a write."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Department:
    """A department; its desk is offered matters under the department's id."""

    id: str
    name: str
    phone_desk: str | None = None


@dataclass(frozen=True, slots=True)
class LiaisonEntry:
    """A liaison as the directory has them; capacity counts matters held at once."""

    id: str
    name: str
    department_id: str
    capacity: int


@dataclass(frozen=True, slots=True)
class EnterpriseEntry:
    """An enterprise as the directory has it."""

    uscc: str
    name: str
    park: str | None
    industry: str | None
    tier: Tier


@dataclass(frozen=True, slots=True)
class Tie:
    """Who looks after an enterprise, from the first to the last day, both included."""

    id: str
    uscc: str
    liaison_id: str
    role: TieRole
    from_on: date
    until_on: date | None
    reason: str


@dataclass(frozen=True, slots=True)
class Absence:
    """A liaison is away from `from_at` up to but not at `until_at`; None is until further notice."""

    liaison_id: str
    id: str
    from_at: datetime
    until_at: datetime | None
    deputy_id: str | None

    def covers(self, at: datetime) -> bool:
        """Whether the liaison is away at that moment."""
        return self.from_at <= at and (self.until_at is None or at < self.until_at)


PUT_PARTY = """
insert into party (id, kind, name) values ($1, $2, $3)
on conflict (id) do update set name = excluded.name where party.kind = excluded.kind
returning id"""


async def put_party(conn: Connection, party_id: str, kind: PartyKind, name: str) -> bool:
    """Write a party's name; return False when the id belongs to a party of another kind."""
    return await conn.fetchval(PUT_PARTY, party_id, kind, name) is not None


OPEN_QUEUE = """
insert into queue (party, is_desk) select id, kind <> 'liaison' from party where id = $1
on conflict (party) do nothing"""


async def open_queue(conn: Connection, party_id: str) -> None:
    """Create a party's queue if it has none."""
    await conn.execute(OPEN_QUEUE, party_id)


PUT_DEPARTMENT = """
insert into department (id, phone_desk) values ($1, $2)
on conflict (id) do update set phone_desk = excluded.phone_desk
returning (xmax = 0) as created"""


async def put_department(conn: Connection, department: Department) -> Put:
    """Write a department whose party is there."""
    created = await conn.fetchval(PUT_DEPARTMENT, department.id, department.phone_desk)
    return Put.CREATED if created else Put.CHANGED


PUT_LIAISON = """
insert into liaison (id, department_id, capacity) values ($1, $2, $3)
on conflict (id) do update
set department_id = excluded.department_id, capacity = excluded.capacity
returning (xmax = 0) as created"""


async def put_liaison(conn: Connection, liaison: LiaisonEntry) -> Put:
    """Write a liaison whose party is there. ForeignKeyViolationError: liaison_in_department."""
    created = await conn.fetchval(PUT_LIAISON, liaison.id, liaison.department_id, liaison.capacity)
    return Put.CREATED if created else Put.CHANGED


PUT_ENTERPRISE = """
insert into enterprise (uscc, name, park, industry, tier) values ($1, $2, $3, $4, $5)
on conflict (uscc) do update
set name = excluded.name, park = excluded.park, industry = excluded.industry, tier = excluded.tier
returning (xmax = 0) as created"""


async def put_enterprise(conn: Connection, enterprise: EnterpriseEntry) -> Put:
    """Write an enterprise."""
    created = await conn.fetchval(
        PUT_ENTERPRISE,
        enterprise.uscc,
        enterprise.name,
        enterprise.park,
        enterprise.industry,
        enterprise.tier,
    )
    return Put.CREATED if created else Put.CHANGED


LOCK_ENTERPRISE = "select uscc from enterprise where uscc = $1 for update"


async def lock_enterprise(conn: Connection, uscc: str) -> bool:
    """Lock an enterprise's ties for this transaction; return False when there is no such enterprise."""
    return await conn.fetchval(LOCK_ENTERPRISE, uscc) is not None


FIND_OVERLAPPING_PRIMARY = """
select id from tie
where uscc = $1 and role = 'primary' and id <> $2
  and from_on <= coalesce($4::date, date 'infinity')
  and coalesce(until_on, date 'infinity') >= $3::date
order by from_on limit 1"""


async def find_overlapping_primary(conn: Connection, tie: Tie) -> str | None:
    """Return another primary tie of the enterprise that overlaps this one. The enterprise is locked."""
    found: str | None = await conn.fetchval(
        FIND_OVERLAPPING_PRIMARY, tie.uscc, tie.id, tie.from_on, tie.until_on
    )
    return found


PUT_TIE = """
insert into tie (id, uscc, liaison_id, role, from_on, until_on, reason)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (id) do update
set uscc = excluded.uscc, liaison_id = excluded.liaison_id, role = excluded.role,
    from_on = excluded.from_on, until_on = excluded.until_on, reason = excluded.reason,
    version = tie.version + 1
where (tie.uscc, tie.liaison_id, tie.role, tie.from_on, tie.until_on, tie.reason)
      is distinct from (excluded.uscc, excluded.liaison_id, excluded.role, excluded.from_on,
                        excluded.until_on, excluded.reason)
returning version"""


async def put_tie(conn: Connection, tie: Tie) -> int | None:
    """Write a tie; return its new version, or None when nothing changed.

    Raises ForeignKeyViolationError (tie_of_liaison), UniqueViolationError (tie_one_open_primary) or
    CheckViolationError (tie_dates). The enterprise is locked.
    """
    version: int | None = await conn.fetchval(
        PUT_TIE,
        tie.id,
        tie.uscc,
        tie.liaison_id,
        tie.role,
        tie.from_on,
        tie.until_on,
        tie.reason,
    )
    return version


PUT_ABSENCE = """
insert into absence (liaison_id, id, from_at, until_at, deputy_id) values ($1, $2, $3, $4, $5)
on conflict (liaison_id, id) do update
set from_at = excluded.from_at, until_at = excluded.until_at, deputy_id = excluded.deputy_id,
    begun = false
returning (xmax = 0) as created"""


async def put_absence(conn: Connection, absence: Absence) -> Put:
    """Write an absence, marked as not begun.

    Raises ForeignKeyViolationError (absence_of_liaison, absence_deputy) or CheckViolationError
    (absence_dates, absence_deputy_is_another).
    """
    created = await conn.fetchval(
        PUT_ABSENCE,
        absence.liaison_id,
        absence.id,
        absence.from_at,
        absence.until_at,
        absence.deputy_id,
    )
    return Put.CREATED if created else Put.CHANGED


# In the order in which a choice locks them.
LOCK_QUEUES = """
select party from queue where party = any($1::text[]) order by is_desk, party for update"""


async def lock_queues(conn: Connection, parties: Collection[str]) -> None:
    """Wait until no offer to these parties is being made, and block new ones until the commit.

    Every choice that may fall on one of them waits from then on: lock last, right before the commit.
    """
    await conn.execute(LOCK_QUEUES, list(parties))


CLAIM_ABSENCES = """
select liaison_id, id, from_at, until_at, deputy_id from absence
where not begun and from_at <= $1 and ($2::text is null or liaison_id = $2)
order by from_at limit $3
for update skip locked"""


async def claim_absences(
    conn: Connection, now: datetime, liaison_id: str | None, limit: int
) -> list[Absence]:
    """Return absences that have started and are not marked as begun, locked; optionally of one liaison."""
    rows = await conn.fetch(CLAIM_ABSENCES, now, liaison_id, limit)
    return [
        Absence(row["liaison_id"], row["id"], row["from_at"], row["until_at"], row["deputy_id"])
        for row in rows
    ]


MARK_BEGUN = """
update absence set begun = true
from unnest($1::text[], $2::text[]) as done (liaison_id, id)
where absence.liaison_id = done.liaison_id and absence.id = done.id"""


async def mark_begun(conn: Connection, absences: Sequence[Absence]) -> None:
    """Mark these absences, which the caller has locked, as begun."""
    await conn.execute(
        MARK_BEGUN,
        [absence.liaison_id for absence in absences],
        [absence.id for absence in absences],
    )
