"""Loads the town for one batch of choices, with locks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.routing.domain.parties import FALLBACK_DESK, Away, Enterprise, Liaison, Party, Ties
from shared.contracts.vocabulary import PartyKind, Tier, TieRole
from shared.runtime.database import Connection

# Lateral: the ties of each enterprise by their index; a hash join read all ties of the town for each batch.
LOAD_ENTERPRISES = """
select enterprise.uscc, enterprise.park, enterprise.tier, tie.role, tie.liaison_id
from enterprise
left join lateral (
    select * from tie
    where tie.uscc = enterprise.uscc and tie.from_on <= $2 and (tie.until_on is null or tie.until_on >= $2)
    offset 0) as tie on true
where enterprise.uscc = any($1::text[])
order by enterprise.uscc, tie.from_on, tie.id"""


async def load_enterprises(
    conn: Connection, usccs: Sequence[str], today: date
) -> dict[str, Enterprise]:
    """Return the known enterprises, with the ties that hold on the local day `today`."""
    primaries: dict[str, str] = {}
    deputies: dict[str, list[str]] = {}
    places: dict[str, tuple[str | None, Tier]] = {}
    for uscc, park, tier, role, liaison_id in await conn.fetch(LOAD_ENTERPRISES, usccs, today):
        places[uscc] = (park, Tier(tier))
        if role == TieRole.PRIMARY:
            primaries[uscc] = liaison_id
        elif role is not None:
            deputies.setdefault(uscc, []).append(liaison_id)
    return {
        uscc: Enterprise(park, tier, Ties(primaries.get(uscc), tuple(deputies.get(uscc, ()))))
        for uscc, (park, tier) in places.items()
    }


@dataclass(frozen=True, slots=True)
class Desks:
    """The departments' desks, the fallback desk, and the active version of the catalogue."""

    departments: Mapping[str, Party]
    fallback: Party
    catalogue_version: int | None


LOAD_DESKS = """
select party.id, party.kind, party.name,
       (select version from catalogue_version where state = 'active') as catalogue_version
from party where party.kind <> 'liaison'"""


async def load_desks(conn: Connection) -> Desks:
    """Return all desks; a few dozen at most."""
    rows = await conn.fetch(LOAD_DESKS)
    parties = {row["id"]: Party(row["id"], PartyKind(row["kind"]), row["name"]) for row in rows}
    fallback = parties.pop(FALLBACK_DESK)
    return Desks(parties, fallback, rows[0]["catalogue_version"])


LOAD_AWAY = """
select liaison_id, until_at, deputy_id from absence
where coalesce(until_at, timestamptz 'infinity') > $1 and from_at <= $1
order by liaison_id, coalesce(until_at, timestamptz 'infinity'), id"""


async def load_away(conn: Connection, now: datetime) -> dict[str, Away]:
    """Return who is away at `now`. Of overlapping absences the latest end counts, with a deputy if any names one."""
    away: dict[str, Away] = {}
    for liaison_id, until_at, deputy_id in await conn.fetch(LOAD_AWAY, now):
        before = away.get(liaison_id)
        away[liaison_id] = Away(until_at, deputy_id or (before.deputy if before else None))
    return away


LOCK_LIAISONS = """
select queue.party, queue.load, liaison.department_id, liaison.capacity, party.name
from queue
join liaison on liaison.id = queue.party
join party on party.id = queue.party
where queue.party = any($1::text[])
order by queue.is_desk, queue.party
for update of queue"""


async def lock_liaisons(
    conn: Connection, ids: Sequence[str]
) -> tuple[dict[str, Liaison], dict[str, int]]:
    """Return liaisons and their load, locked in the order of ids, so that no capacity is given away twice."""
    rows = await conn.fetch(LOCK_LIAISONS, ids)
    liaisons = {
        party: Liaison(Party(party, PartyKind.LIAISON, name), department_id, capacity)
        for party, _, department_id, capacity, name in rows
    }
    return liaisons, {row["party"]: row["load"] for row in rows}


LOAD_PARTIES = "select id, kind, name from party where id = any($1::text[])"


async def load_parties(conn: Connection, ids: Sequence[str]) -> dict[str, Party]:
    """Return the existing parties with these ids."""
    rows = await conn.fetch(LOAD_PARTIES, ids)
    return {row["id"]: Party(row["id"], PartyKind(row["kind"]), row["name"]) for row in rows}
