"""The services behind one origin in this process, on a real socket that can be closed and opened again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp

from deploy.gateway.app import Origin
from deploy.gateway.target import local_target
from deploy.jobs.migrations import SERVICES
from deploy.local.embedded.ports import LOOPBACK, pick
from services.desk.app import build as build_desk
from services.desk.settings import Settings as DeskSettings
from services.followup.app import build as build_followup
from services.followup.settings import Settings as FollowupSettings
from services.intake.app import build as build_intake
from services.intake.settings import Settings as IntakeSettings
from services.routing.app import build as build_routing
from services.routing.settings import Settings as RoutingSettings
from tests.support.desks import desk_settings, jwks_url

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
    database_url: str, kafka: str, prefix: str, tokens: Path, **of_desk: Any
) -> AsyncIterator[Stack]:
    """A stack that is ready. Further settings are the desk's."""
    port = pick(None)
    common = {
        "database_url": database_url,
        "kafka": kafka,
        "topic_prefix": prefix,
        "tokens_file": tokens,
        "desk_jwks_url": jwks_url(port),
    }
    apps: dict[str, ASGIApp] = {
        "intake": build_intake(IntakeSettings(**common)),
        "routing": build_routing(RoutingSettings(**common)),
        "followup": build_followup(FollowupSettings(**common)),
    }
    settings = DeskSettings(**common, **desk_settings(tokens.parent), **of_desk)
    apps["desk"] = build_desk(settings, apps)
    origin = Origin([local_target(service, apps[service]) for service in SERVICES])
    async with serving(origin, port, lifespan="on") as address:
        await ready(address)
        yield Stack(origin, address)


async def ready(address: str) -> None:
    async with httpx.AsyncClient() as client, asyncio.timeout(READY_SECONDS):
        while (await client.get(f"{address}/readyz")).status_code != 200:
            await asyncio.sleep(0.1)
