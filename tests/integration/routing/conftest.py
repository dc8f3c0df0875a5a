"""Routing's handlers on a database of the test's own; the clock is an argument."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

import orjson
import pytest

from services.routing.handlers import batches, due
from services.routing.handlers.office import Office
from shared.kit.cloudevents import Message
from shared.kit.db import Database, open_database
from tests.integration.routing.samples import MONDAY, activate, found_town, new_office


class Routing:
    """What a test does with routing, each in a transaction of its own, and what it then looks at."""

    def __init__(self, db: Database, office: Office) -> None:
        self.db = db
        self.office = office

    async def take_requests(self, *messages: Message, at: datetime = MONDAY) -> Sequence[Message]:
        async with self.db.transaction() as conn:
            return await batches.take_requests(conn, self.office, messages, at)

    async def take_matters(self, *messages: Message, at: datetime = MONDAY) -> Sequence[Message]:
        async with self.db.transaction() as conn:
            return await batches.take_matters(conn, self.office, messages, at)

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
