"""Rows of matters: locked before any change, written in one statement per batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

import asyncpg
import orjson

from services.routing.domain.dispatching import Dispatched
from services.routing.domain.matter import Matter, RoutedRequest, RoutingState
from shared.contracts.vocabulary import Difficulty, Kind, RequesterKind, Tier, Urgency
from shared.runtime.database import Connection

LOCK_MATTERS = """
select id, round, attempt, version, standing, offer_id, owner_id, requester_kind, requester_id,
       requester_name, kind, category, urgency, summary, detail, received_at, park, tier, dispatched
from matter where id = any($1::uuid[])
order by id
for update"""


async def lock_matters(conn: Connection, ids: Sequence[str]) -> dict[str, Matter]:
    """Load the known matters, locked in the order of ids."""
    return {matter.id: matter for matter in map(_matter, await conn.fetch(LOCK_MATTERS, ids))}


FIND_MATTER_OF_OFFER = "select matter_id from offer where id = $1::uuid"


async def find_matter_of_offer(conn: Connection, offer_id: str) -> str | None:
    """Return the matter of an offer; None when there is no such offer."""
    found = await conn.fetchval(FIND_MATTER_OF_OFFER, offer_id)
    return None if found is None else str(found)


FIND_MATTER_OF_OBJECTION = "select matter_id from objection where id = $1::uuid"


async def find_matter_of_objection(conn: Connection, objection_id: str) -> str | None:
    """Return the matter of an objection; None when there is no such objection."""
    found = await conn.fetchval(FIND_MATTER_OF_OBJECTION, objection_id)
    return None if found is None else str(found)


CLAIM_DUE = """
select id from matter where due_at <= $1
order by due_at limit $2
for update skip locked"""


async def claim_due(conn: Connection, now: datetime, limit: int) -> list[str]:
    """Return due matters, longest overdue first, locked; those locked by others are skipped."""
    return [str(row["id"]) for row in await conn.fetch(CLAIM_DUE, now, limit)]


PROMISING_AFTER = """
select id from matter where due_at is not null and id > $1 order by id limit $2"""


async def promising_after(conn: Connection, after: UUID, limit: int) -> list[str]:
    """Return the next matters, in the order of ids, with a running offer or review."""
    return [str(row["id"]) for row in await conn.fetch(PROMISING_AFTER, after, limit)]


PUT_OFF = """
update matter set due_at = given.due_at
from unnest($1::uuid[], $2::timestamptz[]) as given (id, due_at) where matter.id = given.id"""


async def put_off(conn: Connection, moments: Mapping[str, datetime]) -> None:
    """Set when the sweep looks at these matters next; the caller has locked them."""
    await conn.execute(PUT_OFF, list(moments), list(moments.values()))


FIND_OFFERED_TO = """
select matter_id from offer
where party = any($1::text[]) and state = 'offered' and holding
order by received_at limit $2"""


async def find_offered_to(conn: Connection, parties: Sequence[str], limit: int) -> list[str]:
    """Return matters with an open offer to one of these parties, the oldest `limit`."""
    return [str(row["matter_id"]) for row in await conn.fetch(FIND_OFFERED_TO, parties, limit)]


@dataclass(frozen=True, slots=True)
class Row:
    """A matter to write, with the time of its next sweep."""

    matter: Matter
    due_at: datetime | None


INSERT_MATTERS = """
insert into matter (id, round, attempt, version, standing, offer_id, due_at, requester_kind,
                    requester_id, requester_name, kind, category, urgency, summary, detail,
                    received_at, park, tier, dispatched)
select new.id, 1, 1, new.version, 'offered', new.offer_id, new.due_at,
       new.requester_kind, new.requester_id, new.requester_name, new.kind, new.category,
       new.urgency, new.summary, new.detail, new.received_at, new.park, new.tier, new.dispatched
from unnest($1::uuid[], $2::int[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[],
            $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
            $13::timestamptz[], $14::text[], $15::text[], $16::json[])
     as new (id, version, offer_id, due_at, requester_kind, requester_id, requester_name, kind,
             category, urgency, summary, detail, received_at, park, tier, dispatched)"""


async def insert_matters(conn: Connection, rows: Sequence[Row]) -> None:
    """Insert new matters, each with its first offer.

    UniqueViolationError (matter_pkey) when one is not new.
    """
    matters = [row.matter for row in rows]
    asked = [matter.asked for matter in matters]
    await conn.execute(
        INSERT_MATTERS,
        [matter.id for matter in matters],
        [matter.version for matter in matters],
        [matter.offer_id for matter in matters],
        [row.due_at for row in rows],
        [one.requester_kind for one in asked],
        [one.requester_id for one in asked],
        [one.requester_name for one in asked],
        [one.kind for one in asked],
        [one.category for one in asked],
        [one.urgency for one in asked],
        [one.summary for one in asked],
        [one.detail for one in asked],
        [one.received_at for one in asked],
        [matter.park for matter in matters],
        [matter.tier for matter in matters],
        [dispatched_json(matter.dispatched) for matter in matters],
    )


UPDATE_MATTERS = """
update matter
set round = new.round, attempt = new.attempt, version = new.version, standing = new.standing,
    offer_id = new.offer_id, owner_id = new.owner_id, due_at = new.due_at, park = new.park,
    tier = new.tier, dispatched = new.dispatched
from unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::text[], $6::uuid[], $7::text[],
            $8::timestamptz[], $9::text[], $10::text[], $11::json[])
     as new (id, round, attempt, version, standing, offer_id, owner_id, due_at, park, tier, dispatched)
where matter.id = new.id"""


async def update_matters(conn: Connection, rows: Sequence[Row]) -> None:
    """Write back matters that the caller has locked."""
    matters = [row.matter for row in rows]
    await conn.execute(
        UPDATE_MATTERS,
        [matter.id for matter in matters],
        [matter.round for matter in matters],
        [matter.attempt for matter in matters],
        [matter.version for matter in matters],
        [matter.standing for matter in matters],
        [matter.offer_id for matter in matters],
        [matter.owner_id for matter in matters],
        [row.due_at for row in rows],
        [matter.park for matter in matters],
        [matter.tier for matter in matters],
        [dispatched_json(matter.dispatched) for matter in matters],
    )


def _matter(row: asyncpg.Record) -> Matter:
    return Matter(
        id=str(row["id"]),
        round=row["round"],
        attempt=row["attempt"],
        version=row["version"],
        standing=RoutingState(row["standing"]),
        offer_id=None if row["offer_id"] is None else str(row["offer_id"]),
        owner_id=row["owner_id"],
        asked=RoutedRequest(
            requester_kind=RequesterKind(row["requester_kind"]),
            requester_id=row["requester_id"],
            requester_name=row["requester_name"],
            kind=Kind(row["kind"]),
            category=row["category"],
            urgency=Urgency(row["urgency"]),
            summary=row["summary"],
            detail=row["detail"],
            received_at=row["received_at"],
        ),
        dispatched=dispatched_from(row["dispatched"]),
        park=row["park"],
        tier=None if row["tier"] is None else Tier(row["tier"]),
    )


@lru_cache(maxsize=4096)
def dispatched_json(dispatched: Dispatched) -> str:
    """Return a decision in stored form; there are few different ones."""
    return orjson.dumps(dispatched).decode()


@lru_cache(maxsize=4096)
def dispatched_from(text: str) -> Dispatched:
    """Return a decision from its stored form."""
    found = orjson.loads(text)
    return Dispatched(
        **(
            found
            | {
                "co_departments": tuple(found["co_departments"]),
                "urgency": Urgency(found["urgency"]),
                "difficulty": Difficulty(found["difficulty"]),
            }
        )
    )
