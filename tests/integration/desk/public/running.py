"""The desk in the test's own process, in front of the intake that it is given."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp

from deploy.local.embedded.ports import pick
from services.desk.app import build as build_desk
from services.desk.settings import Settings as DeskSettings
from services.intake.app import build as build_intake
from services.intake.settings import Settings as IntakeSettings
from tests.browser.stack import serving
from tests.support.desks import desk_settings, jwks_url


@dataclass(frozen=True)
class Desk:
    """Where the desk is, and the apps behind it."""

    address: str
    app: Any
    intake: Any


class Away:
    """Stands before a service; while it is `down`, nobody is there."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.down = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # Without an answer the desk sees what it sees of a service that is gone.
        if not self.down:
            await self.app(scope, receive, send)


async def nowhere(scope: Any, receive: Any, send: Any) -> None:
    await Response(status_code=404)(scope, receive, send)


@asynccontextmanager
async def desk_on(
    folder: Path, host: str = "127.0.0.1", **common: Any
) -> AsyncIterator[tuple[Desk, Away]]:
    """The desk on a socket, with an intake that verifies its tokens, on the same database and topics."""
    port = pick(None)
    intake = build_intake(IntakeSettings(desk_jwks_url=jwks_url(port), pool_size=4, **common))
    away = Away(intake)
    apps = {"intake": away, "routing": nowhere, "followup": nowhere}
    desk = build_desk(DeskSettings(**desk_settings(folder), pool_size=4, **common), apps)
    async with (
        desk.router.lifespan_context(desk),
        serving(desk, port) as address,
        intake.router.lifespan_context(intake),
    ):
        yield Desk(address, desk, intake), away
