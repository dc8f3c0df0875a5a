"""Sessions and sign-in links."""

from datetime import datetime
from typing import Final

import asyncpg

from services.desk.domain.sessions import Session
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

END_SESSION = "update session set expires_at = $2 where digest = $1 and expires_at > $2"

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
