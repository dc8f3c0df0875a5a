"""Checks passwords and codes against an account: counts wrong ones, rests the account, reports each attempt."""

from enum import StrEnum
from typing import Final
from uuid import UUID

import structlog

from services.desk.domain.accounts import Account
from services.desk.domain.lockout import Verdict, judge
from services.desk.domain.second_factor import matching_step
from services.desk.handlers.passwords import PasswordThreads
from services.desk.store import accounts as store
from shared.auth.rate_limiter import RateLimiter
from shared.observability.metrics import ACCOUNT_CHANGES, SIGN_INS
from shared.runtime.clock import Clock
from shared.runtime.database import Connection, Database
from shared.runtime.errors import Problem

log = structlog.get_logger()

SERVICE: Final = "desk"


class Method(StrEnum):
    """By what somebody signs in."""

    PASSWORD = "password"  # noqa: S105 - a word
    CODE = "code"
    TOKEN = "token"  # noqa: S105 - a word
    LINK = "link"


class Result(StrEnum):
    """What an attempt came to. `code_needed`: the password was right, the second factor is to come."""

    DONE = "done"
    CODE_NEEDED = "code_needed"
    WRONG = "wrong"
    LOCKED = "locked"
    EXPIRED = "expired"
    USED = "used"
    LIMITED = "limited"


CHANGES: Final = ("password", "second_factor_on", "second_factor_off", "sessions_ended")

for _method in Method:
    for _result in Result:
        SIGN_INS.labels(SERVICE, _method.value, _result.value)
for _change in CHANGES:
    # What is 0 from the beginning can be told from what is not counted.
    ACCOUNT_CHANGES.labels(SERVICE, _change)


def report(method: Method, result: Result, account_id: UUID | None = None) -> None:
    """Log and count an attempt; without the login, the name or anything of the secret."""
    SIGN_INS.labels(SERVICE, method.value, result.value).inc()
    named = {} if account_id is None else {"account": str(account_id)}
    log.info("desk.sign_in", method=method.value, result=result.value, **named)


def report_change(change: str, account_id: UUID) -> None:
    """Log and count a change of somebody's own account."""
    ACCOUNT_CHANGES.labels(SERVICE, change).inc()
    log.info("desk.account_changed", change=change, account=str(account_id))


class CredentialCheck:
    """Checks the secrets of accounts. Wrong ones count for the account and for the address that they come from."""

    def __init__(
        self, db: Database, clock: Clock, threads: PasswordThreads, wrong: RateLimiter
    ) -> None:
        self._db = db
        self._clock = clock
        self._threads = threads
        self._wrong = wrong

    def require_place(self, place: str, method: Method) -> None:
        """Raises Problem 429 for an address with too many wrong attempts, whatever this one would be."""
        try:
            self._wrong.require(place)
        except Problem:
            report(method, Result.LIMITED)
            raise

    def charge_place(self, place: str) -> None:
        """Count a wrong attempt of an address."""
        self._wrong.charge(place)

    async def password(self, login: str, password: str, place: str) -> Account | None:
        """Return the account whose login and password these are; None for any others.

        None stands for a login that does not exist, a wrong password, a disabled account and one that rests, after the
        same time. Raises Problem 429 for an address with too many wrong attempts, 503 when too many attempts wait.
        """
        self.require_place(place, Method.PASSWORD)
        async with self._db.reading() as conn:
            found = await store.find(conn, login)
        usable = found is not None and found.disabled_at is None
        hashed = found.password if found is not None and usable else None
        is_right = await self._threads.is_right(hashed, password)
        verdict, account = Verdict.WRONG, None
        if found is not None and usable:
            verdict, account = await self._judge(found.id, is_right)
        if verdict is not Verdict.RIGHT:
            self.charge_place(place)
            locked = verdict is Verdict.LOCKED
            report(
                Method.PASSWORD,
                Result.LOCKED if locked else Result.WRONG,
                found.id if found else None,
            )
            return None
        if account is not None and account.password and account.password == hashed:
            await self._renew_hash(account, password)
        return account

    async def code(self, conn: Connection, account: Account, code: str, place: str) -> bool:
        """Whether `code` is the account's second factor now; it counts once. `account` is locked in `conn`."""
        now = self._clock()
        step = matching_step(account.totp_secret or "", code, now, account.totp_step)
        verdict, attempts = judge(account.attempts, step is not None, now)
        if verdict is Verdict.RIGHT and step is not None:
            await store.set_step(conn, account.id, step)
            return True
        await store.set_attempts(conn, account.id, attempts)
        self.charge_place(place)
        locked = verdict is Verdict.LOCKED
        report(Method.CODE, Result.LOCKED if locked else Result.WRONG, account.id)
        return False

    async def _judge(self, account_id: UUID, is_right: bool) -> tuple[Verdict, Account | None]:
        """Count the attempt where the account stands now: others may have been counted while this one was hashed."""
        async with self._db.transaction() as conn:
            account = await store.lock(conn, account_id)
            if account is None or account.disabled_at is not None:
                return Verdict.WRONG, None
            verdict, attempts = judge(account.attempts, is_right, self._clock())
            if attempts != account.attempts:
                await store.set_attempts(conn, account_id, attempts)
        if attempts.locked_until is not None and verdict is Verdict.WRONG:
            log.warning("desk.account_rests", account=str(account_id), failures=attempts.failures)
        return verdict, account

    async def _renew_hash(self, account: Account, password: str) -> None:
        """Hash a right password anew where the parameters have changed since."""
        old = account.password or ""
        if not self._threads.is_outdated(old):
            return
        new = await self._threads.hash(password)
        async with self._db.transaction() as conn:
            await store.replace_hash(conn, account.id, old, new)
