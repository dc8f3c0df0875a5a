"""A system's feed over HTTP: cursor pagination, and server-sent events."""

import base64
import binascii
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from sse_starlette import ServerSentEvent

from services.intake import domain
from services.intake.api.edge import PROBLEMS, edge_of
from services.intake.api.feed_answers import FeedPage
from services.intake.api.senders import is_for_staff
from services.intake.handlers import feed_reading
from services.intake.handlers.feed_reading import (
    Current,
    Expired,
    FeedItem,
    FeedPlace,
    FeedReader,
    Happening,
    Reset,
)
from shared.auth.tokens import Principal, require, tokens_of
from shared.contracts.fields.types import WHOLE
from shared.contracts.vocabulary import Role
from shared.http.problems import PROBLEM_RESPONSE, language
from shared.http.responses import as_json
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
from shared.messages.catalogue import text
from shared.runtime.errors import FieldError, Problem, invalid_because

router = APIRouter(route_class=CheckedRoute, prefix="/intake")
streams = APIRouter(route_class=TicketedRoute, prefix="/intake")

OWN_SOURCE: Final = "urn:liaison:intake"
LONGEST_CURSOR: Final = 100

System = Annotated[Principal, Depends(require(Role.SYSTEM))]
Cursor = Annotated[
    str | None,
    Query(max_length=LONGEST_CURSOR, description="`next` of the page before, as it is"),
]


@router.get(
    "/feed",
    responses={200: {"model": FeedPage}, **PROBLEMS, 410: PROBLEM_RESPONSE},
    summary="What became of a system's requests",
    operation_id="listFeed",
)
async def list_feed(
    request: Request,
    caller: System,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=500, description="how many at most"), WHOLE] = 100,
) -> Response:
    """Events of the requests that the caller submitted, or that came under a source of its token, oldest first.

    Each is the CloudEvent that is on Kafka too: `request.registered` with the extension `receipt`, `request.rejected`
    (of what came by Kafka), and every event of their matters. They are kept for 30 days; without `cursor` a feed
    begins with the oldest. A feed has no end, so `next` is always there: keep it, and ask with it again. An empty page
    gives the same back. A cursor whose next events are not kept any more is 410: begin without one, and pass over the
    ids that you have. A page may end early, at 4 MiB.
    """
    reader, place = _reader(request, caller), _place(cursor, "/query/cursor", request)
    async with edge_of(request).db.reading() as conn:
        try:
            part = await feed_reading.read_part(conn, reader, place, limit)
        except Expired:
            raise Problem(410, "cursor_expired") from None
    body = {"items": [_event(item) for item in part.items], "next": _cursor(part.place)}
    return as_json(body, headers={"cache-control": "no-store"})


@streams.get(
    "/feed/stream",
    responses={200: {"content": {"text/event-stream": STREAM}}, **PROBLEMS, 429: PROBLEM_RESPONSE},
    summary="The same as server-sent events",
    operation_id="streamFeed",
)
async def stream_feed(
    request: Request,
    caller: System,
    last_event_id: Annotated[str | None, Header(max_length=LONGEST_CURSOR)] = None,
    cursor: Cursor = None,
    ticket: Ticket = None,
) -> GuardedStream:
    """The events of the feed after `Last-Event-ID`, else after `cursor`, else all that are kept; then as they come.

    Each is a message without a name whose data are the CloudEvent and whose `id` is a cursor of the feed. `current`
    says once that all that was there has been told. `reset` says that what followed the given cursor is not kept any
    more: all that is kept follows.

    A page in a browser, whose EventSource sends no header, gets a `ticket` first; when the connection ends it gets
    another one, and goes on with `cursor`.

    It ends within 15 s once the token no longer counts or has other sources. A party may hold 64 streams of a replica.
    """
    edge, reader = edge_of(request), _reader(request, caller)
    if last_event_id:
        place = _place(last_event_id, "/header/last-event-id", request)
    else:
        place = _place(cursor, "/query/cursor", request)
    happenings = feed_reading.follow(edge.db, edge.feed_watch, reader, place)
    return party_stream(request, caller, _messages(happenings))


@router.post(
    "/feed/stream/tickets",
    status_code=201,
    responses={201: {"model": StreamTicket}, **PROBLEMS},
    summary="Get a ticket for the stream",
    operation_id="createFeedTicket",
)
async def create_ticket(request: Request, caller: System) -> Response:
    """For whoever cannot send a header: a ticket counts once, within 30 s, in the caller's name.

    An Idempotency-Key has no effect: one ticket too many expires by itself.
    """
    async with edge_of(request).db.transaction() as conn:
        return await issued_ticket(request, conn, "/intake/feed/stream")


def _reader(request: Request, caller: Principal) -> FeedReader:
    names = domain.feed_names(caller.party, caller.sources)
    return FeedReader(caller.party, names, is_for_staff(caller, tokens_of(request)))


async def _messages(happenings: AsyncIterator[Happening]) -> AsyncIterator[ServerSentEvent]:
    async for happening in happenings:
        match happening:
            case Reset():
                yield ServerSentEvent(data="{}", event="reset")
            case Current(place=place):
                yield ServerSentEvent(data="{}", event="current", id=_cursor(place))
            case FeedItem(place=place):
                written = orjson.dumps(_event(happening), option=orjson.OPT_UTC_Z).decode()
                yield ServerSentEvent(data=written, id=_cursor(place))


def _event(item: FeedItem) -> dict[str, Any]:
    """Return the item as a CloudEvent in structured JSON, without absent attributes."""
    entry = item.entry
    attributes = {
        "specversion": "1.0",
        "id": str(entry.id),
        "source": entry.source or OWN_SOURCE,
        "type": entry.type,
        "time": entry.at,
        "subject": entry.subject,
        "sequence": str(entry.version),
        "datacontenttype": "application/json",
        "causationid": None if entry.causation_id is None else str(entry.causation_id),
        "traceparent": entry.traceparent,
        "requestid": None if entry.request_id is None else str(entry.request_id),
        "receipt": item.receipt,
        "excerpt": True if item.is_excerpt else None,
    }
    present = {name: value for name, value in attributes.items() if value is not None}
    return present | {"data": item.data}


def _cursor(place: FeedPlace) -> str:
    written = f"{place.position}.{place.tag}".encode()
    return base64.urlsafe_b64encode(written).decode().rstrip("=")


def _place(cursor: str | None, pointer: str, request: Request) -> FeedPlace | None:
    """Return the position in a cursor. Raises Problem 422 for one that no page or stream issued."""
    if not cursor:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        position, _, tag = (
            base64.b64decode(padded, b"-_", validate=True).decode("ascii").partition(".")
        )
    except (binascii.Error, ValueError):
        position, tag = "", ""
    if not position.isdecimal() or len(position) > 18 or (tag and not tag.isalnum()):
        words = text("field.feed_cursor", language(request))
        raise invalid_because([FieldError(pointer, "feed_cursor", words)])
    return FeedPlace(int(position), tag)
