"""The route class of event streams: the caller by token, or by a ticket in the query."""

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Annotated, Any, Final, TypeAlias

from fastapi import Query, Request, Response
from sse_starlette import ServerSentEvent

from shared.auth.brute_force import place_of
from shared.auth.tokens import Principal, bearer_token
from shared.http.responses import as_json
from shared.http.routes import CheckedRoute
from shared.http.streams import tickets
from shared.http.streams.guard import GuardedStream, Holder, current_principal
from shared.runtime.database import Connection, Database

HEARTBEAT_SECONDS: Final = 15.0
SEND_SECONDS: Final = 30.0
STREAM: Final = {"schema": {"type": "string", "description": "events as in the description"}}
"""How a description shows what such a route answers."""

Ticket: TypeAlias = Annotated[
    str | None,
    Query(
        max_length=tickets.LONGEST_TICKET,
        description="of `…/stream/tickets`, in place of the Authorization header, where none can be sent",
    ),
]


class TicketedRoute(CheckedRoute):
    """A checked route that takes a ticket as well; of its app's `edge` it uses the database."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind the ticket (401) and the other checks."""
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            ticket = request.query_params.get(tickets.PARAMETER)
            if ticket and len(ticket) <= tickets.LONGEST_TICKET:
                db: Database = request.app.state.edge.db
                await tickets.admit(request, db, ticket)
            return await handler(request)

        return answer


async def issued_ticket(request: Request, conn: Connection, path: str) -> Response:
    """The 201 with a new ticket for the stream at `path`, in the name of the token that the request came with."""
    made = await tickets.issue(conn, path, bearer_token(request) or "")
    return as_json(made.model_dump(), 201, {"cache-control": "no-store"})


def party_stream(
    request: Request, caller: Principal, events: AsyncIterator[ServerSentEvent]
) -> GuardedStream:
    """`events` to a party, for as long as the token or its ticket's stands for the same role, party and sources."""
    token = tickets.stream_token(request)

    async def may_read() -> bool:
        found = await current_principal(request, token)
        return found == caller and found.sources == caller.sources

    return GuardedStream(
        events,
        request,
        Holder.of(caller, place_of(request)),
        may_read,
        heartbeat_seconds=HEARTBEAT_SECONDS,
        send_seconds=SEND_SECONDS,
    )
