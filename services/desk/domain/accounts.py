"""Accounts of people who sign in with a password."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.desk.domain.lockout import Attempts
from shared.contracts.vocabulary import Role

ROLES: Final = (Role.LIAISON, Role.DEPARTMENT, Role.COORDINATOR, Role.OPERATOR)
"""Roles that people sign in with. Systems have tokens, enterprises their receipts."""


@dataclass(frozen=True, slots=True)
class Account:
    """One person's account. `password` is an argon2id hash, `totp_step` the step of the last code that counted.

    `totp_pending` is a second factor that was begun and not confirmed by a code yet.
    """

    id: UUID
    login: str
    name: str
    role: Role
    party: str
    password: str | None
    totp_secret: str | None
    totp_pending: str | None
    totp_step: int
    attempts: Attempts
    created_at: datetime
    disabled_at: datetime | None
