"""When a session of a signed-in browser ends, and when a link signs in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
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


@dataclass(frozen=True, slots=True)
class SignInLink:
    """A link that signs in as a party, once."""

    role: Role
    party: str
    name: str
    expires_at: datetime
    used_at: datetime | None = None


class LinkState(StrEnum):
    """What a link is good for."""

    GOOD = "good"
    USED = "used"
    UNKNOWN = "unknown"


def link_state(link: SignInLink | None, now: datetime) -> LinkState:
    """Return whether a link signs in. One that expired is not told from one that never was."""
    if link is None:
        return LinkState.UNKNOWN
    if link.used_at is not None:
        return LinkState.USED
    return LinkState.GOOD if now < link.expires_at else LinkState.UNKNOWN


def has_ended(session: Session, now: datetime, idle: timedelta) -> bool:
    """Whether the session is over: past its end, or unused for `idle`."""
    return now >= session.expires_at or now - session.seen_at >= idle


def is_to_be_noted(session: Session, now: datetime) -> bool:
    """Whether the use of a session is worth a write: once a minute is enough for an idle limit of minutes."""
    return now - session.seen_at >= timedelta(minutes=1)
