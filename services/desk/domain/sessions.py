"""When a session of a signed-in browser ends."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.contracts.vocabulary import Role


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser: who it is, and for how long.

    `token_sha256` is the hash of the tokens-file token that it was opened with, `account_id` the account; a session by
    a link or by an issuer has neither. `expires_at` stands from the beginning, whatever the session is used for.
    """

    id: UUID
    account_id: UUID | None
    token_sha256: str | None
    role: Role
    party: str
    name: str
    address: str
    user_agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


def has_ended(session: Session, now: datetime, idle: timedelta) -> bool:
    """Whether the session is over: past its end, or unused for `idle`."""
    return now >= session.expires_at or now - session.seen_at >= idle


def is_to_be_noted(session: Session, now: datetime) -> bool:
    """Whether the use of a session is worth a write: once a minute is enough for an idle limit of minutes."""
    return now - session.seen_at >= timedelta(minutes=1)
