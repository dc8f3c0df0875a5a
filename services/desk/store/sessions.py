"""Sessions and sign-in links."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from services.desk.domain.sessions import Session, SignInLink
from shared.contracts.vocabulary import Role
from shared.runtime.database import Connection, counted

BATCH: Final = 1_000

INSERT_SESSION = """
insert into session (digest, id, account_id, token_sha256, role, party, name, address, user_agent,
                     created_at, seen_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"""

SELECT_SESSION = """
select session.id, session.account_id, token_sha256, session.role, session.party, session.name, address, user_agent,
       session.created_at, seen_at, expires_at
from session left join account on account.id = session.account_id
where digest = $1 and account.disabled_at is null"""

NOTE_USE = "update session set seen_at = $2 where digest = $1 and seen_at < $2"

SELECT_SESSIONS = """
select id, account_id, token_sha256, role, party, name, address, user_agent, created_at, seen_at, expires_at
from session
where role = $1 and party = $2
  and (account_id = $3 or ($3::uuid is null and account_id is null and token_sha256 = $4) or id = $5)
  and expires_at > $6 and seen_at > $7
order by created_at desc limit 100"""

END_SESSIONS = """
update session set expires_at = $2 where id = any($1::uuid[]) and expires_at > $2"""

END_SESSIONS_OF_ACCOUNT = """
update session set expires_at = $3 where account_id = $1 and id is distinct from $2 and expires_at > $3"""

END_SESSION = "update session set expires_at = $2 where digest = $1 and expires_at > $2"

INSERT_LINK = """
insert into sign_in_link (digest, role, party, name, expires_at) values ($1, $2, $3, $4, $5)"""

SELECT_LINK = """
select role, party, name, expires_at, used_at from sign_in_link where digest = $1 for update"""

USE_LINK = "update sign_in_link set used_at = $2 where digest = $1"

DELETE_SESSIONS = """
delete from session where digest in (
    select digest from session where expires_at < $1 order by expires_at limit $2)"""

DELETE_LINKS = """
delete from sign_in_link where digest in (
    select digest from sign_in_link where expires_at < $1 order by expires_at limit $2)"""


async def insert(conn: Connection, digest: bytes, session: Session) -> None:
    """Keep a new session under the SHA-256 of its cookie."""
    await conn.execute(
        INSERT_SESSION,
        digest,
        session.id,
        session.account_id,
        session.token_sha256,
        session.role.value,
        session.party,
        session.name,
        session.address,
        session.user_agent,
        session.created_at,
        session.seen_at,
        session.expires_at,
    )


async def find(conn: Connection, digest: bytes) -> Session | None:
    """The session of a cookie, ended or not; None when there is none, or its account is disabled."""
    row = await conn.fetchrow(SELECT_SESSION, digest)
    return None if row is None else session_of(row)


async def note_use(conn: Connection, digest: bytes, now: datetime) -> None:
    """Note that the session was used."""
    await conn.execute(NOTE_USE, digest, now)


async def end(conn: Connection, digest: bytes, now: datetime) -> None:
    """End a session now."""
    await conn.execute(END_SESSION, digest, now)


async def find_like(
    conn: Connection, session: Session, now: datetime, seen_after: datetime
) -> list[Session]:
    """The running sessions of the same account, or of the same token, the newest first; 100 at most.

    A session by a link stands alone.
    """
    rows = await conn.fetch(
        SELECT_SESSIONS,
        session.role.value,
        session.party,
        session.account_id,
        session.token_sha256,
        session.id,
        now,
        seen_after,
    )
    return [session_of(row) for row in rows]


async def end_some(conn: Connection, ids: Sequence[UUID], now: datetime) -> int:
    """End sessions now; how many went on until then."""
    return counted(await conn.execute(END_SESSIONS, ids, now))


async def end_of_account(
    conn: Connection, account_id: UUID, but: UUID | None, now: datetime
) -> int:
    """End all sessions of an account but one; how many went on until then."""
    return counted(await conn.execute(END_SESSIONS_OF_ACCOUNT, account_id, but, now))


async def insert_link(conn: Connection, digest: bytes, link: SignInLink) -> None:
    """Keep a link that signs in once under the SHA-256 of its code."""
    await conn.execute(INSERT_LINK, digest, link.role.value, link.party, link.name, link.expires_at)


async def lock_link(conn: Connection, digest: bytes) -> SignInLink | None:
    """The link of a code, used or not, locked until the transaction ends."""
    row = await conn.fetchrow(SELECT_LINK, digest)
    if row is None:
        return None
    return SignInLink(
        Role(row["role"]), row["party"], row["name"], row["expires_at"], row["used_at"]
    )


async def use_link(conn: Connection, digest: bytes, now: datetime) -> None:
    """Note that a link was used."""
    await conn.execute(USE_LINK, digest, now)


async def forget(conn: Connection, before: datetime) -> bool:
    """Delete what expired before a moment, 1,000 rows of each kind at most; whether there may be more."""
    sessions = counted(await conn.execute(DELETE_SESSIONS, before, BATCH))
    links = counted(await conn.execute(DELETE_LINKS, before, BATCH))
    return BATCH in (sessions, links)


def session_of(row: asyncpg.Record) -> Session:
    """The session of a row that has all of its columns."""
    return Session(
        row["id"],
        row["account_id"],
        row["token_sha256"],
        Role(row["role"]),
        row["party"],
        row["name"],
        row["address"],
        row["user_agent"],
        row["created_at"],
        row["seen_at"],
        row["expires_at"],
    )
