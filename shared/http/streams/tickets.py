"""Stream tickets: single-use credentials for a browser's EventSource, which cannot send a token.

A ticket counts once, within 30 s, for one path and for the token that it was issued to.
"""

import hashlib
import secrets
from datetime import datetime
from typing import Final

from fastapi import Request
from joserfc import jwe
from joserfc.jwk import OctKey
from pydantic import BaseModel, Field

from shared.auth.brute_force import place_of
from shared.auth.rate_limiter import RateLimiter
from shared.auth.tokens import PRINCIPAL, bearer_token
from shared.http.streams.guard import current_principal
from shared.runtime.database import Connection, Database
from shared.runtime.errors import Problem

TICKET_SECONDS: Final = 30
TICKET_BYTES: Final = 32
LONGEST_TICKET: Final = 100
PARAMETER: Final = "ticket"
STREAM_TOKEN: Final = "liaison.stream_token"  # noqa: S105 - the name of a scope's key
"""Where a request carries the token that its ticket was issued to."""

_HEADER: Final = {"alg": "dir", "enc": "A256GCM"}

FORGET_EXPIRED = """
delete from stream_ticket where ctid = any(array(
    select ctid from stream_ticket where expires_at < now() order by expires_at limit 100))"""
INSERT_TICKET = """
insert into stream_ticket (digest, path, token, expires_at)
values ($1, $2, $3, now() + make_interval(secs => $4)) returning expires_at"""
USE_TICKET = """
delete from stream_ticket where digest = $1 returning path, token, expires_at > now() as counts"""


class StreamTicket(BaseModel):
    """A ticket for one stream: open `stream_url` before `expires_at`, once."""

    ticket: str
    expires_at: datetime
    stream_url: str = Field(description="the stream's path with the ticket in its query")


async def issue(conn: Connection, path: str, token: str) -> StreamTicket:
    """A new ticket for `path` in the name of a bearer token, in the caller's transaction."""
    ticket = secrets.token_urlsafe(TICKET_BYTES)
    await conn.execute(FORGET_EXPIRED)
    sealed = jwe.encrypt_compact(_HEADER, token.encode(), _key(ticket))
    expires_at = await conn.fetchval(INSERT_TICKET, _digest(ticket), path, sealed, TICKET_SECONDS)
    return StreamTicket(
        ticket=ticket, expires_at=expires_at, stream_url=f"{path}?{PARAMETER}={ticket}"
    )


async def redeem(conn: Connection, path: str, ticket: str) -> str | None:
    """Redeem a ticket: return its token, None when the ticket is not valid for `path`. It cannot be used again."""
    row = await conn.fetchrow(USE_TICKET, _digest(ticket))
    if row is None or row["path"] != path or not row["counts"]:
        return None
    token = jwe.decrypt_compact(row["token"], _key(ticket)).plaintext
    return None if token is None else token.decode()


async def admit(request: Request, db: Database, ticket: str) -> None:
    """Authenticate a request by its ticket.

    Raises Problem 401 where the ticket or its token does not count, 429 for one request too many.
    """
    rate_limiter: RateLimiter | None = request.app.state.rate_limiter
    if rate_limiter is not None:
        rate_limiter.spend(place_of(request))
    async with db.reading() as conn:
        token = await redeem(conn, request.scope["path"], ticket)
    if token is None:
        raise Problem(401, "ticket_not_valid")
    principal = await current_principal(request, token)
    if principal is None:
        raise Problem(401, "not_signed_in", headers={"www-authenticate": "Bearer"})
    if rate_limiter is not None:
        rate_limiter.spend(principal)
    request.scope[PRINCIPAL] = principal
    request.scope[STREAM_TOKEN] = token


def stream_token(request: Request) -> str | None:
    """Return the token for a stream: that of its ticket, else of the Authorization header."""
    token: str | None = request.scope.get(STREAM_TOKEN)
    return token or bearer_token(request)


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode()).digest()


def _key(ticket: str) -> OctKey:
    # Not the digest, which is stored.
    return OctKey.import_key(hashlib.sha256(b"liaison.stream_ticket\0" + ticket.encode()).digest())
