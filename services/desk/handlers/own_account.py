"""What people do with their own account and sessions: password, second factor, devices."""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

import pyotp

from services.desk.domain.accounts import Account
from services.desk.domain.passwords import broken_rule
from services.desk.domain.second_factor import matching_step
from services.desk.domain.sessions import Session
from services.desk.handlers.attempts import CredentialCheck, report_change
from services.desk.handlers.passwords import PasswordThreads
from services.desk.store import accounts as store
from services.desk.store import sessions as session_store
from shared.runtime.clock import Clock
from shared.runtime.database import Database


class Refusal(StrEnum):
    """Why nothing was changed."""

    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a word
    SHORT = "short"
    LONG = "long"
    LOGIN = "login"
    DIFFERENT = "different"
    WRONG_CODE = "wrong_code"
    NOT_BEGUN = "not_begun"


class OwnAccount:
    """The account and the sessions of whoever is signed in. `idle` is after how long an unused session ends."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        idle: timedelta,
        threads: PasswordThreads,
        check: CredentialCheck,
    ) -> None:
        self._db = db
        self._clock = clock
        self._idle = idle
        self._threads = threads
        self._check = check

    async def load(self, account_id: UUID) -> Account | None:
        """The account as it is; None when it has gone."""
        async with self._db.reading() as conn:
            return await store.load(conn, account_id)

    async def change_password(
        self, session: Session, login: str, old: str, new: str, place: str
    ) -> Refusal | None:
        """Store a new password, and end the account's other sessions.

        Returns why not, where not. Raises Problem 429 and 503 as `CredentialCheck.password`.
        """
        if rule := broken_rule(new, login):
            return Refusal(rule)
        account = await self._check.password(login, old, place)
        if account is None:
            return Refusal.WRONG_PASSWORD
        hashed, now = await self._threads.hash(new), self._clock()
        async with self._db.transaction() as conn:
            await store.set_password(conn, account.id, hashed, now)
            await store.drop_pending(conn, account.id)
            await session_store.end_of_account(conn, account.id, session.id, now)
        report_change("password", account.id)
        return None

    async def begin_factor(self, login: str, password: str, place: str) -> Refusal | None:
        """Make the secret of a second factor, which counts once a code has confirmed it."""
        account = await self._check.password(login, password, place)
        if account is None:
            return Refusal.WRONG_PASSWORD
        async with self._db.transaction() as conn:
            await store.set_pending_factor(conn, account.id, pyotp.random_base32())
        return None

    async def confirm_factor(self, account_id: UUID, code: str, session: Session) -> Refusal | None:
        """Turn the second factor on that `code` is of, and end the account's other sessions."""
        now = self._clock()
        async with self._db.transaction() as conn:
            account = await store.lock(conn, account_id)
            if account is None or account.totp_pending is None:
                return Refusal.NOT_BEGUN
            step = matching_step(account.totp_pending, code, now, 0)
            if step is None:
                return Refusal.WRONG_CODE
            await store.set_factor(conn, account_id, account.totp_pending, step, now)
            await session_store.end_of_account(conn, account_id, session.id, now)
        report_change("second_factor_on", account_id)
        return None

    async def cancel_factor(self, account_id: UUID) -> None:
        """Drop a second factor that was begun and not confirmed."""
        async with self._db.transaction() as conn:
            await store.set_pending_factor(conn, account_id, None)

    async def drop_factor(self, login: str, password: str, place: str) -> Refusal | None:
        """Turn the second factor off. Raises Problem 429 and 503 as `CredentialCheck.password`."""
        account = await self._check.password(login, password, place)
        if account is None:
            return Refusal.WRONG_PASSWORD
        async with self._db.transaction() as conn:
            await store.set_factor(conn, account.id, None, 0, self._clock())
        report_change("second_factor_off", account.id)
        return None

    async def sessions(self, session: Session) -> Sequence[Session]:
        """The running sessions of the same account or token, the newest first; `session` is among them."""
        now = self._clock()
        async with self._db.reading() as conn:
            return await session_store.find_like(conn, session, now, now - self._idle)

    async def end_session(self, session: Session, other: UUID) -> bool:
        """End one session of the same account or token; whether there was one."""
        if other not in {each.id for each in await self.sessions(session)}:
            return False
        return await self._end(session, [other]) > 0

    async def end_others(self, session: Session) -> int:
        """End all other sessions of the same account or token; how many there were."""
        others = [each.id for each in await self.sessions(session) if each.id != session.id]
        return await self._end(session, others)

    async def _end(self, session: Session, ids: Sequence[UUID]) -> int:
        async with self._db.transaction() as conn:
            ended = await session_store.end_some(conn, ids, self._clock())
        if ended and session.account_id is not None:
            report_change("sessions_ended", session.account_id)
        return ended
