"""Objections as a coordinator reads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.routing.domain.parties import Party
from shared.contracts.vocabulary import PartyKind
from shared.runtime.database import Connection


@dataclass(frozen=True, slots=True)
class Review:
    """An objection with the facts that a ruling needs."""

    objection_id: str
    offer_id: str
    matter_id: str
    version: int
    round: int
    summary: str
    requester_name: str
    raised_by: Party
    suggested_owner: Party
    reason_code: str
    note: str | None
    raised_at: datetime
    review_at: datetime
    state: str
    settled_at: datetime | None
    ruled_by: str | None
    ruling_note: str | None


LIST_REVIEWS = """
select objection.id, objection.offer_id, objection.matter_id, matter.version, objection.round,
       matter.summary, matter.requester_name, raiser.id as raiser_id, raiser.kind as raiser_kind,
       raiser.name as raiser_name, owner.id as owner_id, owner.kind as owner_kind,
       owner.name as owner_name, objection.reason_code, objection.note, objection.raised_at,
       objection.review_at, objection.state, objection.settled_at, objection.ruled_by,
       objection.ruling_note
from objection
join matter on matter.id = objection.matter_id
join party as raiser on raiser.id = objection.raised_by
join party as owner on owner.id = objection.suggested_owner
where objection.state = $1 and (objection.review_at, objection.id) > ($2, $3)
order by objection.review_at, objection.id
limit $4"""


async def list_reviews(
    conn: Connection, state: str, after: tuple[datetime, UUID], limit: int
) -> list[Review]:
    """Return objections of one state in the order in which their reviews end."""
    return [_review(row) for row in await conn.fetch(LIST_REVIEWS, state, *after, limit)]


LOAD_REVIEWS_OF = """
select objection.id, objection.offer_id, objection.matter_id, matter.version, objection.round,
       matter.summary, matter.requester_name, raiser.id as raiser_id, raiser.kind as raiser_kind,
       raiser.name as raiser_name, owner.id as owner_id, owner.kind as owner_kind,
       owner.name as owner_name, objection.reason_code, objection.note, objection.raised_at,
       objection.review_at, objection.state, objection.settled_at, objection.ruled_by,
       objection.ruling_note
from objection
join matter on matter.id = objection.matter_id
join party as raiser on raiser.id = objection.raised_by
join party as owner on owner.id = objection.suggested_owner
where objection.matter_id = $1::uuid
order by objection.raised_at, objection.id
limit 1000"""


async def load_reviews_of(conn: Connection, matter_id: str) -> Sequence[Review]:
    """Return a matter's objections, oldest first."""
    return [_review(row) for row in await conn.fetch(LOAD_REVIEWS_OF, matter_id)]


def _review(row: asyncpg.Record) -> Review:
    return Review(
        objection_id=str(row["id"]),
        offer_id=str(row["offer_id"]),
        matter_id=str(row["matter_id"]),
        version=row["version"],
        round=row["round"],
        summary=row["summary"],
        requester_name=row["requester_name"],
        raised_by=Party(row["raiser_id"], PartyKind(row["raiser_kind"]), row["raiser_name"]),
        suggested_owner=Party(row["owner_id"], PartyKind(row["owner_kind"]), row["owner_name"]),
        reason_code=row["reason_code"],
        note=row["note"],
        raised_at=row["raised_at"],
        review_at=row["review_at"],
        state=row["state"],
        settled_at=row["settled_at"],
        ruled_by=row["ruled_by"],
        ruling_note=row["ruling_note"],
    )
