"""Queues as pages, oldest request first, and as changes for streams."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import asyncpg

from services.routing.domain.choice import Considered
from services.routing.domain.dispatching import Dispatched
from services.routing.domain.parties import Party
from services.routing.store.matters import dispatched_from
from services.routing.store.offers import considered_from
from shared.contracts.vocabulary import Candidacy, OfferState, PartyKind
from shared.runtime.database import Connection


@dataclass(frozen=True, slots=True)
class Item:
    """An offer in a queue."""

    offer_id: str
    matter_id: str
    version: int
    round: int
    attempt: int
    party: Party
    state: OfferState
    candidacy: Candidacy
    catalogue_version: int | None
    rule_id: str | None
    considered: tuple[Considered, ...]
    requester_kind: str
    requester_id: str
    requester_name: str
    summary: str
    received_at: datetime
    offered_at: datetime
    expires_at: datetime
    dispatched: Dispatched


FIRST: Final = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))
"""Before every place in a queue."""

LIST_QUEUE = """
select offer.id, offer.matter_id, matter.version, offer.round, offer.attempt, offer.party,
       party.kind as party_kind, party.name as party_name, offer.state, offer.candidacy,
       offer.catalogue_version, offer.rule_id, offer.considered, matter.requester_kind,
       matter.requester_id, matter.requester_name, matter.summary, offer.received_at,
       offer.offered_at, offer.expires_at, matter.dispatched
from offer
join matter on matter.id = offer.matter_id
join party on party.id = offer.party
where offer.party = $1 and offer.state = $2 and offer.holding
  and (offer.received_at, offer.id) > ($3, $4)
order by offer.received_at, offer.id
limit $5"""


async def list_queue(
    conn: Connection, party: str, state: OfferState, after: tuple[datetime, UUID], limit: int
) -> list[Item]:
    """Return a party's open or accepted offers, oldest request first."""
    return [_item(row) for row in await conn.fetch(LIST_QUEUE, party, state, *after, limit)]


def place_of(item: Item) -> tuple[datetime, UUID]:
    """Return an item's position in the order of its queue."""
    return item.received_at, UUID(item.offer_id)


@dataclass(frozen=True, slots=True)
class QueueChange:
    """One entry of a queue's feed: the offer came (`offered`) or ended (`ended`, and how)."""

    position: int
    kind: str
    how: str | None
    at: datetime
    item: Item


READ_FEED = """
select feed.position, feed.kind as feed_kind, feed.how, feed.at, offer.id, offer.matter_id,
       matter.version, offer.round, offer.attempt, offer.party, party.kind as party_kind,
       party.name as party_name, offer.state, offer.candidacy, offer.catalogue_version,
       offer.rule_id, offer.considered, matter.requester_kind, matter.requester_id,
       matter.requester_name, matter.summary, offer.received_at, offer.offered_at,
       offer.expires_at, matter.dispatched
from feed
join offer on offer.id = feed.offer_id
join matter on matter.id = offer.matter_id
join party on party.id = offer.party
where feed.party = $1 and feed.position > $2
order by feed.position
limit $3"""


async def read_feed(conn: Connection, party: str, after: int, limit: int) -> list[QueueChange]:
    """Return a queue's entries after a position, in order."""
    return [
        QueueChange(row["position"], row["feed_kind"], row["how"], row["at"], _item(row))
        for row in await conn.fetch(READ_FEED, party, after, limit)
    ]


def _item(row: asyncpg.Record) -> Item:
    return Item(
        offer_id=str(row["id"]),
        matter_id=str(row["matter_id"]),
        version=row["version"],
        round=row["round"],
        attempt=row["attempt"],
        party=Party(row["party"], PartyKind(row["party_kind"]), row["party_name"]),
        state=OfferState(row["state"]),
        candidacy=Candidacy(row["candidacy"]),
        catalogue_version=row["catalogue_version"],
        rule_id=row["rule_id"],
        considered=considered_from(row["considered"]),
        requester_kind=row["requester_kind"],
        requester_id=row["requester_id"],
        requester_name=row["requester_name"],
        summary=row["summary"],
        received_at=row["received_at"],
        offered_at=row["offered_at"],
        expires_at=row["expires_at"],
        dispatched=dispatched_from(row["dispatched"]),
    )
