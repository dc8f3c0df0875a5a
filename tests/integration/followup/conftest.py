"""Followup's handlers and HTTP edge on a database of the test's own; the clock is set by the test."""

import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI
from httpx import Response

from services.followup.api.edge import Edge
from services.followup.app import build
from services.followup.consumers import applies
from services.followup.handlers import sweep
from services.followup.handlers.news import MatterNews
from services.followup.settings import Settings
from shared.contracts import topics
from shared.delivery.cloudevents import Message
from shared.runtime.database import Database, open_database
from tests.integration.followup.filled import FILL
from tests.integration.followup.samples import (
    MONDAY,
    OFFICE,
    accepted,
    new_matter,
    offered,
    registered,
)
from tests.support.described import described

CALLERS = {
    "L001": ("liaison", "L001"),
    "L002": ("liaison", "L002"),
    "D-ROAD": ("department", "D-ROAD"),
    "D-FIRE": ("department", "D-FIRE"),
    "D-TAX": ("department", "D-TAX"),
    "C001": ("coordinator", "C001"),
    "C002": ("coordinator", "C002"),
    "O001": ("operator", "O001"),
    "system": ("system", "https://one-stop.example"),
}


class Followup:
    """What a test does with followup and what it then looks at; `now` is the time that it acts in."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.now = MONDAY
        self.news = MatterNews()
        self._applies = applies(OFFICE, self.clock, self.news)

    def clock(self) -> datetime:
        return self.now

    async def take(self, *messages: Message) -> Sequence[Message]:
        """One batch of one topic."""
        async with self.db.transaction() as conn:
            early = await self._applies[topics.REQUESTS](conn, messages)
        self.news.publish()
        return early

    async def sweep(self, at: datetime | None = None) -> int:
        self.now = at or self.now
        async with self.db.transaction() as conn:
            return await sweep.sweep(conn, OFFICE, self.now)

    async def in_progress(self, matter_id: str | None = None, **of_request: Any) -> str:
        """A matter that the liaison L001 has."""
        matter_id = matter_id or new_matter()
        assert not await self.take(registered(matter_id, **of_request))
        assert not await self.take(offered(matter_id), accepted(matter_id))
        return matter_id

    async def rows(self, statement: str, *arguments: object) -> list[dict[str, Any]]:
        async with self.db.reading() as conn:
            return [dict(row) for row in await conn.fetch(statement, *arguments)]

    async def matter(self, matter_id: str) -> dict[str, Any]:
        (row,) = await self.rows("select * from matter where id = $1", matter_id)
        return row | {"body": orjson.loads(row["body"])}

    async def events(self, matter_id: str) -> list[dict[str, Any]]:
        """What followup said of a matter, in order, without a gap in its versions."""
        rows = await self.rows(
            "select version, type, data, causation_id from event where subject = $1 order by seq",
            matter_id,
        )
        assert [row["version"] for row in rows] == list(range(1, len(rows) + 1))
        return [row | orjson.loads(row["data"]) for row in rows]

    async def said(self, matter_id: str) -> list[str]:
        return [
            event["type"].removeprefix("liaison.matter.").removesuffix(".v1")
            for event in await self.events(matter_id)
        ]


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = await open_database(database_url, "followup")
    yield database
    await database.close()


@pytest.fixture
async def followup(db: Database) -> Followup:
    return Followup(db)


class Api:
    """Followup's HTTP edge; callers are named by their party."""

    def __init__(self, client: httpx.AsyncClient, app: FastAPI) -> None:
        self._client = client
        self.app = app

    async def get(self, path: str, who: str = "C001", **params: Any) -> Response:
        given = {name.rstrip("_"): value for name, value in params.items()}
        return await self._client.get(f"/followup{path}", params=given, headers=_as(who))

    async def post(
        self,
        path: str,
        who: str = "C001",
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> Response:
        return await self._client.post(
            f"/followup/matters/{path}", json=body, headers=_as(who) | (headers or {})
        )

    async def done(self, path: str, who: str = "C001", body: object = None) -> dict[str, Any]:
        """The matter after a step that is allowed."""
        answer = await self.post(path, who, body)
        assert answer.status_code == 200, answer.text
        matter: dict[str, Any] = answer.json()
        assert answer.headers["etag"] == f'"{matter["version"]}"'
        return matter

    async def refused(self, path: str, who: str = "C001", body: object = None) -> dict[str, Any]:
        """The problem of a step that is not."""
        answer = await self.post(path, who, body)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        problem: dict[str, Any] = answer.json()
        assert problem["status"] == answer.status_code >= 400
        return problem | {"code": problem["type"].rpartition(":")[2]}


def _as(who: str) -> dict[str, str]:
    return {"authorization": f"Bearer {who}", "accept-language": "en"}


@pytest.fixture
async def api(followup: Followup, database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The app as it is built, without its background tasks: what Kafka would bring, the test brings."""
    tokens = tmp_path / "tokens.json"
    tokens.write_text(
        json.dumps(
            [
                {"sha256": hashlib.sha256(name.encode()).hexdigest(), "role": role, "party": party}
                for name, (role, party) in CALLERS.items()
            ]
        )
    )
    settings = Settings(database_url=database_url, kafka="127.0.0.1:1", tokens_file=tokens)
    app = build(settings, followup.clock)
    app.state.edge = Edge(followup.db, followup.clock, OFFICE, followup.news)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://followup", event_hooks={"response": [described]}
    ) as client:
        yield Api(client, app)


@pytest.fixture
async def full(followup: Followup) -> Followup:
    async with followup.db.transaction() as conn:
        await conn.execute("set local statement_timeout = '60s'")
        await conn.execute("set local synchronous_commit = on")
        await conn.execute(FILL)
    async with followup.db.reading() as conn:
        # Until a commit, and those beside it, are on disk, a vacuum cannot mark what it wrote as seen by all, and no
        # index answers alone.
        await conn.execute("set synchronous_commit = on")
        await conn.execute("vacuum analyze matter, request, listing, milestone, event")
    return followup
