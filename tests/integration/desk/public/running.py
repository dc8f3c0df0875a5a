"""The desk in the test's own process, in front of the intake that it is given."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc.jwk import OKPKey
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from deploy.local.embedded.ports import pick
from services.desk.app import build as build_desk
from services.desk.pages import documents
from services.desk.settings import Settings as DeskSettings
from services.intake.app import build as build_intake
from services.intake.settings import Settings as IntakeSettings
from tests.browser.stack import serving


def signing_key(folder: Path) -> Path:
    file = folder / "desk.pem"
    file.write_bytes(OKPKey.generate_key("Ed25519", private=True).as_pem(private=True))
    return file


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
    jwks = f"http://127.0.0.1:{port}/desk/jwks.json"
    intake = build_intake(IntakeSettings(desk_jwks_url=jwks, pool_size=4, **common))
    away = Away(intake)
    apps = {"intake": away, "routing": nowhere, "followup": nowhere}
    desk = build_desk(DeskSettings(desk_key_file=signing_key(folder), pool_size=4, **common), apps)
    origin = Starlette(
        routes=[
            Route("/static/{name}", static),
            Route("/favicon.ico", favicon),
            Mount("/", desk),
        ]
    )
    async with (
        desk.router.lifespan_context(desk),
        serving(origin, port) as address,
        intake.router.lifespan_context(intake),
    ):
        yield Desk(address, desk, intake), away


async def favicon(request: Any) -> Response:
    return await documents.favicon()


async def static(request: Any) -> Response:
    return await documents.static(request, request.path_params["name"])
