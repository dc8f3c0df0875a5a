"""Followup's pages on a database of the test's own, over a real socket: streams need one."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from deploy.local.embedded.ports import pick
from services.followup.api.edge import Edge
from services.followup.app import build
from services.followup.pages.live import Live
from services.followup.pages.routes import Pages
from services.followup.settings import Settings
from shared.runtime.database import Database, open_database
from tests.browser.stack import serving
from tests.integration.followup.conftest import CALLERS, Followup
from tests.integration.followup.samples import OFFICE, SHANGHAI

MAX_STREAMS = 3


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = await open_database(database_url, "followup")
    yield database
    await database.close()


@pytest.fixture
async def followup(db: Database) -> Followup:
    """Brings what Kafka would bring."""
    return Followup(db)


class Site:
    """The pages of one followup process. `checks` is what it says of its health; `is_open` may be changed."""

    def __init__(self, app: FastAPI, live: Live, checks: dict[str, bool], address: str) -> None:
        self._app = app
        self._live = live
        self.checks = checks
        self.client = httpx.AsyncClient(base_url=address, timeout=10)

    def open_to_all(self, is_open: bool) -> None:
        self._app.state.pages = Pages(self._live, is_open)

    async def get(self, path: str = "/", **options: Mapping[str, str]) -> httpx.Response:
        return await self.client.get(path, **options)

    @asynccontextmanager
    async def stream(self, lang: str = "zh") -> AsyncIterator["Told"]:
        async with self.client.stream("GET", f"/followup/live?lang={lang}") as answer:
            yield Told(answer)


class Told:
    """The messages of one stream, read as a browser reads them."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()

    async def message(self, seconds: float = 10) -> tuple[str, str]:
        """The next message: its event and its data."""
        event, data = "", ""
        async with asyncio.timeout(seconds):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "data":
                    data = value
                elif not line and event:
                    return event, data
        raise EOFError("the stream ended")

    async def snapshot(self, seconds: float = 10) -> dict[str, str]:
        """The next regions that are new."""
        event, data = await self.message(seconds)
        while event == "heartbeat":
            event, data = await self.message(seconds)
        regions: dict[str, str] = json.loads(data)
        return regions


@pytest.fixture
async def site(followup: Followup, database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
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
    checks = {"database": True, "kafka": True, "outbox": True}
    live = Live(followup.db, followup.clock, lambda: checks, SHANGHAI, MAX_STREAMS)
    app.state.pages = Pages(live, is_open=True)
    app.state.edge = Edge(followup.db, followup.clock, OFFICE, followup.news)
    running = asyncio.create_task(live.run())
    async with serving(app, pick(None)) as address:
        site = Site(app, live, checks, address)
        yield site
        await site.client.aclose()
    running.cancel()
    await asyncio.wait((running,))
