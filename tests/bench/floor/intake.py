"""The floor's intake: submissions become requests, and what is said of matters becomes a receipt's timeline."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import orjson
from aiokafka import ConsumerRecord
from uuid_utils.compat import uuid7

from shared.contracts import topics
from tests.bench.floor.carrying import Out
from tests.bench.floor.rows import Event, event, fill, insert, tell, took

REQUEST = insert(
    "request",
    {
        "id": "uuid",
        "source": "text",
        "source_ref": "text",
        "fingerprint": "bytea",
        "receipt": "text",
        "submitted_by": "text",
        "channel": "text",
        "kind": "text",
        "category": "text",
        "requester_kind": "text",
        "requester_id": "text",
        "requester_name": "text",
        "contact_name": "text",
        "contact_phone": "text",
        "summary": "text",
        "detail": "text",
        "location": "text",
        "urgency": "text",
        "received_at": "timestamptz",
    },
    "on conflict do nothing",
)
TIMELINE = insert(
    "timeline",
    {"request_id": "uuid", "version": "int", "type": "text", "at": "timestamptz", "words": "text"},
)
PROGRESS = insert(
    "progress",
    {
        "request_id": "uuid",
        "state": "text",
        "round": "int",
        "next_due_at": "timestamptz",
        "changed_at": "timestamptz",
        "offered_id": "text",
        "lead_department": "text",
    },
    "on conflict (request_id) do update set state = excluded.state,"
    " next_due_at = excluded.next_due_at, changed_at = excluded.changed_at,"
    " offered_id = excluded.offered_id, lead_department = excluded.lead_department",
)


async def take_submissions(
    conn: asyncpg.Connection, records: Sequence[ConsumerRecord]
) -> list[Out]:
    now = datetime.now(UTC)
    found = await took(conn, records, follows=False)
    rows, events = [], []
    for record, headers in zip(records, found, strict=True):
        sent = orjson.loads(record.value)
        row, told = _registered(record.value, sent, now, headers["ce_id"])
        rows.append(row)
        events.append(told)
    await fill(conn, REQUEST, rows)
    return await tell(conn, "urn:liaison:intake", events)


def _registered(
    value: bytes, sent: dict[str, Any], now: datetime, cause: str
) -> tuple[tuple, Event]:
    key = uuid7()
    subject, asker = str(key), sent["requester"]
    contact = asker.get("contact") or {}
    row = (
        key, sent["source"], sent["source_ref"], hashlib.sha256(value).digest(),
        secrets.token_hex(14).upper()[:27], sent["source"], sent["channel"], sent["kind"], sent.get("category"),
        asker["kind"], asker["id"], asker["name"], contact.get("name"), contact.get("phone"),
        sent["summary"], sent["detail"], sent.get("location"), sent.get("urgency", "normal"), now,
    )  # fmt: skip
    data = {
        "actor": {"role": "system", "party": sent["source"]},
        "matter_id": subject,
        "request_id": subject,
        "source": sent["source"],
        "source_ref": sent["source_ref"],
        "channel": sent["channel"],
        "kind": sent["kind"],
        "category": sent.get("category"),
        "requester": {"kind": asker["kind"], "id": asker["id"], "name": asker["name"]},
        "summary": sent["summary"],
        "detail": sent["detail"],
        "location": sent.get("location"),
        "urgency": sent.get("urgency", "normal"),
        "occurred_at": None,
        "received_at": now,
        "attachments": [],
    }
    told = event(
        subject, 1, "request.registered", topics.REQUESTS, (now, cause), orjson.dumps(data)
    )
    return row, told


async def take_matters(conn: asyncpg.Connection, records: Sequence[ConsumerRecord]) -> list[Out]:
    found = await took(conn, records)
    lines, last = [], {}
    for record, headers in zip(records, found, strict=True):
        said, version = orjson.loads(record.value), int(headers["ce_sequence"])
        party = said.get("party") or {}
        at = datetime.fromisoformat(headers["ce_time"])
        lines.append((said["matter_id"], version, headers["ce_type"][8:-3], at, party.get("name")))
        due = datetime.fromisoformat(said["next_due_at"])
        lead = said["dispatch"]["lead_department"] if "dispatch" in said else None
        last[said["matter_id"]] = (
            said["matter_id"], said["state"], said["round"], due, at, party.get("id"), lead,
        )  # fmt: skip
    await fill(conn, TIMELINE, lines)
    await fill(conn, PROGRESS, [last[key] for key in sorted(last)])
    return []
