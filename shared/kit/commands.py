"""The way of a write over HTTP: one transaction, and the same answer for the same Idempotency-Key."""

import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeAlias

import asyncpg
from fastapi import Depends, Header, Request, Response

from shared.kit.answers import as_json
from shared.kit.auth import Principal
from shared.kit.db import Connection, Database
from shared.kit.problems import Problem

MAX_KEY_LENGTH = 255
ATTEMPTS = 3
FORGET_LIMIT = 5000

Work: TypeAlias = Callable[[Connection], Awaitable["Answer"]]

_ETAG = re.compile(r"""^(?:W/)?(?P<quote>"?)(?P<version>[0-9]{1,9})(?P=quote)\Z""")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a successful write answers."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """The answer as an HTTP response."""
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
    """Do `work` in one transaction and answer; a refusal (a Problem raised by `work`) changes nothing.

    `work` is done again, up to three times in all, when another transaction was in its way (deadlock).

    With an Idempotency-Key the answer of a success is kept for 7 days and given again for the same request.
    Raises Problem 422 when the key was used for another request, 400 when it is longer than 255 characters.
    """
    key = request.headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= MAX_KEY_LENGTH:
        raise Problem(400, "bad_idempotency_key", params={"limit": MAX_KEY_LENGTH})
    use = None if key is None else await _use_of(request, principal, key)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with db.transaction() as conn:
                return await (_plain(conn, work) if use is None else _keyed(conn, use, work))
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
            # Nothing of it was done; whoever was in the way has gone on.
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("the last attempt returns or raises")


@dataclass(frozen=True, slots=True)
class _Use:
    """A key as one caller uses it, and what tells its request from another."""

    owner: str
    key: str
    fingerprint: bytes


async def _use_of(request: Request, principal: Principal, key: str) -> _Use:
    parts = (request.method.encode(), request.url.path.encode(), await request.body())
    fingerprint = hashlib.sha256(b"\0".join(parts)).digest()
    return _Use(f"{principal.role}:{principal.party}", key, fingerprint)


async def _plain(conn: Connection, work: Work) -> Response:
    return (await work(conn)).response()


async def _keyed(conn: Connection, use: _Use, work: Work) -> Response:
    row = await conn.fetchrow(CLAIM_KEY, use.owner, use.key, use.fingerprint)
    assert row is not None, "an upsert returns its row"  # noqa: S101 - narrows the type
    if row["fingerprint"] != use.fingerprint:
        raise Problem(422, "idempotency_key_reused")
    if row["status"]:
        kept = Answer(row["status"], json.loads(row["body"]), json.loads(row["headers"]))
        return kept.response()
    answer = await work(conn)
    response = answer.response()
    await conn.execute(
        STORE_ANSWER,
        use.owner,
        use.key,
        answer.status,
        json.dumps(dict(answer.headers)),
        bytes(response.body).decode(),
    )
    return response


async def forget_old_keys(conn: Connection) -> bool:
    """Drop answers older than 7 days, 5,000 at most; whether there may be more."""
    return await conn.execute(FORGET_KEYS, FORGET_LIMIT) == f"DELETE {FORGET_LIMIT}"


def if_match(request: Request) -> int | None:
    """The version in If-Match, whose ETag is the number in quotes; None when it is absent or `*`.

    Raises Problem 400 when it is something else.
    """
    value = request.headers.get("if-match")
    if value is None or value.strip() == "*":
        return None
    # A proxy that compresses may have made the tag a weak one; some clients leave the quotes out.
    found = _ETAG.match(value.strip())
    if found is None:
        raise Problem(400, "bad_if_match")
    return int(found["version"])


async def _names_its_key(
    idempotency_key: Annotated[
        str | None,
        Header(
            description="1 to 255 characters of the sender's: sent again with the same content, "
            "the first answer is given again; kept for 7 days"
        ),
    ] = None,
) -> None:
    """Described here, read by `run`."""


async def _names_its_version(
    if_match: Annotated[
        str | None,
        Header(description='the version that the change is meant for, such as "7"; else 412'),
    ] = None,
) -> None:
    """Described here, read by the function `if_match`."""


KEYED: Final = Depends(_names_its_key)
"""On a route that answers by `run`: its description names the header."""

VERSIONED: Final = Depends(_names_its_version)
"""On a route that reads `if_match`: its description names the header."""
