"""The floor's followup: a matter is opened by its registration and changed by its offer, whichever comes first."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import asyncpg
import orjson
from aiokafka import ConsumerRecord

from shared.contracts import topics
from tests.bench.floor.carrying import Out
from tests.bench.floor.routing import CALENDAR
from tests.bench.floor.rows import Event, event, fill, insert, tell, took

INTERIM, HANDLE, REMIND = timedelta(days=5), timedelta(days=20), timedelta(days=1)

REQUEST = """
insert into request (matter_id, source, source_ref, channel, kind, category, requester_kind, requester_id,
                     requester_name, summary, detail, location, urgency, received_at, attachments, terms)
select a, b, c, d, e, f, g, h, i, j, k, l, m, n, '[]', string_to_array(o, ' ')
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::timestamptz[], $15::text[])
     as given (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o)"""
MATTER = insert(
    "matter",
    {
        "id": "uuid",
        "version": "int",
        "state": "text",
        "round": "int",
        "category": "text",
        "park": "text",
        "next_due_at": "timestamptz",
        "act_at": "timestamptz",
        "breached": "bool",
        "body": "json",
    },
    "on conflict (id) do update set version = excluded.version, state = excluded.state,"
    " category = excluded.category, park = excluded.park, next_due_at = excluded.next_due_at,"
    " act_at = excluded.act_at, body = excluded.body where matter.version < excluded.version",
)
LISTING = insert(
    "listing", {"name": "text", "open": "bool", "matter_id": "uuid"}, "on conflict do nothing"
)
# What a matter's body says of a matter that nobody has taken yet.
REST = dict.fromkeys(
    (
        "owner", "last_owner", "taken_at", "contacted_at", "path", "hold", "shelf", "handling",
        "visit", "closing", "merging", "joint",
    )
) | {"milestones": [], "tasks": []}  # fmt: skip


class Batch:
    """The rows of one batch: of a matter the last, of everything else all."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.requests: list[tuple] = []
        self.matters: dict[str, tuple] = {}
        self.listings: list[tuple] = []
        self.events: list[Event] = []

    def opened(self, said: dict[str, Any], cause: str) -> None:
        key, asked = said["matter_id"], said["requester"]
        received = datetime.fromisoformat(said["received_at"])
        terms = dict.fromkeys(first + second for first, second in pairwise(said["summary"]))
        self.requests.append((
            key, said["source"], said["source_ref"], said["channel"], said["kind"], said["category"],
            asked["kind"], asked["id"], asked["name"], said["summary"], said["detail"],
            said["location"], said["urgency"], received, " ".join(terms),
        ))  # fmt: skip
        clocks = [_clock("interim", received + INTERIM)]
        body = _body(said, "received", 1, clocks) | {"dispatch": None, "offer": None, "parties": []}
        self._matter(body, said["category"], None, clocks)
        self._listed(key, [f"requester:{asked['id']}"], None)
        told = {
            **_changed(said, "received", clocks),
            "request_id": key,
            "requester": asked,
            "channel": said["channel"],
            "kind": said["kind"],
            "category": said["category"],
            "summary": said["summary"],
            "urgency": said["urgency"],
            "received_at": received,
            "deadlines": _deadlines(clocks),
            "follows": None,
        }
        self._tell(key, 1, "matter.opened", told, cause)

    def offered(self, said: dict[str, Any], cause: str) -> None:
        key, dispatch, party = said["matter_id"], said["dispatch"], said["party"]
        made, expires = map(datetime.fromisoformat, (said["offered_at"], said["expires_at"]))
        clocks = [
            _clock("interim", made + INTERIM),
            _clock("handle", made + HANDLE),
            _clock("accept", expires),
        ]
        offer = {
            name: said[name]
            for name in (
                "offer_id",
                "party",
                "candidacy",
                "why",
                "attempt",
                "offered_at",
                "expires_at",
            )
        }
        departments = [dispatch["lead_department"], *dispatch["co_departments"]]
        parties = [*departments, party["id"]]
        body = _body(said, "offered", 2, clocks)
        body |= {"dispatch": dispatch, "offer": offer, "parties": parties}
        self._matter(body, dispatch["category"], dispatch["park"], clocks)
        lists = [f"park:{dispatch['park']}", *(f"party:{each}" for each in parties)]
        self._listed(key, lists, dispatch["category"])
        told = {
            **_changed(said, "offered", clocks),
            "offer_id": said["offer_id"],
            "party": party,
            "candidacy": said["candidacy"],
            "why": said["why"],
            "expires_at": expires,
            "dispatch": dispatch,
            "deadlines": _deadlines(clocks),
        }
        self._tell(key, 2, "matter.offered", told, cause)

    def _matter(
        self, body: dict[str, Any], category: str | None, park: str | None, clocks: list[dict]
    ) -> None:
        due, act = clocks[-1]["due_at"], clocks[-1]["act_at"]
        self.matters[body["id"]] = (
            body["id"], body["version"], body["state"], 1, category, park, due, act, False,
            orjson.dumps(body).decode(),
        )  # fmt: skip

    def _listed(self, key: str, names: list[str], category: str | None) -> None:
        steps = (category or "").split("/")
        names += ["category:" + "/".join(steps[: at + 1]) for at in range(len(steps)) if category]
        self.listings += [(name, True, key) for name in names]

    def _tell(self, key: str, version: int, name: str, told: dict[str, Any], cause: str) -> None:
        moment, data = (self.now, cause), orjson.dumps(told)
        self.events.append(event(key, version, name, topics.MATTERS, moment, data))


def _clock(kind: str, due: datetime) -> dict[str, Any]:
    return {
        "kind": kind,
        "due_at": due,
        "original_due_at": due,
        "remind_at": due - REMIND,
        "act_at": due - REMIND,
        "stage": "on_track",
        "calendar_version": CALENDAR,
        "paused_at": None,
        "extensions": 0,
    }


def _deadlines(clocks: list[dict]) -> list[dict[str, Any]]:
    return [
        {"clock": clock["kind"], "due_at": clock["due_at"], "calendar_version": CALENDAR}
        for clock in clocks
    ]


def _changed(said: dict[str, Any], state: str, clocks: list[dict]) -> dict[str, Any]:
    return {
        "actor": said["actor"],
        "matter_id": said["matter_id"],
        "state": state,
        "round": 1,
        "next_due_at": clocks[-1]["due_at"],
    }


def _body(said: dict[str, Any], state: str, version: int, clocks: list[dict]) -> dict[str, Any]:
    return {
        "id": said["matter_id"],
        "requester_id": said.get("requester", {}).get("id", "91990117MA2000824A"),
        "channel": "web",
        "kind": "ask",
        "urgency": "normal",
        "received_at": said.get("received_at", said.get("offered_at")),
        "category": "人力资源/人才补贴",
        "version": version,
        "state": state,
        "round": 1,
        "round_began_at": None,
        "clocks": clocks,
        "pending": None,
    } | REST


async def take(conn: asyncpg.Connection, records: Sequence[ConsumerRecord]) -> list[Out]:
    batch = Batch(datetime.now(UTC))
    found = await took(conn, records)
    for record, headers in zip(records, found, strict=True):
        said = orjson.loads(record.value)
        if headers["ce_type"] == "liaison.request.registered.v1":
            batch.opened(said, headers["ce_id"])
    for record, headers in zip(records, found, strict=True):
        if headers["ce_type"] == "liaison.offer.made.v1":
            batch.offered(orjson.loads(record.value), headers["ce_id"])
    await fill(conn, REQUEST, batch.requests)
    await fill(conn, MATTER, list(batch.matters.values()))
    await fill(conn, LISTING, sorted(batch.listings))
    return await tell(conn, "urn:liaison:followup", batch.events)
