"""What an administrator does with accounts. Each command is one transaction of the caller's connection."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.desk.domain.accounts import Account
from services.desk.domain.lockout import Attempts
from services.desk.domain.sessions import SignInLink
from services.desk.handlers.sessions import digest_of
from services.desk.store import accounts as store
from services.desk.store import sessions as session_store
from shared.contracts.vocabulary import Role
from shared.runtime.database import Connection
from shared.runtime.ids import new_id


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account as an administrator describes it."""

    login: str
    name: str
    role: Role
    party: str


async def add(conn: Connection, wanted: NewAccount, hashed: str, now: datetime) -> bool:
    """Add an account with the hash of its password; False where its login exists, in whatever case or width."""
    account = Account(
        id=UUID(str(new_id())),
        login=wanted.login,
        name=wanted.name,
        role=wanted.role,
        party=wanted.party,
        password=hashed,
        totp_secret=None,
        totp_pending=None,
        totp_step=0,
        attempts=Attempts(),
        created_at=now,
        disabled_at=None,
    )
    return await store.insert(conn, account)


async def reset(
    conn: Connection, login: str, hashed: str, now: datetime, *, totp: bool
) -> Account | None:
    """Set a new password, end the account's sessions and its pause, with `totp` its second factor too.

    Returns the account as it was; None, with nothing changed, where there is none.
    """
    async with conn.transaction():
        account = await store.find(conn, login)
        if account is None:
            return None
        await store.set_password(conn, account.id, hashed, now)
        await store.set_attempts(conn, account.id, Attempts())
        if totp:
            await store.set_factor(conn, account.id, None, 0, now)
        await _end_everything(conn, account.id, now)
    return account


async def disable(conn: Connection, login: str, now: datetime) -> Account | None:
    """Let an account sign in no more, and end its sessions; None where there is none."""
    async with conn.transaction():
        account = await store.find(conn, login)
        if account is not None and account.disabled_at is None:
            await store.set_disabled(conn, account.id, now, now)
            await _end_everything(conn, account.id, now)
    return account


async def enable(conn: Connection, login: str, now: datetime) -> Account | None:
    """Let an account sign in again, with the password that it had; None where there is none."""
    async with conn.transaction():
        account = await store.find(conn, login)
        if account is not None:
            await store.set_disabled(conn, account.id, None, now)
            await store.set_attempts(conn, account.id, Attempts())
    return account


async def find_all(conn: Connection) -> list[Account]:
    """All accounts by login."""
    return await store.find_all(conn)


async def add_link(conn: Connection, code: str, link: SignInLink) -> None:
    """Have `code` sign in once as the party of `link`."""
    await session_store.insert_link(conn, digest_of(code), link)


async def _end_everything(conn: Connection, account_id: UUID, now: datetime) -> None:
    await session_store.end_of_account(conn, account_id, None, now)
    await store.drop_pending(conn, account_id)
