"""SQL of all decisions about one request."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.routing.domain.choice import Considered
from services.routing.domain.dispatching import Dispatched
from services.routing.domain.parties import Party
from services.routing.store.matters import dispatched_from
from services.routing.store.offers import considered_from
from shared.contracts.vocabulary import PartyKind
from shared.runtime.database import Connection


@dataclass(frozen=True, slots=True)
class ExplainedMatter:
    """A matter's state in routing."""

    matter_id: str
    version: int
    round: int
    standing: str
    due_at: datetime | None
    dispatched: Dispatched


LOAD_STANDING = """
select id, version, round, standing, due_at, dispatched from matter where id = $1::uuid"""


async def load_standing(conn: Connection, matter_id: str) -> ExplainedMatter | None:
    """Return a matter's state; None when routing does not know it."""
    row = await conn.fetchrow(LOAD_STANDING, matter_id)
    if row is None:
        return None
    return ExplainedMatter(
        str(row["id"]),
        row["version"],
        row["round"],
        row["standing"],
        row["due_at"],
        dispatched_from(row["dispatched"]),
    )


@dataclass(frozen=True, slots=True)
class Decision:
    """One choice: cause, rule, candidates, and the offer's end."""

    offer_id: str
    round: int
    attempt: int
    party: Party
    candidacy: str
    cause: str
    catalogue_version: int | None
    rule_id: str | None
    considered: tuple[Considered, ...]
    offered_at: datetime
    expires_at: datetime
    calendar_version: str
    state: str
    holding: bool
    ended_at: datetime | None
    reason: str | None
    suggested_owner: str | None
    note: str | None


LOAD_DECISIONS = """
select offer.id, offer.round, offer.attempt, offer.party, party.kind, party.name, offer.candidacy,
       offer.cause, offer.catalogue_version, offer.rule_id, offer.considered, offer.offered_at,
       offer.expires_at, offer.calendar_version, offer.state, offer.holding, offer.ended_at,
       offer.reason, offer.suggested_owner, offer.note
from offer join party on party.id = offer.party
where offer.matter_id = $1::uuid
order by offer.round desc, offer.attempt desc
limit $2"""


async def load_decisions(conn: Connection, matter_id: str, limit: int) -> list[Decision]:
    """Return the newest `limit` decisions of a matter, oldest first."""
    rows = await conn.fetch(LOAD_DECISIONS, matter_id, limit)
    return [_decision(row) for row in reversed(rows)]


def _decision(row: asyncpg.Record) -> Decision:
    return Decision(
        offer_id=str(row["id"]),
        round=row["round"],
        attempt=row["attempt"],
        party=Party(row["party"], PartyKind(row["kind"]), row["name"]),
        candidacy=row["candidacy"],
        cause=row["cause"],
        catalogue_version=row["catalogue_version"],
        rule_id=row["rule_id"],
        considered=considered_from(row["considered"]),
        offered_at=row["offered_at"],
        expires_at=row["expires_at"],
        calendar_version=row["calendar_version"],
        state=row["state"],
        holding=row["holding"],
        ended_at=row["ended_at"],
        reason=row["reason"],
        suggested_owner=row["suggested_owner"],
        note=row["note"],
    )
