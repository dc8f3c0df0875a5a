"""Intake, running in the test's own process, whether or not it has what it needs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from services.intake.app import build
from services.intake.settings import Settings
from tests.support.described import described


@asynccontextmanager
async def intake_with(
    settings: Settings, address: str = "127.0.0.1", **headers: str
) -> AsyncIterator[httpx.AsyncClient]:
    """A client at an address that sends these headers; every answer must be one that the description has."""
    app = build(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            event_hooks={"response": [described]},
            transport=httpx.ASGITransport(app, client=(address, 1)),
            base_url="http://intake",
            headers={"accept-language": "en"} | headers,
        ) as client,
    ):
        yield client
