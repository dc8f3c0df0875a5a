"""Rows of offers and objections: party, reason and end; many at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg
import orjson

from services.routing.domain.choice import Considered, Verdict
from services.routing.domain.matter import Cause, Objection, ObjectionState, Offer
from services.routing.domain.parties import Party
from shared.contracts.vocabulary import Candidacy, DeclineReason, OfferState, PartyKind
from shared.runtime.database import Connection

MOST_LOADED: Final = 20_000
"""The most offers read for one batch; a matter has a few, were it not for a desk that lets it lie for months."""

# Lateral: the offers of each matter by their index, whatever the statistics say of the tables.
LOAD_OFFERS = """
select offer.id, offer.matter_id, offer.round, offer.attempt, offer.party, party.kind, party.name,
       offer.candidacy, offer.state, offer.holding, offer.expires_at, offer.offered_at
from matter
cross join lateral (
    select * from offer
    where offer.matter_id = matter.id and (offer.round = matter.round or offer.id = $2::uuid)
    offset 0) as offer
join party on party.id = offer.party
where matter.id = any($1::uuid[])
order by offer.matter_id, offer.round, offer.attempt
limit $3"""


async def load_offers(
    conn: Connection, matter_ids: Sequence[str], offer_id: str | None = None
) -> list[Offer]:
    """Load the offers of these matters' present rounds, and the one with `offer_id` of any round."""
    rows = await conn.fetch(LOAD_OFFERS, matter_ids, offer_id, MOST_LOADED)
    return [_offer(row) for row in rows]


@dataclass(frozen=True, slots=True)
class NewOffer:
    """A new offer with its explanation."""

    offer: Offer
    cause: Cause
    catalogue_version: int | None
    rule_id: str | None
    considered: tuple[Considered, ...]
    received_at: datetime


INSERT_OFFERS = """
insert into offer (id, matter_id, round, attempt, party, candidacy, cause, catalogue_version,
                   rule_id, considered, received_at, offered_at, expires_at, calendar_version,
                   state, holding)
select new.id, new.matter_id, new.round, new.attempt, new.party, new.candidacy, new.cause,
       new.catalogue_version, new.rule_id, new.considered, new.received_at, $13,
       new.expires_at, $14, 'offered', true
from unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[], $5::text[], $6::text[], $7::text[],
            $8::int[], $9::text[], $10::json[], $11::timestamptz[], $12::timestamptz[])
     as new (id, matter_id, round, attempt, party, candidacy, cause, catalogue_version, rule_id,
             considered, received_at, expires_at)"""


async def insert_offers(
    conn: Connection, made: Sequence[NewOffer], now: datetime, calendar_version: str
) -> None:
    """Insert new offers, with limits computed by that version of the calendar.

    Raises UniqueViolationError: offer_one_holding when a matter has another, offer_attempt when it had this one.
    """
    offers = [new.offer for new in made]
    await conn.execute(
        INSERT_OFFERS,
        [offer.id for offer in offers],
        [offer.matter_id for offer in offers],
        [offer.round for offer in offers],
        [offer.attempt for offer in offers],
        [offer.party.id for offer in offers],
        [offer.candidacy for offer in offers],
        [new.cause for new in made],
        [new.catalogue_version for new in made],
        [new.rule_id for new in made],
        [considered_json(new.considered) for new in made],
        [new.received_at for new in made],
        [offer.expires_at for offer in offers],
        now,
        calendar_version,
    )


@dataclass(frozen=True, slots=True)
class OfferEnd:
    """A change of an offer: `holding` stays true for an accepted one."""

    offer_id: str
    was: OfferState
    state: OfferState
    holding: bool
    reason: str | None = None
    suggested_owner: str | None = None
    note: str | None = None


UPDATE_OFFERS = """
update offer
set state = new.state, holding = new.holding, ended_at = coalesce(offer.ended_at, $8),
    reason = coalesce(new.reason, offer.reason),
    suggested_owner = new.suggested_owner, note = new.note
from unnest($1::uuid[], $2::text[], $3::text[], $4::bool[], $5::text[], $6::text[], $7::text[])
     as new (id, was, state, holding, reason, suggested_owner, note)
where offer.id = new.id and offer.state = new.was
returning offer.id"""


async def update_offers(conn: Connection, ends: Sequence[OfferEnd], now: datetime) -> set[str]:
    """Update offers that are still in the state that was read; return their ids."""
    rows = await conn.fetch(
        UPDATE_OFFERS,
        [end.offer_id for end in ends],
        [end.was for end in ends],
        [end.state for end in ends],
        [end.holding for end in ends],
        [end.reason for end in ends],
        [end.suggested_owner for end in ends],
        [end.note for end in ends],
        now,
    )
    return {str(row["id"]) for row in rows}


LOAD_OBJECTIONS = """
select objection.id, objection.matter_id, objection.offer_id, objection.round,
       objection.raised_by, party.kind, party.name, objection.suggested_owner,
       objection.reason_code, objection.note, objection.review_at, objection.state,
       objection.raised_at
from objection join party on party.id = objection.raised_by
where objection.matter_id = any($1::uuid[])
order by objection.matter_id, objection.raised_at"""


async def load_objections(conn: Connection, matter_ids: Sequence[str]) -> list[Objection]:
    """Load all objections of these matters; a party raises at most one a round."""
    return [_objection(row) for row in await conn.fetch(LOAD_OBJECTIONS, matter_ids)]


INSERT_OBJECTIONS = """
insert into objection (id, matter_id, offer_id, round, raised_by, suggested_owner, reason_code,
                       note, raised_at, review_at)
select new.id, new.matter_id, new.offer_id, new.round, new.raised_by, new.suggested_owner,
       new.reason_code, new.note, $10, new.review_at
from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::text[], $7::text[],
            $8::text[], $9::timestamptz[])
     as new (id, matter_id, offer_id, round, raised_by, suggested_owner, reason_code, note, review_at)"""


async def insert_objections(
    conn: Connection, objections: Sequence[Objection], now: datetime
) -> None:
    """Write objections. UniqueViolationError: objection_once_a_round, objection_one_open."""
    await conn.execute(
        INSERT_OBJECTIONS,
        [objection.id for objection in objections],
        [objection.matter_id for objection in objections],
        [objection.offer_id for objection in objections],
        [objection.round for objection in objections],
        [objection.raised_by.id for objection in objections],
        [objection.suggested_owner for objection in objections],
        [objection.reason_code for objection in objections],
        [objection.note for objection in objections],
        [objection.review_at for objection in objections],
        now,
    )


@dataclass(frozen=True, slots=True)
class Settlement:
    """The end of an open objection, with the coordinator if a person ended it."""

    objection_id: str
    state: ObjectionState
    ruled_by: str | None = None
    note: str | None = None


SETTLE_OBJECTIONS = """
update objection
set state = new.state, settled_at = $5, ruled_by = new.ruled_by, ruling_note = new.note
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as new (id, state, ruled_by, note)
where objection.id = new.id and objection.state = 'open'
returning objection.id"""


async def close_objections(
    conn: Connection, settlements: Sequence[Settlement], now: datetime
) -> set[str]:
    """Close objections that are still open; return their ids."""
    rows = await conn.fetch(
        SETTLE_OBJECTIONS,
        [settlement.objection_id for settlement in settlements],
        [settlement.state for settlement in settlements],
        [settlement.ruled_by for settlement in settlements],
        [settlement.note for settlement in settlements],
        now,
    )
    return {str(row["id"]) for row in rows}


def considered_json(considered: Sequence[Considered]) -> str:
    """Return candidates in stored form: the party's id, kind and name then, candidacy, verdict, end of an absence."""
    return orjson.dumps(
        [
            (
                one.party.id,
                one.party.kind,
                one.party.name,
                one.candidacy,
                one.verdict,
                one.until,
            )
            for one in considered
        ]
    ).decode()


def considered_from(text: str) -> tuple[Considered, ...]:
    """Return candidates from their stored form."""
    return tuple(
        Considered(
            Party(party_id, PartyKind(kind), name),
            Candidacy(candidacy),
            Verdict(verdict),
            None if until is None else datetime.fromisoformat(until),
        )
        for party_id, kind, name, candidacy, verdict, until in orjson.loads(text)
    )


def _offer(row: asyncpg.Record) -> Offer:
    return Offer(
        id=str(row["id"]),
        matter_id=str(row["matter_id"]),
        round=row["round"],
        attempt=row["attempt"],
        party=Party(row["party"], PartyKind(row["kind"]), row["name"]),
        candidacy=Candidacy(row["candidacy"]),
        state=OfferState(row["state"]),
        holding=row["holding"],
        expires_at=row["expires_at"],
        offered_at=row["offered_at"],
    )


def _objection(row: asyncpg.Record) -> Objection:
    return Objection(
        id=str(row["id"]),
        matter_id=str(row["matter_id"]),
        offer_id=str(row["offer_id"]),
        round=row["round"],
        raised_by=Party(row["raised_by"], PartyKind(row["kind"]), row["name"]),
        suggested_owner=row["suggested_owner"],
        reason_code=DeclineReason(row["reason_code"]),
        note=row["note"],
        review_at=row["review_at"],
        state=ObjectionState(row["state"]),
        raised_at=row["raised_at"],
    )
