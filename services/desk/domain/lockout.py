"""How long an account rests after wrong passwords and codes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

FREE_FAILURES: Final = 4
"""Wrong attempts in a row without a pause; the next one begins the first pause."""
FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=1)
FORGOTTEN_AFTER: Final = timedelta(hours=24)
"""After the end of a pause; the pauses then grow from the first one again."""
_MOST_DOUBLINGS: Final = 6


class Verdict(StrEnum):
    """What an attempt came to. `locked` says nothing about the password."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Attempts:
    """Wrong attempts in a row, and until when the account rests."""

    failures: int = 0
    locked_until: datetime | None = None


def judge(attempts: Attempts, is_right: bool, now: datetime) -> tuple[Verdict, Attempts]:
    """Return what an attempt at `now` came to, and the attempts after it.

    During a pause an attempt counts for nothing, right or wrong. A right one leaves the count: it is cleared once
    the sign-in is complete, or the first step of two would clear it for guesses at the second.
    """
    if attempts.locked_until is not None and now < attempts.locked_until:
        return Verdict.LOCKED, attempts
    if is_right:
        return Verdict.RIGHT, attempts
    failures = 1 + (0 if _is_forgotten(attempts, now) else attempts.failures)
    if failures <= FREE_FAILURES:
        return Verdict.WRONG, Attempts(failures)
    return Verdict.WRONG, Attempts(failures, now + pause_after(failures))


def pause_after(failures: int) -> timedelta:
    """The pause that the last of `failures` wrong attempts begins; each is twice the one before, 1 hour at most."""
    if failures <= FREE_FAILURES:
        return timedelta()
    doublings = min(failures - FREE_FAILURES - 1, _MOST_DOUBLINGS)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def _is_forgotten(attempts: Attempts, now: datetime) -> bool:
    return attempts.locked_until is not None and now - attempts.locked_until >= FORGOTTEN_AFTER
