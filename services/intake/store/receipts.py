"""SQL of receipts: what holders and staff may see of a request."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.intake.domain import MatterSnapshot
from shared.contracts.vocabulary import MatterState
from shared.runtime.database import Connection


@dataclass(frozen=True, slots=True)
class HeldReceipt:
    """A request as found by a receipt. `issued_to` is the party that the receipt was issued to.

    A requester is known by the request's id.
    """

    id: UUID
    version: int
    summary: str
    received_at: datetime
    issued_to: str


SELECT_HELD = """
select request.id, request.version, request.summary, request.received_at,
       coalesce((select party from receipt where code = $1), request.submitted_by) as issued_to
from request
where request.id = coalesce((select id from request where receipt = $1),
                            (select request_id from receipt where code = $1))"""


async def load_held(conn: Connection, receipt: str) -> HeldReceipt | None:
    """Return the request of a receipt; None when there is none."""
    row = await conn.fetchrow(SELECT_HELD, receipt)
    return None if row is None else HeldReceipt(*row.values())


LOCK_HELD = SELECT_HELD + " for update"


async def lock_held(conn: Connection, receipt: str) -> HeldReceipt | None:
    """Return the request of a receipt, locked until the transaction ends; None when there is none."""
    row = await conn.fetchrow(LOCK_HELD, receipt)
    return None if row is None else HeldReceipt(*row.values())


ADVANCE = "update request set version = $2 where id = $1 and version = $2 - 1"


async def advance(conn: Connection, request_id: UUID, version: int) -> bool:
    """Advance a locked request's version; return whether it was at the expected one."""
    return str(await conn.execute(ADVANCE, request_id, version)) == "UPDATE 1"


INSERT_FURTHER = """
insert into receipt (code, request_id, party)
select given.code, given.request_id, given.party
from unnest($1::text[], $2::uuid[], $3::text[]) as given (code, request_id, party)
order by given.request_id, given.party
on conflict on constraint receipt_of_party do nothing"""
SELECT_FURTHER = """
select receipt.request_id, receipt.party, receipt.code
from receipt join unnest($1::uuid[], $2::text[]) as given (request_id, party) using (request_id, party)"""


async def further_receipts(
    conn: Connection, wanted: Mapping[tuple[str, str], str]
) -> dict[tuple[str, str], str]:
    """Return these parties' receipts of these requests, inserting the given code where there is none yet."""
    requests, parties = [key[0] for key in wanted], [key[1] for key in wanted]
    await conn.execute(INSERT_FURTHER, list(wanted.values()), requests, parties)
    rows = await conn.fetch(SELECT_FURTHER, requests, parties)
    return {(str(row["request_id"]), row["party"]): row["code"] for row in rows}


@dataclass(frozen=True, slots=True)
class Issued:
    """The first receipt of a request, the party it was issued to, and the requester."""

    receipt: str
    issued_to: str
    requester_id: str


SELECT_ISSUED = "select receipt, submitted_by, requester_id from request where id = $1"


async def load_issued(conn: Connection, request_id: UUID) -> Issued | None:
    """Return whom a request's first receipt was issued to; None when there is no such request."""
    row = await conn.fetchrow(SELECT_ISSUED, request_id)
    return None if row is None else Issued(*row.values())


SELECT_SNAPSHOTS = """
select request_id, state, round, next_due_at, owner_id, owner_name, offered_id, lead_department,
       refused_by, outcome, answer, merged_into, rejected_because, lawful_channel, reopen_until
from progress where request_id = any($1::uuid[])"""


async def load_snapshots(conn: Connection, ids: Iterable[UUID]) -> dict[UUID, MatterSnapshot]:
    """Return the snapshots of these matters; those without an event of followup are left out."""
    return {
        row["request_id"]: MatterSnapshot(
            MatterState(row["state"]),
            row["round"],
            row["next_due_at"],
            row["owner_id"],
            row["owner_name"],
            row["offered_id"],
            row["lead_department"],
            tuple(row["refused_by"]),
            row["outcome"],
            row["answer"],
            row["merged_into"],
            row["rejected_because"],
            row["lawful_channel"],
            row["reopen_until"],
        )
        for row in await conn.fetch(SELECT_SNAPSHOTS, list(ids))
    }


# Each column is set, to null too: the row is the whole state after the last event.
SAVE_SNAPSHOTS = """
insert into progress (request_id, changed_at, state, round, next_due_at, owner_id, owner_name, offered_id,
                      lead_department, refused_by, outcome, answer, merged_into, rejected_because,
                      lawful_channel, reopen_until)
select given.request_id, given.changed_at, given.state, given.round, given.next_due_at, given.owner_id,
       given.owner_name, given.offered_id, given.lead_department,
       string_to_array(given.refused_by, E'\\x1f'), given.outcome, given.answer, given.merged_into,
       given.rejected_because, given.lawful_channel, given.reopen_until
from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::int[], $5::timestamptz[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::uuid[], $14::text[],
            $15::text[], $16::timestamptz[])
     as given (request_id, changed_at, state, round, next_due_at, owner_id, owner_name, offered_id,
               lead_department, refused_by, outcome, answer, merged_into, rejected_because,
               lawful_channel, reopen_until)
order by given.request_id
on conflict (request_id) do update
set changed_at = excluded.changed_at, state = excluded.state, round = excluded.round,
    next_due_at = excluded.next_due_at, owner_id = excluded.owner_id, owner_name = excluded.owner_name,
    offered_id = excluded.offered_id, lead_department = excluded.lead_department,
    refused_by = excluded.refused_by, outcome = excluded.outcome, answer = excluded.answer,
    merged_into = excluded.merged_into, rejected_because = excluded.rejected_because,
    lawful_channel = excluded.lawful_channel, reopen_until = excluded.reopen_until"""


async def save_snapshots(
    conn: Connection,
    snapshots: Mapping[UUID, MatterSnapshot],
    changed_at: Mapping[UUID, datetime],
) -> None:
    """Store the whole snapshots of these matters."""
    rows = [
        (
            request_id,
            changed_at[request_id],
            snapshot.state,
            snapshot.round,
            snapshot.next_due_at,
            snapshot.owner_id,
            snapshot.owner_name,
            snapshot.offered_id,
            snapshot.lead_department,
            "\x1f".join(snapshot.refused_by),
            snapshot.outcome,
            snapshot.answer,
            snapshot.merged_into,
            snapshot.rejected_because,
            snapshot.lawful_channel,
            snapshot.reopen_until,
        )
        for request_id, snapshot in snapshots.items()
    ]
    await conn.execute(SAVE_SNAPSHOTS, *([row[at] for row in rows] for at in range(len(rows[0]))))


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """A line of a timeline."""

    request_id: UUID
    version: int
    type: str
    at: datetime
    words: str | None


INSERT_TIMELINE = """
insert into timeline (request_id, version, type, at, words)
select given.request_id, given.version, given.type, given.at, given.words
from unnest($1::uuid[], $2::int[], $3::text[], $4::timestamptz[], $5::text[])
     as given (request_id, version, type, at, words)
on conflict do nothing"""


async def insert_entries(conn: Connection, entries: Sequence[TimelineLine]) -> None:
    """Insert lines of timelines; existing ones stay."""
    await conn.execute(
        INSERT_TIMELINE,
        [entry.request_id for entry in entries],
        [entry.version for entry in entries],
        [entry.type for entry in entries],
        [entry.at for entry in entries],
        [entry.words for entry in entries],
    )


DELETE_PROGRESS = "delete from progress"
DELETE_TIMELINE = "delete from timeline"


async def forget_steps(conn: Connection) -> None:
    """Delete the whole read model learned from followup."""
    await conn.execute(DELETE_PROGRESS)
    await conn.execute(DELETE_TIMELINE)


SELECT_TIMELINE = """
select request_id, version, type, at, words from timeline where request_id = $1 order by version limit 500"""


async def load_timeline(conn: Connection, request_id: UUID) -> list[TimelineLine]:
    """Return a request's timeline, oldest first, 500 entries at most."""
    rows = await conn.fetch(SELECT_TIMELINE, request_id)
    return [TimelineLine(*row.values()) for row in rows]


SELECT_FULL = """
select id, source, source_ref, channel, kind, category, requester_kind, requester_id, requester_name,
       contact_name, contact_phone, summary, detail, location, urgency, occurred_at, received_at, attachments
from request where id = $1"""


async def load_full(conn: Connection, request_id: UUID) -> dict[str, object] | None:
    """Return a request with its contact; None when there is none."""
    row = await conn.fetchrow(SELECT_FULL, request_id)
    return None if row is None else _document(row)


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
