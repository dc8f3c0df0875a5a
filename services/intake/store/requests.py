"""The SQL of requests as they arrive."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.domain import Known
from shared.contracts.submission import Submission
from shared.kit.db import Connection


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A submission with the ids that it gets if it is new."""

    id: UUID
    receipt: str
    fingerprint: bytes
    submitted_by: str
    received_at: datetime
    submission: Submission


# Sorted by the key of the conflict, so that two batches never wait for each other in a circle.
INSERT_REQUESTS = """
insert into request (id, source, source_ref, fingerprint, receipt, submitted_by, channel, kind, category,
                     requester_kind, requester_id, requester_name, contact_name, contact_phone,
                     summary, detail, location, urgency, occurred_at, received_at, attachments)
select given.id, given.source, given.source_ref, given.fingerprint, given.receipt, given.submitted_by,
       given.channel, given.kind, given.category, given.requester_kind, given.requester_id,
       given.requester_name, given.contact_name, given.contact_phone, given.summary, given.detail,
       given.location, given.urgency, given.occurred_at, given.received_at, given.attachments
from unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
            $16::text[], $17::text[], $18::text[], $19::timestamptz[], $20::timestamptz[], $21::json[])
     as given (id, source, source_ref, fingerprint, receipt, submitted_by, channel, kind, category,
               requester_kind, requester_id, requester_name, contact_name, contact_phone, summary, detail,
               location, urgency, occurred_at, received_at, attachments)
order by given.source, given.source_ref
on conflict on constraint request_source do nothing
returning id"""


async def insert_requests(conn: Connection, requests: Sequence[NewRequest]) -> set[UUID]:
    """Insert those whose (source, source_ref) is new; their ids."""
    rows = await conn.fetch(INSERT_REQUESTS, *zip(*map(_columns, requests), strict=True))
    return {row["id"] for row in rows}


def _columns(new: NewRequest) -> tuple[object, ...]:
    sent = new.submission
    contact = sent.requester.contact
    return (
        new.id,
        sent.source,
        sent.source_ref,
        new.fingerprint,
        new.receipt,
        new.submitted_by,
        sent.channel,
        sent.kind,
        sent.category,
        sent.requester.kind,
        sent.requester.id,
        sent.requester.name,
        contact.name if contact else None,
        contact.phone if contact else None,
        sent.summary,
        sent.detail,
        sent.location,
        sent.urgency,
        sent.occurred_at,
        new.received_at,
        json.dumps([{"url": str(item.url), "name": item.name} for item in sent.attachments])
        if sent.attachments
        else "[]",
    )


SELECT_KNOWN = """
select request.source, request.source_ref, request.id, request.receipt, request.fingerprint
from request
join unnest($1::text[], $2::text[]) as given (source, source_ref)
  on request.source = given.source and request.source_ref = given.source_ref"""


async def load_known(
    conn: Connection, names: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Known]:
    """What is kept under these (source, source_ref)."""
    rows = await conn.fetch(SELECT_KNOWN, [name[0] for name in names], [name[1] for name in names])
    return {
        (row["source"], row["source_ref"]): Known(
            str(row["id"]), row["receipt"], row["fingerprint"]
        )
        for row in rows
    }
