"""The three services behind one origin in this process, on a real socket that can be closed and opened again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp

from deploy.gateway.app import Origin
from deploy.gateway.target import local_target
from deploy.jobs.migrations import SERVICES
from deploy.local.embedded.ports import LOOPBACK, pick

READY_SECONDS = 40.0


@asynccontextmanager
async def serving(app: ASGIApp, port: int, lifespan: str = "off") -> AsyncIterator[str]:
    """`app` on a socket; when the block ends, open streams are cut."""
    config = uvicorn.Config(
        app,
        host=LOOPBACK,
        port=port,
        log_config=None,
        lifespan=lifespan,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        assert not running.done()
        await asyncio.sleep(0.01)
    try:
        yield f"http://{LOOPBACK}:{port}"
    finally:
        server.should_exit = True
        await running


@dataclass(frozen=True)
class Stack:
    """Where the origin is, and the origin itself, to be served a second time."""

    origin: Origin
    address: str

    def url(self, path: str) -> str:
        return f"{self.address}{path}"


@asynccontextmanager
async def stack_on(
    database_url: str, kafka: str, prefix: str, tokens: Path, **of_followup: Any
) -> AsyncIterator[Stack]:
    """A stack that is ready. Further settings are followup's."""
    common = {
        "database_url": database_url,
        "kafka": kafka,
        "topic_prefix": prefix,
        "tokens_file": tokens,
    }
    targets = []
    for service in SERVICES:
        extra = of_followup if service == "followup" else {}
        settings = import_module(f"services.{service}.settings").Settings(**common, **extra)
        targets.append(
            local_target(service, import_module(f"services.{service}.app").build(settings))
        )
    origin = Origin(targets)
    async with serving(origin, pick(None), lifespan="on") as address:
        await ready(address)
        yield Stack(origin, address)


async def ready(address: str) -> None:
    async with httpx.AsyncClient() as client, asyncio.timeout(READY_SECONDS):
        while (await client.get(f"{address}/readyz")).status_code != 200:
            await asyncio.sleep(0.1)
