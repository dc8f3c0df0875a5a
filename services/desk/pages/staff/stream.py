"""`/desk/stream`: tells an open page that what it shows has changed; the page then asks in its reader's name."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sse_starlette import ServerSentEvent

from services.desk.handlers.changes import ChangeHub
from services.desk.pages import layout, visitors
from services.desk.pages.routing import StaffRoute
from shared.auth.brute_force import place_of
from shared.http.streams.guard import GuardedStream, Holder

router = APIRouter(route_class=StaffRoute, include_in_schema=False)

HEARTBEAT_SECONDS: Final = 15.0
SEND_SECONDS: Final = 20.0
LOOK_SECONDS: Final = 60.0
PAUSE_SECONDS: Final = 1.0
"""Between two news of one page: in a busy town a page asks once a second at most."""


@router.get("/desk/stream")
async def stream(request: Request, matter: Annotated[UUID | None, Query()] = None) -> Response:
    """`changed` events: of one matter, or of any. Ends within 15 s once the session does."""
    person = await layout.member(request)
    hub: ChangeHub = request.app.state.hub

    async def may_read() -> bool:
        return person.goes_on(await visitors.still_signed_in(request))

    return GuardedStream(
        _changes(hub, None if matter is None else str(matter)),
        request,
        Holder.of(person.principal, place_of(request)),
        may_read,
        heartbeat_seconds=HEARTBEAT_SECONDS,
        send_seconds=SEND_SECONDS,
    )


async def _changes(hub: ChangeHub, matter: str | None) -> AsyncIterator[ServerSentEvent]:
    with hub.subscribed() as subscription:
        # What changed between the page and its stream is asked for now.
        yield ServerSentEvent("", event="changed")
        while True:
            changed = await subscription.next(LOOK_SECONDS)
            # A minute later the promises are nearer, whatever happened.
            if changed is None or not changed or matter is None or matter in changed:
                yield ServerSentEvent("", event="changed")
                await asyncio.sleep(PAUSE_SECONDS)
