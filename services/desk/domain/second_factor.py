"""Codes of a second factor (TOTP, RFC 6238): six digits, a new one every 30 s, each counts once."""

import hmac
import unicodedata
from datetime import datetime
from typing import Final

import pyotp

STEP_SECONDS: Final = 30
WINDOW: Final = 1
"""Steps before and after the present one whose codes count: clocks of phones differ."""
ISSUER: Final = "Liaison"


def matching_step(secret: str, code: str, now: datetime, last_step: int) -> int | None:
    """Return the step that `code` is of, if it is later than `last_step`; None for a code that does not count.

    Spaces in the code and the width of its digits make no difference.
    """
    given = "".join(unicodedata.normalize("NFKC", code).split())
    present = int(now.timestamp()) // STEP_SECONDS
    generator = pyotp.TOTP(secret, interval=STEP_SECONDS)
    found = None
    # All of the window is compared, whatever matches: the time says nothing.
    for step in range(present - WINDOW, present + WINDOW + 1):
        expected = generator.generate_otp(step)
        if hmac.compare_digest(expected.encode(), given.encode()) and step > last_step:
            found = step if found is None else found
    return found


def enrolment_url(secret: str, login: str) -> str:
    """The `otpauth://` URL that authenticator apps read from a QR code."""
    return pyotp.TOTP(secret, interval=STEP_SECONDS).provisioning_uri(
        name=login, issuer_name=ISSUER
    )


def spaced(secret: str) -> str:
    """The secret in groups of four, for typing."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
