"""The desk's pages in front of followup, on a database of the test's own, over a real socket: streams need one."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from deploy.gateway.app import Origin
from deploy.gateway.target import local_target
from deploy.local.embedded.ports import pick
from services.desk.app import _add_people
from services.desk.app import build as build_desk
from services.desk.handlers.changes import ChangeHub
from services.desk.pages.live.routes import LivePage
from services.desk.pages.live.updates import Live
from services.desk.pages.surroundings import Surroundings
from services.desk.settings import Settings as DeskSettings
from services.followup.api.edge import Edge
from services.followup.app import build
from services.followup.settings import Settings
from shared.runtime.database import Database, open_database
from tests.browser.stack import serving
from tests.integration.followup.conftest import CALLERS, Followup
from tests.integration.followup.samples import OFFICE, SHANGHAI
from tests.support.desks import desk_settings, jwks_url

MAX_STREAMS = 3


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = await open_database(database_url, "followup")
    yield database
    await database.close()


@pytest.fixture
async def desk_db(database_url: str) -> AsyncIterator[Database]:
    database = await open_database(database_url, "desk")
    yield database
    await database.close()


@pytest.fixture
async def followup(db: Database) -> Followup:
    """Brings what Kafka would bring."""
    return Followup(db)


class Site:
    """The pages of one desk process. `checks` is what it says of its health; `is_open` may be changed."""

    def __init__(self, app: FastAPI, live: Live, checks: dict[str, bool], address: str) -> None:
        self._app = app
        self._live = live
        self.checks = checks
        self.client = httpx.AsyncClient(base_url=address, timeout=10)

    def open_to_all(self, is_open: bool) -> None:
        self._app.state.live_page = LivePage(self._live, is_open)

    async def get(self, path: str = "/", **options: Mapping[str, str]) -> httpx.Response:
        return await self.client.get(path, **options)

    async def sign_in(self, token: str, **options: Mapping[str, str]) -> httpx.Response:
        return await self.client.post(
            "/sign-in/token", data={"token": token, "next": "/"}, **options
        )

    @asynccontextmanager
    async def stream(self, lang: str = "zh") -> AsyncIterator["Told"]:
        async with self.client.stream("GET", f"/live/stream?lang={lang}") as answer:
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
async def site(
    followup: Followup, desk_db: Database, database_url: str, tmp_path: Path
) -> AsyncIterator[Site]:
    tokens = tmp_path / "tokens.json"
    tokens.write_text(
        json.dumps(
            [
                {"sha256": hashlib.sha256(name.encode()).hexdigest(), "role": role, "party": party}
                for name, (role, party) in CALLERS.items()
            ]
        )
    )
    port = pick(None)
    common = {"database_url": database_url, "kafka": "127.0.0.1:1", "tokens_file": tokens}
    behind = build(Settings(**common, desk_jwks_url=jwks_url(port)), followup.clock)
    behind.state.edge = Edge(followup.db, followup.clock, OFFICE, followup.news)
    apps = {"intake": behind, "routing": behind, "followup": behind}
    settings = DeskSettings(**common, **desk_settings(tmp_path))
    app = build_desk(settings, apps, followup.clock)
    threads = _add_people(app, desk_db, settings, followup.clock)
    hub: ChangeHub = app.state.hub
    checks = {"database": True, "kafka": True, "outbox": True}
    around = Surroundings(followup.clock, SHANGHAI)
    live = Live(app.state.services, hub, around, lambda: checks, MAX_STREAMS)
    app.state.live_page = LivePage(live, is_open=True)
    running = [asyncio.create_task(live.run()), asyncio.create_task(tell(followup.db, hub))]
    origin = Origin([local_target("followup", behind), local_target("desk", app)])
    async with serving(origin, port) as address:
        site = Site(app, live, checks, address)
        yield site
        await site.client.aclose()
    threads.close()
    for task in running:
        task.cancel()
    await asyncio.wait(running)


async def tell(db: Database, hub: ChangeHub) -> None:
    """Tell the desk of commits as Kafka would."""
    while True:
        if await db.committed.wait(60):
            hub.publish(["of a matter"])
