"""Accounts, and sign-ins that wait for their second factor."""

from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from services.desk.domain.accounts import Account
from services.desk.domain.lockout import Attempts
from services.desk.domain.passwords import login_key
from shared.contracts.vocabulary import Role
from shared.runtime.database import Connection, counted

_COLUMNS: Final = """id, login, name, role, party, password, totp_secret, totp_pending, totp_step, failures,
       locked_until, created_at, disabled_at"""

INSERT_ACCOUNT = """
insert into account (id, login, login_key, name, role, party, password, created_at, changed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
on conflict (login_key) do nothing"""

SELECT_ACCOUNT = f"select {_COLUMNS} from account where login_key = $1"  # noqa: S608 - our own columns
SELECT_ACCOUNT_BY_ID = f"select {_COLUMNS} from account where id = $1"  # noqa: S608 - our own columns
LOCK_ACCOUNT = f"select {_COLUMNS} from account where id = $1 for update"  # noqa: S608 - our own columns
SELECT_ACCOUNTS = f"select {_COLUMNS} from account order by login_key"  # noqa: S608 - our own columns

SET_ATTEMPTS = "update account set failures = $2, locked_until = $3 where id = $1"
SET_PASSWORD = "update account set password = $2, changed_at = $3 where id = $1"  # noqa: S105 - a statement
REPLACE_HASH = "update account set password = $3 where id = $1 and password = $2"
SET_PENDING_FACTOR = "update account set totp_pending = $2 where id = $1"
SET_FACTOR = """
update account set totp_secret = $2, totp_step = $3, totp_pending = null, changed_at = $4 where id = $1"""
SET_STEP = "update account set totp_step = $2, failures = 0, locked_until = null where id = $1"
SET_DISABLED = "update account set disabled_at = $2, changed_at = $3 where id = $1"

INSERT_PENDING = "insert into pending_sign_in (digest, account_id, expires_at) values ($1, $2, $3)"
SELECT_PENDING = "select account_id from pending_sign_in where digest = $1 and expires_at > $2"
DELETE_PENDING = "delete from pending_sign_in where account_id = $1"
DELETE_OLD_PENDING = """
delete from pending_sign_in where digest in (
    select digest from pending_sign_in where expires_at < $1 order by expires_at limit $2)"""


async def insert(conn: Connection, account: Account) -> bool:
    """Add an account; False, with nothing changed, where its login exists."""
    status = await conn.execute(
        INSERT_ACCOUNT,
        account.id,
        account.login,
        login_key(account.login),
        account.name,
        account.role.value,
        account.party,
        account.password,
        account.created_at,
    )
    return counted(status) == 1


async def find(conn: Connection, login: str) -> Account | None:
    """The account of a login in whatever case or width, disabled or not."""
    row = await conn.fetchrow(SELECT_ACCOUNT, login_key(login))
    return None if row is None else _account(row)


async def load(conn: Connection, account_id: UUID) -> Account | None:
    """The account of an id."""
    row = await conn.fetchrow(SELECT_ACCOUNT_BY_ID, account_id)
    return None if row is None else _account(row)


async def lock(conn: Connection, account_id: UUID) -> Account | None:
    """The account, locked until the transaction ends."""
    row = await conn.fetchrow(LOCK_ACCOUNT, account_id)
    return None if row is None else _account(row)


async def find_all(conn: Connection) -> list[Account]:
    """All accounts by login."""
    return [_account(row) for row in await conn.fetch(SELECT_ACCOUNTS)]


async def set_attempts(conn: Connection, account_id: UUID, attempts: Attempts) -> None:
    """Store the wrong attempts in a row."""
    await conn.execute(SET_ATTEMPTS, account_id, attempts.failures, attempts.locked_until)


async def set_password(conn: Connection, account_id: UUID, hashed: str, now: datetime) -> None:
    """Store the hash of a new password."""
    await conn.execute(SET_PASSWORD, account_id, hashed, now)


async def replace_hash(conn: Connection, account_id: UUID, old: str, new: str) -> None:
    """Store another hash of the same password, unless the password has changed since."""
    await conn.execute(REPLACE_HASH, account_id, old, new)


async def set_pending_factor(conn: Connection, account_id: UUID, secret: str | None) -> None:
    """Store the secret of a second factor that is to be confirmed; None drops it."""
    await conn.execute(SET_PENDING_FACTOR, account_id, secret)


async def set_factor(
    conn: Connection, account_id: UUID, secret: str | None, step: int, now: datetime
) -> None:
    """Store the second factor and the step of its last code; None turns it off."""
    await conn.execute(SET_FACTOR, account_id, secret, step, now)


async def set_step(conn: Connection, account_id: UUID, step: int) -> None:
    """Store the step of a code that counted, and clear the wrong attempts."""
    await conn.execute(SET_STEP, account_id, step)


async def set_disabled(
    conn: Connection, account_id: UUID, disabled_at: datetime | None, now: datetime
) -> None:
    """Disable an account, or enable it again with None."""
    await conn.execute(SET_DISABLED, account_id, disabled_at, now)


async def insert_pending(
    conn: Connection, digest: bytes, account_id: UUID, expires_at: datetime
) -> None:
    """Keep a sign-in whose second factor is to come."""
    await conn.execute(INSERT_PENDING, digest, account_id, expires_at)


async def find_pending(conn: Connection, digest: bytes, now: datetime) -> UUID | None:
    """The account of a sign-in whose second factor is to come; None when there is none, or it has expired."""
    found: UUID | None = await conn.fetchval(SELECT_PENDING, digest, now)
    return found


async def drop_pending(conn: Connection, account_id: UUID) -> None:
    """Delete all sign-ins of an account that wait for a second factor."""
    await conn.execute(DELETE_PENDING, account_id)


async def forget_pending(conn: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` of those that expired before a moment; how many there were."""
    return counted(await conn.execute(DELETE_OLD_PENDING, before, limit))


def _account(row: asyncpg.Record) -> Account:
    return Account(
        row["id"],
        row["login"],
        row["name"],
        Role(row["role"]),
        row["party"],
        row["password"],
        row["totp_secret"],
        row["totp_pending"],
        row["totp_step"],
        Attempts(row["failures"], row["locked_until"]),
        row["created_at"],
        row["disabled_at"],
    )
