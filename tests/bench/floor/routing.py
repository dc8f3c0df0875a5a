"""The floor's routing: every request is offered to the liaison that its enterprise's code comes to."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from aiokafka import ConsumerRecord
from uuid_utils.compat import uuid7

from shared.contracts import topics
from tests.bench.floor.carrying import Out
from tests.bench.floor.rows import Event, event, fill, insert, tell, took

LIAISONS = 200
WHY = "专员{}是该企业的结对店小二（主）；依据派单目录第 1 版规则 R018。"
CALENDAR = "909c9e728aab"

MATTER = insert(
    "matter",
    {
        "id": "uuid",
        "round": "int",
        "attempt": "int",
        "version": "int",
        "standing": "text",
        "offer_id": "uuid",
        "due_at": "timestamptz",
        "requester_kind": "text",
        "requester_id": "text",
        "requester_name": "text",
        "kind": "text",
        "category": "text",
        "urgency": "text",
        "summary": "text",
        "detail": "text",
        "received_at": "timestamptz",
        "park": "text",
        "tier": "text",
        "dispatched": "json",
    },
)
OFFER = insert(
    "offer",
    {
        "id": "uuid",
        "matter_id": "uuid",
        "round": "int",
        "attempt": "int",
        "party": "text",
        "candidacy": "text",
        "cause": "text",
        "catalogue_version": "int",
        "rule_id": "text",
        "considered": "json",
        "received_at": "timestamptz",
        "offered_at": "timestamptz",
        "expires_at": "timestamptz",
        "calendar_version": "text",
        "state": "text",
        "holding": "bool",
    },
)
FEED = insert(
    "feed",
    {
        "party": "text",
        "position": "bigint",
        "kind": "text",
        "offer_id": "uuid",
        "at": "timestamptz",
    },
)
QUEUE = """
update queue set position = position + given.number, load = load + given.number
from unnest($1::text[], $2::int[]) as given (party, number) where queue.party = given.party
returning queue.party, position - given.number"""

DISPATCH = {
    "catalogue_version": 1,
    "rule_id": "R018",
    "category": "基础设施/停车",
    "lead_department": "D-CON",
    "co_departments": ["D-HOUSE"],
    "urgency": "normal",
    "difficulty": "complex",
    "accept_hours": 2.0,
    "handle_days": 15,
    "park": "青枥新材料园",
}
DISPATCHED = orjson.dumps(DISPATCH).decode()


class Batch:
    """The rows of one batch."""

    def __init__(self, now: datetime) -> None:
        self.now, self.expires = now, now + timedelta(hours=2)
        self.matters: list[tuple] = []
        self.offers: list[tuple] = []
        self.entries: list[tuple[str, UUID]] = []
        self.events: list[Event] = []

    def registered(self, said: dict[str, Any], cause: str) -> None:
        asked, subject, offer = said["requester"], said["matter_id"], uuid7()
        number = int(asked["id"][11:17]) % LIAISONS
        party = {"id": f"L{number:03d}", "kind": "liaison", "name": f"专员{number}"}
        received = datetime.fromisoformat(said["received_at"])
        self.matters.append((
            subject, 1, 1, 1, "offered", offer, self.expires, asked["kind"], asked["id"], asked["name"],
            said["kind"], said["category"], said["urgency"], said["summary"],
            "" if said["category"] else said["detail"], received, DISPATCH["park"], "general", DISPATCHED,
        ))  # fmt: skip
        self.offers.append((
            offer, subject, 1, 1, party["id"], "primary", "registered", 1, "R018", _considered(party),
            received, self.now, self.expires, CALENDAR, "offered", True,
        ))  # fmt: skip
        self.entries.append((party["id"], offer))
        told = {
            "actor": {"role": "system", "party": "urn:liaison:routing"},
            "matter_id": subject,
            "offer_id": str(offer),
            "round": 1,
            "attempt": 1,
            "party": party,
            "candidacy": "primary",
            "why": WHY.format(number),
            "offered_at": self.now,
            "expires_at": self.expires,
            "calendar_version": CALENDAR,
            "dispatch": DISPATCH,
        }
        moment, data = (self.now, cause), orjson.dumps(told)
        self.events.append(event(subject, 1, "offer.made", topics.ASSIGNMENTS, moment, data))


def _considered(party: dict[str, str]) -> str:
    return orjson.dumps([
        (party["id"], "liaison", party["name"], "primary", "taken", None),
        ("D-CON", "department", "城市建设管理办公室", "department_desk", "not_reached", None),
        ("DESK", "desk", "镇级兜底受理台", "fallback_desk", "not_reached", None),
    ]).decode()  # fmt: skip


async def take(conn: asyncpg.Connection, records: Sequence[ConsumerRecord]) -> list[Out]:
    batch = Batch(datetime.now(UTC))
    found = await took(conn, records)
    for record, headers in zip(records, found, strict=True):
        if headers["ce_type"] == "liaison.request.registered.v1":
            batch.registered(orjson.loads(record.value), headers["ce_id"])
    if not batch.matters:
        return []
    await fill(conn, MATTER, batch.matters)
    await fill(conn, OFFER, batch.offers)
    await _feed(conn, batch.entries, batch.now)
    return await tell(conn, "urn:liaison:routing", batch.events)


async def _feed(conn: asyncpg.Connection, entries: Sequence[tuple], now: datetime) -> None:
    counts = Counter(party for party, _ in entries)
    parties = sorted(counts)
    moved = await conn.fetch(QUEUE, parties, [counts[party] for party in parties])
    position = {party: start for party, start in moved}
    rows = []
    for party, offer in entries:
        position[party] += 1
        rows.append((party, position[party], "offered", offer, now))
    await fill(conn, FEED, rows)
