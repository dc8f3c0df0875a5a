"""The desk on a database of the test's own, with a browser for each address; sign-in calls no other service."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from deploy.common import desk_key
from deploy.common.folder import Folder
from services.desk.app import build
from services.desk.handlers import accounts
from services.desk.handlers.accounts import NewAccount
from services.desk.handlers.passwords import hash_password
from services.desk.settings import Settings
from shared.contracts.vocabulary import Role
from shared.runtime.database import Database, open_database

ORIGIN = "https://desk.example"
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
LOGIN, PASSWORD = "zhu.yuan", "three unrelated words"
HASHES = {PASSWORD: hash_password(PASSWORD)}
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


class ManualClock:
    """A clock that stands until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **lengths: float) -> None:
        self.now += timedelta(**lengths)


async def nobody(scope: object, receive: object, send: object) -> None:
    """Stands for the services that sign-in does not call."""
    raise AssertionError("sign-in asked another service")


class Desk:
    """One desk process: browsers that look at it, and its database."""

    def __init__(
        self, app: FastAPI, db: Database, clock: ManualClock, tokens: Path, stack: AsyncExitStack
    ) -> None:
        self.app = app
        self.db = db
        self.clock = clock
        self.tokens = tokens
        self._stack = stack

    async def browser(
        self, address: str = "192.0.2.1", origin: str = ORIGIN, **headers: str
    ) -> httpx.AsyncClient:
        """A browser with cookies of its own, which follows no redirect."""
        transport = httpx.ASGITransport(self.app, client=(address, 40_000))
        sent = {"user-agent": AGENT, "sec-fetch-site": "same-origin", **headers}
        client = httpx.AsyncClient(transport=transport, base_url=origin, headers=sent)
        return await self._stack.enter_async_context(client)

    async def add_account(
        self, login: str = LOGIN, role: Role = Role.LIAISON, party: str = "L002"
    ) -> None:
        async with self.db.transaction() as conn:
            hashed = HASHES[PASSWORD]
            wanted = NewAccount(login, "祝予安", role, party)
            assert await accounts.add(conn, wanted, hashed, self.clock())

    async def signed_in(self, **options: str) -> httpx.AsyncClient:
        """A browser that has signed in with the password."""
        browser = await self.browser(**options)
        assert (await sign_in(browser)).status_code == 303
        return browser

    def write_tokens(self, *parties: tuple[str, str, str]) -> None:
        entries = [
            {"sha256": hashlib.sha256(token.encode()).hexdigest(), "role": role, "party": party}
            for token, role, party in parties
        ]
        self.tokens.write_text(json.dumps(entries))


async def sign_in(
    browser: httpx.AsyncClient, login: str = LOGIN, password: str = PASSWORD, **fields: str
) -> httpx.Response:
    form = {"login": login, "password": password, **fields}
    return await browser.post("/sign-in", data=form)


MakeDesk = Callable[..., "AsyncIterator[Desk]"]


@asynccontextmanager
async def desk_on(database_url: str, folder: Path, **settings: object) -> AsyncIterator[Desk]:
    data = Folder.at(folder)
    data.make()
    desk_key.ensure(data)
    clock = ManualClock(NOON)
    made = Settings(
        database_url=database_url,
        kafka="127.0.0.1:1",
        tokens_file=data.tokens_file,
        desk_key_file=data.desk_key,
        **settings,
    )
    app = build(made, apps=dict.fromkeys(("intake", "routing", "followup"), nobody), clock=clock)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        db = await open_database(database_url, "desk")
        stack.push_async_callback(db.close)
        yield Desk(app, db, clock, data.tokens_file, stack)


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_on(database_url, tmp_path / "data") as desk:
        yield desk
