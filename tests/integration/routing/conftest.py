"""Routing's handlers on a database of the test's own; the clock is an argument."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from httpx import Response

from services.routing.api.edge import Edge
from services.routing.app import build
from services.routing.handlers import batches, due
from services.routing.handlers.office import Office
from services.routing.handlers.queue_watch import QueueWatch
from services.routing.settings import Settings
from shared.delivery.cloudevents import Message
from shared.runtime.database import Database, open_database
from tests.integration.routing.samples import MONDAY, activate, found_town, new_office
from tests.support.described import described


class Routing:
    """What a test does with routing, each in a transaction of its own, and what it then looks at."""

    def __init__(self, db: Database, office: Office) -> None:
        self.db = db
        self.office = office

    async def take_requests(self, *messages: Message, at: datetime = MONDAY) -> Sequence[Message]:
        async with self.db.transaction() as conn:
            return await batches.apply_requests(conn, messages, self.office, lambda: at)

    async def take_matters(self, *messages: Message, at: datetime = MONDAY) -> Sequence[Message]:
        async with self.db.transaction() as conn:
            return await batches.apply_matters(conn, messages, self.office, lambda: at)

    async def sweep(self, at: datetime, limit: int = 500) -> int:
        async with self.db.transaction() as conn:
            return await due.sweep(conn, self.office, at, limit)

    async def begin_absences(self, at: datetime = MONDAY) -> int:
        async with self.db.transaction() as conn:
            return await due.begin_absences(conn, self.office, at)

    async def rows(self, statement: str, *arguments: object) -> list[dict[str, Any]]:
        async with self.db.reading() as conn:
            return [dict(row) for row in await conn.fetch(statement, *arguments)]

    async def offers(self, matter_id: str) -> list[dict[str, Any]]:
        """The matter's offers, first to last."""
        return await self.rows(
            "select * from offer where matter_id = $1::uuid order by round, attempt", matter_id
        )

    async def current(self, matter_id: str) -> dict[str, Any]:
        """The offer that holds the matter."""
        (found,) = [offer for offer in await self.offers(matter_id) if offer["holding"]]
        return found

    async def events(self, subject: str) -> list[dict[str, Any]]:
        """What routing said of a subject, in order."""
        rows = await self.rows(
            "select version, type, data from event where subject = $1 order by seq", subject
        )
        assert [row["version"] for row in rows] == list(range(1, len(rows) + 1))
        return [{"type": row["type"], **orjson.loads(row["data"])} for row in rows]

    async def said(self, subject: str) -> list[str]:
        """The types of the events, without prefix and version."""
        return [
            event["type"].removeprefix("liaison.").removesuffix(".v1")
            for event in await self.events(subject)
        ]

    async def load(self, party: str) -> int:
        (row,) = await self.rows("select load from queue where party = $1", party)
        return int(row["load"])


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = await open_database(database_url, "routing")
    yield database
    await database.close()


@pytest.fixture
async def routing(db: Database) -> Routing:
    """Routing in a town with a catalogue in force."""
    await found_town(db)
    await activate(db)
    return Routing(db, new_office())


class Api:
    """Routing's HTTP edge with a clock to set; callers are named by their token."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.now = MONDAY

    async def get(self, path: str, who: str, headers: dict[str, str] | None = None) -> Response:
        return await self._client.get(path, headers=_as(who) | (headers or {}))

    async def post(
        self,
        path: str,
        who: str,
        body: object = None,
        key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Response:
        more = (headers or {}) | ({"idempotency-key": key} if key else {})
        return await self._client.post(path, json=body, headers=_as(who) | more)

    async def upload(self, path: str, who: str, content: bytes) -> Response:
        return await self._client.post(
            path, content=content, headers=_as(who) | {"content-type": "text/csv"}
        )

    async def put(self, path: str, who: str, body: object) -> Response:
        return await self._client.put(path, json=body, headers=_as(who))


def _as(who: str) -> dict[str, str]:
    return {"authorization": f"Bearer {who}"}


TOKENS = (
    ("system", "system", "https://one-stop.example"),
    ("L001", "liaison", "L001"),
    ("L002", "liaison", "L002"),
    ("L003", "liaison", "L003"),
    ("D-ROAD", "department", "D-ROAD"),
    ("coordinator", "coordinator", "C001"),
    ("operator", "operator", "O001"),
)


@pytest.fixture
def tokens_file(tmp_path: Path) -> Path:
    file = tmp_path / "tokens.json"
    entries = [
        {"sha256": hashlib.sha256(token.encode()).hexdigest(), "role": role, "party": party}
        for token, role, party in TOKENS
    ]
    file.write_bytes(orjson.dumps(entries))
    return file


@pytest.fixture
async def api(db: Database, database_url: str, tokens_file: Path) -> AsyncIterator[Api]:
    """The app without its background tasks: the tests bring in what they need."""
    settings = Settings(database_url=database_url, kafka="none.invalid:1", tokens_file=tokens_file)
    holder: list[Api] = []
    app = build(settings, lambda: holder[0].now if holder else MONDAY)
    app.state.edge = Edge(db, lambda: holder[0].now, new_office(), QueueWatch(db))
    async with httpx.AsyncClient(
        event_hooks={"response": [described]},
        transport=httpx.ASGITransport(app),
        base_url="http://routing",
    ) as client:
        holder.append(Api(client))
        yield holder[0]
