"""Idempotent writes by Idempotency-Key (idempotency key): one transaction, and the same response for the same key."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeAlias

import asyncpg
from fastapi import Depends, Header, Request, Response

from shared.auth.tokens import Principal
from shared.http.responses import as_json
from shared.http.writes.preconditions import expected_versions
from shared.runtime.database import Connection, Database
from shared.runtime.errors import Problem

MAX_KEY_LENGTH = 255
KEY_WORDS: Final = (
    "1 to 255 printable ASCII characters of the sender's: sent again with the same content, "
    "the first answer is given again; kept for 7 days"
)
ATTEMPTS = 3
FORGET_LIMIT = 5000

_OF_TRACES: Final = ("ce-traceparent", "ce-tracestate")

Work: TypeAlias = Callable[[Connection], Awaitable["WriteResponse"]]


@dataclass(frozen=True, slots=True)
class WriteResponse:
    """The response of a successful write."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """Return the HTTP response."""
        return as_json(self.body, self.status, self.headers)


# Two requests with one key at once: the second waits here for the first, and then finds its answer.
CLAIM_KEY = """
insert into idempotency (party, key, fingerprint, status, headers, body)
values ($1, $2, $3, 0, '{}', '{}')
on conflict (party, key) do update set fingerprint = idempotency.fingerprint
returning fingerprint, status, headers, body"""

STORE_ANSWER = """
update idempotency set status = $3, headers = $4, body = $5 where party = $1 and key = $2"""

FORGET_KEYS = """
delete from idempotency where ctid = any(array(
    select ctid from idempotency where at < now() - interval '7 days' order by at limit $1))"""


async def run(
    request: Request,
    db: Database,
    principal: Principal,
    work: Work,
) -> Response:
    """Run `work` in one transaction and respond, idempotently by the request's Idempotency-Key.

    Raises Problem 422 when the key was used for another request, 400 when it is no key.
    """
    return (await run_once(db, await use_of(request, principal), work)).response()


async def run_once(db: Database, use: "KeyUse | None", work: Work) -> WriteResponse:
    """Run `work` in one transaction; a refusal (a Problem raised by `work`) rolls it back.

    `work` is done again, up to three times in all, when another transaction was in its way (deadlock).

    With a key the answer of a success is kept for 7 days and given again for the same request: method, path, query
    (but for `lang`), media type, If-Match, attributes of a CloudEvent in binary mode and body.
    Raises Problem 422 when the key was used for another request.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with db.transaction() as conn:
                return await (work(conn) if use is None else _keyed(conn, use, work))
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
            # Nothing of it was done; whoever was in the way has gone on.
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("the last attempt returns or raises")


def idempotency_key(request: Request) -> str | None:
    """Return the request's key, if any. Raises Problem 400 for several, or one that is not 1-255 printable ASCII."""
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return None
    (key, *more) = keys
    if more or not 0 < len(key) <= MAX_KEY_LENGTH or not is_key(key):
        raise Problem(400, "bad_idempotency_key", params={"limit": MAX_KEY_LENGTH})
    return key


def is_key(text: str) -> bool:
    """Return whether every character of `text` is allowed in a key."""
    return text.isascii() and text.isprintable()


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A caller's use of a key, with the fingerprint of its request."""

    owner: str
    key: str
    fingerprint: bytes
    first_fingerprint: bytes
    """As it was made before queries and headers counted; answers of then are kept for 7 days."""


async def use_of(request: Request, principal: Principal) -> KeyUse | None:
    """Return the use of the request's key; None without one. Raises Problem 400 for an invalid key."""
    key = idempotency_key(request)
    if key is None:
        return None
    headers, body = request.headers, await request.body()
    parts = (
        request.method,
        request.scope["path"],
        sorted(pair for pair in request.query_params.multi_items() if pair[0] != "lang"),
        [each.replace(" ", "").lower() for each in headers.getlist("content-type")],
        headers.getlist("if-match"),
        # The attributes of an event in binary mode are part of it; the trace may be another each time.
        *[
            pair
            for pair in sorted(headers.items())
            if pair[0].startswith("ce-") and pair[0] not in _OF_TRACES
        ],
    )
    first = (request.method.encode(), request.url.path.encode(), body)
    return KeyUse(_owner(principal), key, _fingerprint(parts, body), _digest(first))


def use_of_command(principal: Principal, key: str, path: str, body: bytes) -> KeyUse:
    """Return the use of a command's key: that of a POST of its JSON `body` to `path`."""
    parts: tuple[Any, ...] = ("POST", path, [], ["application/json"], [])
    first = (b"POST", path.encode(), body)
    return KeyUse(_owner(principal), key, _fingerprint(parts, body), _digest(first))


def _owner(principal: Principal) -> str:
    return f"{principal.role}:{principal.party}"


def _fingerprint(parts: tuple[Any, ...], body: bytes) -> bytes:
    return _digest((repr(parts).encode("utf-8", "backslashreplace"), body))


def _digest(parts: tuple[bytes, ...]) -> bytes:
    return hashlib.sha256(b"\0".join(parts)).digest()


async def _keyed(conn: Connection, use: KeyUse, work: Work) -> WriteResponse:
    row = await conn.fetchrow(CLAIM_KEY, use.owner, use.key, use.fingerprint)
    assert row is not None, "an upsert returns its row"  # noqa: S101 - narrows the type
    if row["fingerprint"] not in (use.fingerprint, use.first_fingerprint):
        raise Problem(422, "idempotency_key_reused")
    if row["status"]:
        return WriteResponse(row["status"], json.loads(row["body"]), json.loads(row["headers"]))
    answer = await work(conn)
    await conn.execute(
        STORE_ANSWER,
        use.owner,
        use.key,
        answer.status,
        json.dumps(dict(answer.headers)),
        bytes(answer.response().body).decode(),
    )
    return answer


async def forget_old_keys(conn: Connection) -> bool:
    """Delete responses older than 7 days, 5,000 at most; return whether there may be more."""
    return await conn.execute(FORGET_KEYS, FORGET_LIMIT) == f"DELETE {FORGET_LIMIT}"


def if_match(request: Request) -> frozenset[int] | None:
    """Return the versions that the change accepts, by the ETags of If-Match; None for any.

    Raises Problem 400 for what is no list of entity tags.
    """
    try:
        return expected_versions(request.headers.getlist("if-match"))
    except ValueError:
        raise Problem(400, "bad_if_match") from None


async def _names_its_key(
    idempotency_key: Annotated[
        str | None,
        Header(description=KEY_WORDS),
    ] = None,
) -> None:
    """Dependency that describes the Idempotency-Key header; `run` reads it."""


async def _names_its_version(
    if_match: Annotated[
        str | None,
        Header(
            description='ETags of the versions that the change is meant for, such as "7"; else 412'
        ),
    ] = None,
) -> None:
    """Dependency that describes the If-Match header; `if_match` reads it."""


KEYED: Final = Depends(_names_its_key)
"""On a route that answers by `run`: its description names the header."""

KEY_PARAMETER: Final = {
    "name": "idempotency-key",
    "in": "header",
    "required": False,
    "schema": {
        "anyOf": [{"type": "string"}, {"type": "null"}],
        "title": "Idempotency-Key",
        "description": KEY_WORDS,
    },
    "description": KEY_WORDS,
}
"""The same for a direct route, which has no dependencies."""

VERSIONED: Final = Depends(_names_its_version)
"""On a route that reads `if_match`: its description names the header."""
