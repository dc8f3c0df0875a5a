"""Signs people in: by password and second factor, by a token of the tokens file, by a link that counts once."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias
from uuid import UUID

from services.desk.domain.accounts import ROLES, Account
from services.desk.domain.lockout import Attempts
from services.desk.domain.sessions import LinkState, link_state
from services.desk.handlers.attempts import CredentialCheck, Method, Result, report
from services.desk.handlers.sessions import COOKIE_BYTES, Arrival, Sessions, digest_of
from services.desk.store import accounts as store
from services.desk.store import sessions as session_store
from shared.auth.tokens import Principal, Tokens
from shared.runtime.clock import Clock
from shared.runtime.database import Database

CODE_SECONDS: Final = 300
"""For the second step of a sign-in."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an attempt comes from: `address` is the browser's, `place` what limits count it by."""

    address: str
    place: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A session was opened; `cookie` is its secret."""

    cookie: str


@dataclass(frozen=True, slots=True)
class CodeNeeded:
    """The password was right; `pending` is the secret by which the second step continues."""

    pending: str


@dataclass(frozen=True, slots=True)
class NotOpened:
    """No session: why, as far as that may be said."""

    result: Result


Outcome: TypeAlias = Opened | CodeNeeded | NotOpened


class SignIn:
    """The ways to a session."""

    def __init__(
        self, db: Database, clock: Clock, sessions: Sessions, check: CredentialCheck, tokens: Tokens
    ) -> None:
        self._db = db
        self._clock = clock
        self._sessions = sessions
        self._check = check
        self._tokens = tokens

    async def by_password(self, login: str, password: str, origin: Origin) -> Outcome:
        """Open a session, or ask for the second factor. Raises Problem 429 and 503 as `CredentialCheck.password`."""
        account = await self._check.password(login, password, origin.place)
        if account is None:
            return NotOpened(Result.WRONG)
        if account.totp_secret is None:
            async with self._db.transaction() as conn:
                await store.set_attempts(conn, account.id, Attempts())
            return await self._open_account(account, origin, Method.PASSWORD)
        pending = secrets.token_urlsafe(COOKIE_BYTES)
        expires_at = self._clock() + timedelta(seconds=CODE_SECONDS)
        async with self._db.transaction() as conn:
            await store.insert_pending(conn, digest_of(pending), account.id, expires_at)
        report(Method.PASSWORD, Result.CODE_NEEDED, account.id)
        return CodeNeeded(pending)

    async def by_code(self, pending: str, code: str, origin: Origin) -> Outcome:
        """Open the session of a sign-in whose password was right. Raises Problem 429 as `CredentialCheck.password`."""
        self._check.require_place(origin.place, Method.CODE)
        async with self._db.transaction() as conn:
            account_id = await store.find_pending(conn, digest_of(pending), self._clock())
            account = None if account_id is None else await store.lock(conn, account_id)
            if account is None or account.disabled_at is not None or account.totp_secret is None:
                report(Method.CODE, Result.EXPIRED)
                return NotOpened(Result.EXPIRED)
            if not await self._check.code(conn, account, code, origin.place):
                return NotOpened(Result.WRONG)
            await store.drop_pending(conn, account.id)
        return await self._open_account(account, origin, Method.CODE)

    async def has_pending(self, pending: str) -> bool:
        """Whether a sign-in still waits for its second factor."""
        async with self._db.reading() as conn:
            found = await store.find_pending(conn, digest_of(pending), self._clock())
        return found is not None

    async def by_token(self, token: str, origin: Origin) -> Outcome:
        """Open a session that lasts no longer than a staff token. Raises Problem 429 as `CredentialCheck.password`."""
        self._check.require_place(origin.place, Method.TOKEN)
        principal = self._tokens.principal(token)
        if principal is None or principal.role not in ROLES:
            self._check.charge_place(origin.place)
            report(Method.TOKEN, Result.WRONG)
            return NotOpened(Result.WRONG)
        digest = hashlib.sha256(token.encode()).hexdigest()
        arrival = _arrival(principal, principal.party, origin, token_sha256=digest)
        return await self._open(arrival, Method.TOKEN)

    async def by_link(self, code: str, origin: Origin) -> Outcome:
        """Open the session of a link that was not used yet. Raises Problem 429 as `CredentialCheck.password`."""
        self._check.require_place(origin.place, Method.LINK)
        digest, now = digest_of(code), self._clock()
        async with self._db.transaction() as conn:
            link = await session_store.lock_link(conn, digest)
            state = link_state(link, now)
            if state is LinkState.GOOD:
                await session_store.use_link(conn, digest, now)
        if link is None or state is LinkState.UNKNOWN:
            self._check.charge_place(origin.place)
            report(Method.LINK, Result.EXPIRED)
            return NotOpened(Result.EXPIRED)
        if state is LinkState.USED:
            report(Method.LINK, Result.USED)
            return NotOpened(Result.USED)
        principal = Principal(link.role, link.party)
        return await self._open(_arrival(principal, link.name, origin), Method.LINK)

    async def _open_account(self, account: Account, origin: Origin, method: Method) -> Opened:
        principal = Principal(account.role, account.party)
        arrival = _arrival(principal, account.name, origin, account_id=account.id)
        return await self._open(arrival, method)

    async def _open(self, arrival: Arrival, method: Method) -> Opened:
        cookie = await self._sessions.open(arrival)
        report(method, Result.DONE, arrival.account_id)
        return Opened(cookie)


def _arrival(
    principal: Principal,
    name: str,
    origin: Origin,
    account_id: UUID | None = None,
    token_sha256: str | None = None,
) -> Arrival:
    return Arrival(principal, name, origin.address, origin.user_agent, account_id, token_sha256)
