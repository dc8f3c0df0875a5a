"""Opens, finds and ends the sessions of signed-in browsers."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from services.desk.domain.sessions import Session, has_ended, is_to_be_noted
from services.desk.store import sessions as store
from shared.auth.tokens import Principal
from shared.runtime.clock import Clock
from shared.runtime.database import Database
from shared.runtime.ids import new_id

LONGEST_AGENT: Final = 300
COOKIE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who signs in, by which account or token, and from where."""

    principal: Principal
    name: str
    address: str
    user_agent: str
    account_id: UUID | None = None
    token_sha256: str | None = None


class Sessions:
    """The sessions of the desk. `knows_token` says whether the tokens file still has a token of this SHA-256."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        life: timedelta,
        idle: timedelta,
        knows_token: Callable[[str], Principal | None],
    ) -> None:
        self._db = db
        self._clock = clock
        self._life = life
        self._idle = idle
        self._knows_token = knows_token

    @property
    def life(self) -> timedelta:
        """After which a session ends, however much it is used."""
        return self._life

    async def open(self, arrival: Arrival) -> str:
        """Open a session; return the cookie's value, of which only the SHA-256 is kept."""
        cookie, now = secrets.token_urlsafe(COOKIE_BYTES), self._clock()
        session = Session(
            UUID(str(new_id())),
            arrival.account_id,
            arrival.token_sha256,
            arrival.principal.role,
            arrival.principal.party,
            arrival.name,
            arrival.address,
            arrival.user_agent[:LONGEST_AGENT],
            now,
            now,
            now + self._life,
        )
        async with self._db.transaction() as conn:
            await store.insert(conn, digest_of(cookie), session)
        return cookie

    async def find(self, cookie: str) -> Session | None:
        """The session of a cookie, if it goes on: it has not ended, nor has the account or token that opened it."""
        digest, now = digest_of(cookie), self._clock()
        async with self._db.reading() as conn:
            session = await store.find(conn, digest)
            if session is None or has_ended(session, now, self._idle):
                return None
            if session.token_sha256 and not self._is_of_token(session):
                return None
            if is_to_be_noted(session, now):
                await store.note_use(conn, digest, now)
        return session

    def _is_of_token(self, session: Session) -> bool:
        found = self._knows_token(session.token_sha256 or "")
        return found == Principal(session.role, session.party)

    async def end(self, cookie: str) -> None:
        """End the session of a cookie, if there is one."""
        async with self._db.transaction() as conn:
            await store.end(conn, digest_of(cookie), self._clock())


def digest_of(cookie: str) -> bytes:
    """The SHA-256 under which a session or a link is kept."""
    return hashlib.sha256(cookie.encode("utf-8", "replace")).digest()
