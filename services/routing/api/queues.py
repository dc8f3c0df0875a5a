"""Queues over HTTP: as a page, oldest request first, and as a stream of changes."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Header, Query, Request, Response
from sse_starlette import ServerSentEvent

from services.routing.api import answers
from services.routing.api.edge import PROBLEMS, Edge, PageCursor, PageSize, Staff, edge_of
from services.routing.api.paging import after_place, page
from services.routing.api.views import item_view
from services.routing.domain.parties import FALLBACK_DESK
from services.routing.handlers.queue_stream import Broken, Current, Happening, QueuedOffer, follow
from services.routing.store import feed, queues
from services.routing.store.queues import QueueChange
from shared.auth.tokens import Principal
from shared.contracts.vocabulary import OfferState, Role
from shared.http.problems import PROBLEM_RESPONSE, language
from shared.http.responses import Page
from shared.http.routes import CheckedRoute
from shared.http.streams.guard import GuardedStream
from shared.http.streams.routes import (
    STREAM,
    Ticket,
    TicketedRoute,
    issued_ticket,
    party_stream,
)
from shared.http.streams.tickets import StreamTicket
from shared.runtime.errors import Problem

router = APIRouter(route_class=CheckedRoute, prefix="/routing/queues", tags=["queues"])
streams = APIRouter(route_class=TicketedRoute, prefix="/routing/queues", tags=["queues"])


def _party(caller: Principal, asked: str) -> str:
    """Return the queue's party; `me` is the caller, for a coordinator the fallback desk."""
    own = FALLBACK_DESK if caller.role is Role.COORDINATOR else caller.party
    party = own if asked == "me" else asked
    if caller.role in (Role.LIAISON, Role.DEPARTMENT) and party != caller.party:
        raise Problem(403, "not_your_queue")
    return party


@router.get(
    "/{party}",
    responses={200: {"model": Page[answers.QueueItem]}, **PROBLEMS},
    operation_id="getQueue",
    summary="What a party is offered, oldest request first",
)
async def show_queue(
    request: Request,
    party: Annotated[str, "an id, or `me`"],
    caller: Staff,
    state: Literal["offered", "accepted"] = "offered",
    limit: PageSize = 50,
    cursor: PageCursor = None,
) -> Response:
    """With `state=accepted`: what the party has taken and still works on."""
    edge, lang, whose = edge_of(request), language(request), _party(caller, party)
    async with edge.db.reading() as conn:
        if not await feed.positions(conn, [whose]):
            raise Problem(404, "no_such_party", params={"id": whose})
        items = await queues.list_queue(
            conn, whose, OfferState(state), after_place(cursor), limit + 1
        )
    now = edge.clock()
    return page(
        items,
        limit,
        lambda item: (item.received_at, item.offer_id),
        lambda item: item_view(item, now, lang),
    )


@streams.get(
    "/{party}/stream",
    responses={200: {"content": {"text/event-stream": STREAM}}, **PROBLEMS, 429: PROBLEM_RESPONSE},
    operation_id="streamQueue",
    summary="The same as server-sent events",
)
async def stream_queue(
    request: Request,
    party: Annotated[str, "an id, or `me`"],
    caller: Staff,
    last_event_id: Annotated[str | None, Header(max_length=40)] = None,
    since: Annotated[
        str | None,
        Query(max_length=40, description="as Last-Event-ID, where no header can be sent"),
    ] = None,
    ticket: Ticket = None,
) -> GuardedStream:
    """First what is offered (`offered`, then `current`), then what happens: `offered` and `ended` (with `how`).

    With Last-Event-ID it goes on after that event, with nothing missed; `reset` says that this is too long ago (a
    week) and that a new beginning follows. An offer may be told twice: its `offer_id` names it.

    A page in a browser, whose EventSource sends no header, gets a `ticket` first; when the connection ends it gets
    another one, and goes on with `since`.

    It ends within 15 s once the token no longer counts or has another role. A party may hold 64 streams of a replica.
    """
    edge, lang, whose = edge_of(request), language(request), _party(caller, party)
    async with edge.db.reading() as conn:
        known = await feed.positions(conn, [whose])
    if whose not in known:
        raise Problem(404, "no_such_party", params={"id": whose})
    after = _position(last_event_id or since)
    return party_stream(request, caller, _events(edge, whose, after, lang))


@router.post(
    "/{party}/stream/tickets",
    status_code=201,
    responses={201: {"model": StreamTicket}, **PROBLEMS},
    summary="Get a ticket for the stream of a queue",
    operation_id="createQueueTicket",
)
async def create_ticket(
    request: Request, party: Annotated[str, "an id, or `me`"], caller: Staff
) -> Response:
    """For whoever cannot send a header: a ticket counts once, within 30 s, in the caller's name and for this queue.

    An Idempotency-Key has no effect: one ticket too many expires by itself.
    """
    whose = _party(caller, party)
    async with edge_of(request).db.transaction() as conn:
        if not await feed.positions(conn, [whose]):
            raise Problem(404, "no_such_party", params={"id": whose})
        path = request.scope["path"].removesuffix("/tickets")
        return await issued_ticket(request, conn, path)


def _position(written: str | None) -> int | None:
    if written is None or written == "":
        return None
    if not written.isascii() or not written.isdecimal() or len(written) > 18:
        raise Problem(400, "bad_event_id")
    return int(written)


async def _events(
    edge: Edge, party: str, after: int | None, lang: str
) -> AsyncIterator[ServerSentEvent]:
    async for happening in follow(edge.db, edge.watch, party, after):
        yield _event(happening, party, edge.clock(), lang)


def _event(happening: Happening, party: str, now: datetime, lang: str) -> ServerSentEvent:
    """Return a server-sent event; only entries with an id can be resumed from, so an interrupted beginning restarts."""
    match happening:
        case Broken(position=position):
            return _written("reset", {"party": party, "last_event_id": position})
        case QueuedOffer(item=item):
            return _written("offered", item_view(item, now, lang))
        case Current(position=position):
            return _written("current", {"party": party}, position)
        case QueueChange(position=position, kind=kind, item=item):
            data = item_view(item, now, lang) | {"at": happening.at, "how": happening.how}
            return _written(kind, data, position)


def _written(kind: str, data: dict[str, Any], position: int | None = None) -> ServerSentEvent:
    return ServerSentEvent(
        data=orjson.dumps(data, option=orjson.OPT_UTC_Z).decode(),
        event=kind,
        id=None if position is None else str(position),
    )
