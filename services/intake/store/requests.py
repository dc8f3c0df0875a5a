"""SQL of the requests as submitted."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from services.intake.domain import Known
from shared.contracts.submission import Submission
from shared.runtime.database import Connection


class NewRequest(NamedTuple):
    """A submission with the ids that it gets if it is new."""

    id: str
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
from unnest($1::new_request[]) as given
order by given.source, given.source_ref
on conflict on constraint request_source do nothing
returning id"""


async def insert_requests(conn: Connection, requests: Sequence[NewRequest]) -> set[str]:
    """Insert those whose (source, source_ref) is new; return their ids."""
    rows = await conn.fetch(INSERT_REQUESTS, list(map(_row, requests)))
    return {str(row["id"]) for row in rows}


def _row(new: NewRequest) -> tuple[object, ...]:
    """Return the columns of `new_request`, in order."""
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
select request.source, request.source_ref, request.id, request.receipt, request.fingerprint,
       request.submitted_by
from request
join unnest($1::text[], $2::text[]) as given (source, source_ref)
  on request.source = given.source and request.source_ref = given.source_ref"""


async def load_known(
    conn: Connection, names: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Known]:
    """Return the earlier submissions under these (source, source_ref)."""
    rows = await conn.fetch(SELECT_KNOWN, [name[0] for name in names], [name[1] for name in names])
    return {
        (row["source"], row["source_ref"]): Known(
            str(row["id"]), row["receipt"], row["fingerprint"], row["submitted_by"]
        )
        for row in rows
    }
