"""A browser in front of the whole stack, which a module's tests share; pages that keep account of what they asked."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    async_playwright,
    expect,
)

from deploy.jobs.topics import ensure_topics
from deploy.local.embedded.postgres import Postgres
from shared.contracts.topics import TOPICS
from shared.delivery.kafka.address import KafkaAddress
from tests.browser.stack import Stack, stack_on
from tests.conftest import fresh_database, numbers
from tests.flow.processes import write_tokens
from tests.flow.town import Town

# Without the network flags Chromium asks for hosts of its maker at every start.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")


expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The machine's own Chromium; none is ever downloaded."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture(scope="module")
def of_desk() -> dict[str, Any]:
    """The desk's settings for a module's stack; a module may have its own."""
    return {"open_page": True}


@pytest.fixture(scope="module")
async def stack(
    postgres_server: Postgres,
    migrated_template: str,
    kafka: str,
    of_desk: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Stack]:
    tokens = tmp_path_factory.mktemp("stack") / "tokens.json"
    write_tokens(tokens)
    prefix = f"t{next(numbers)}."
    await ensure_topics(KafkaAddress(kafka, prefix), topics=TOPICS, partitions=2)
    async for url in fresh_database(postgres_server, migrated_template):
        async with stack_on(url, kafka, prefix, tokens, **of_desk) as stack:
            yield stack


@pytest.fixture(scope="module")
async def town(stack: Stack, kafka: str) -> AsyncIterator[Town]:
    """The stack with a directory, a catalogue and somebody in every role."""
    async with Town(stack, kafka, "") as town:
        await town.settle_in()
        yield town


@dataclass
class Account:
    """What a context's pages did; `expected` are parts of complaints that a test means to cause."""

    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def unexpected(self) -> list[str]:
        return [
            complaint
            for complaint in self.complaints
            if not any(part in complaint for part in self.expected)
        ]


OpenPage = Callable[..., Awaitable[Page]]


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
async def visit(browser: Browser, stack: Stack, account: Account) -> AsyncIterator[OpenPage]:
    """`await visit("/", viewport=…)`: a page of a fresh browser; in the end nothing may have gone wrong in it."""
    contexts: list[BrowserContext] = []

    def complain(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            account.complaints.append(message.text)

    async def open_page(path: str = "/", address: str | None = None, **options: Any) -> Page:
        context = await browser.new_context(**options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = await context.new_page()
        page.on("console", complain)
        page.on("pageerror", lambda error: account.complaints.append(str(error)))
        page.on("request", lambda request: account.asked.append(request.url))
        await page.goto((address or stack.address) + path, wait_until="domcontentloaded")
        return page

    yield open_page
    for context in contexts:
        await context.close()
    assert account.unexpected() == []
