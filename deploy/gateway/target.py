"""A service as the gateway addresses it: an app of this process, or a remote one."""

import asyncio
from dataclasses import dataclass

import httpx
from starlette.types import ASGIApp

from deploy.common.loopback import loopback_client

ASK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Target:
    """`app` serves requests; `client` is for the gateway's own calls.

    `shares_process`: its figures are those of this process.
    """

    name: str
    app: ASGIApp
    client: httpx.AsyncClient
    shares_process: bool


def local_target(name: str, app: ASGIApp) -> Target:
    """A service that runs in this process."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    client = loopback_client("http://localhost", timeout=ASK_SECONDS, transport=transport)
    return Target(name, app, client, shares_process=True)


async def ask(target: Target, path: str) -> httpx.Response | None:
    """GET `path` of a target; None when no response arrived within `ASK_SECONDS`."""
    try:
        async with asyncio.timeout(ASK_SECONDS):
            return await target.client.get(path)
    except (httpx.HTTPError, OSError, TimeoutError):
        return None
