"""The SQL of receipts: what their holders may know of a request, and what staff may."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from shared.contracts.vocabulary import MatterState
from shared.kit.db import Connection


@dataclass(frozen=True, slots=True)
class Held:
    """A request as its receipt's holder meets it; `state` is received until followup has spoken."""

    id: UUID
    version: int
    state: MatterState
    summary: str
    received_at: datetime
    round: int
    owner_name: str | None
    next_due_at: datetime | None
    outcome: str | None
    answer: str | None


SELECT_HELD = """
select request.id, request.version, coalesce(progress.state, 'received') as state, request.summary,
       request.received_at, coalesce(progress.round, 1) as round, progress.owner_name,
       progress.next_due_at, progress.outcome, progress.answer
from request left join progress on progress.request_id = request.id
where request.receipt = $1"""


async def load_held(conn: Connection, receipt: str) -> Held | None:
    """The request of a receipt; None when there is none."""
    return _held(await conn.fetchrow(SELECT_HELD, receipt))


LOCK_HELD = """
select request.id, request.version, coalesce(progress.state, 'received') as state, request.summary,
       request.received_at, coalesce(progress.round, 1) as round, progress.owner_name,
       progress.next_due_at, progress.outcome, progress.answer
from request left join progress on progress.request_id = request.id
where request.receipt = $1 for update of request"""


async def lock_held(conn: Connection, receipt: str) -> Held | None:
    """The same, locked for a change until the transaction ends."""
    return _held(await conn.fetchrow(LOCK_HELD, receipt))


def _held(row: asyncpg.Record | None) -> Held | None:
    if row is None:
        return None
    return Held(
        row["id"],
        row["version"],
        MatterState(row["state"]),
        row["summary"],
        row["received_at"],
        row["round"],
        row["owner_name"],
        row["next_due_at"],
        row["outcome"],
        row["answer"],
    )


ADVANCE = "update request set version = $2 where id = $1 and version = $2 - 1"


async def advance(conn: Connection, request_id: UUID, version: int) -> bool:
    """Count an event of a locked request; whether it was at the version before."""
    return str(await conn.execute(ADVANCE, request_id, version)) == "UPDATE 1"


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a timeline, with what it changed of the progress (None: as it was)."""

    request_id: UUID
    version: int
    type: str
    at: datetime
    words: str | None
    state: str
    round: int
    next_due_at: datetime | None
    owner_id: str | None = None
    owner_name: str | None = None
    offered_id: str | None = None
    lead_department: str | None = None
    outcome: str | None = None
    answer: str | None = None


INSERT_TIMELINE = """
insert into timeline (request_id, version, type, at, words)
select given.request_id, given.version, given.type, given.at, given.words
from unnest($1::uuid[], $2::int[], $3::text[], $4::timestamptz[], $5::text[])
     as given (request_id, version, type, at, words)
on conflict do nothing"""

# One row a request: the caller has folded the steps of a batch into the last of each.
SAVE_PROGRESS = """
insert into progress as old (request_id, state, round, next_due_at, changed_at, owner_id, owner_name,
                             offered_id, lead_department, outcome, answer)
select given.request_id, given.state, given.round, given.next_due_at, given.at, given.owner_id,
       given.owner_name, given.offered_id, given.lead_department, given.outcome, given.answer
from unnest($1::uuid[], $2::text[], $3::int[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::text[], $11::text[])
     as given (request_id, state, round, next_due_at, at, owner_id, owner_name, offered_id,
               lead_department, outcome, answer)
order by given.request_id
on conflict (request_id) do update
set state = excluded.state, round = excluded.round, next_due_at = excluded.next_due_at,
    changed_at = excluded.changed_at,
    owner_id = coalesce(excluded.owner_id, old.owner_id),
    owner_name = coalesce(excluded.owner_name, old.owner_name),
    offered_id = coalesce(excluded.offered_id, old.offered_id),
    lead_department = coalesce(excluded.lead_department, old.lead_department),
    outcome = coalesce(excluded.outcome, old.outcome),
    answer = coalesce(excluded.answer, old.answer)"""


async def save_steps(conn: Connection, steps: Sequence[Step], last: Sequence[Step]) -> None:
    """Add timeline entries, and set the progress of each request by its folded last step."""
    await conn.execute(
        INSERT_TIMELINE,
        [step.request_id for step in steps],
        [step.version for step in steps],
        [step.type for step in steps],
        [step.at for step in steps],
        [step.words for step in steps],
    )
    await conn.execute(
        SAVE_PROGRESS,
        [step.request_id for step in last],
        [step.state for step in last],
        [step.round for step in last],
        [step.next_due_at for step in last],
        [step.at for step in last],
        [step.owner_id for step in last],
        [step.owner_name for step in last],
        [step.offered_id for step in last],
        [step.lead_department for step in last],
        [step.outcome for step in last],
        [step.answer for step in last],
    )


DELETE_PROGRESS = "delete from progress"
DELETE_TIMELINE = "delete from timeline"


async def forget_steps(conn: Connection) -> None:
    """Remove all that was learned from followup."""
    await conn.execute(DELETE_PROGRESS)
    await conn.execute(DELETE_TIMELINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a receipt's timeline."""

    version: int
    type: str
    at: datetime
    words: str | None


SELECT_TIMELINE = """
select version, type, at, words from timeline where request_id = $1 order by version limit 500"""


async def load_timeline(conn: Connection, request_id: UUID) -> list[Entry]:
    """What happened with a request, oldest first, 500 entries at most."""
    rows = await conn.fetch(SELECT_TIMELINE, request_id)
    return [Entry(row["version"], row["type"], row["at"], row["words"]) for row in rows]


SELECT_FULL = """
select request.id, request.source, request.source_ref, request.channel, request.kind, request.category,
       request.requester_kind, request.requester_id, request.requester_name, request.contact_name,
       request.contact_phone, request.summary, request.detail, request.location, request.urgency,
       request.occurred_at, request.received_at, request.attachments, progress.owner_id,
       progress.offered_id, progress.lead_department
from request left join progress on progress.request_id = request.id
where request.id = $1"""


@dataclass(frozen=True, slots=True)
class Full:
    """Everything that was sent, and the parties that have the matter in hand."""

    document: dict[str, object]
    parties: frozenset[str]


async def load_full(conn: Connection, request_id: UUID) -> Full | None:
    """A request with its contact; None when there is none."""
    row = await conn.fetchrow(SELECT_FULL, request_id)
    if row is None:
        return None
    parties = frozenset(
        party for party in (row["owner_id"], row["offered_id"], row["lead_department"]) if party
    )
    return Full(_document(row), parties)


def _document(row: asyncpg.Record) -> dict[str, object]:
    contact = {"name": row["contact_name"], "phone": row["contact_phone"]}
    return {
        "request_id": str(row["id"]),
        "source": row["source"],
        "source_ref": row["source_ref"],
        "channel": row["channel"],
        "kind": row["kind"],
        "category": row["category"],
        "requester": {
            "kind": row["requester_kind"],
            "id": row["requester_id"],
            "name": row["requester_name"],
            "contact": contact if row["contact_name"] else None,
        },
        "summary": row["summary"],
        "detail": row["detail"],
        "location": row["location"],
        "urgency": row["urgency"],
        "occurred_at": row["occurred_at"],
        "received_at": row["received_at"],
        "attachments": json.loads(row["attachments"]),
    }
