"""Identifiers: time-ordered UUIDs (version 7), made at the edges only."""

import base64
import secrets
from datetime import UTC, datetime
from uuid import UUID

from uuid_utils import uuid7


def new_id() -> str:
    """A new UUID of version 7 (RFC 9562), as it is written."""
    return str(uuid7())


# The 48 bits of a version 7 UUID go to the year 10889, which no datetime holds.
_AFTER_9999 = 253_402_300_800_000


def made_at(identifier: UUID) -> datetime | None:
    """Return when a version 7 UUID was drawn, to the millisecond; None for any other, and after the year 9999."""
    milliseconds = identifier.int >> 80
    if identifier.version != 7 or milliseconds >= _AFTER_9999:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


# Crockford's base 32 in place of RFC 4648's: no letter that is mistaken for a digit when a code is read out.
_CROCKFORD = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)


_CODE_BYTES = 15
_CODE_LENGTH = 24


def new_codes(count: int) -> list[str]:
    """Codes that nobody can guess: 24 characters in groups of six, 120 bits each from the system's source.

    Drawn together: asking the system costs more than the rest.
    """
    drawn = base64.b32encode(secrets.token_bytes(_CODE_BYTES * count))
    all_of_them = drawn.translate(_CROCKFORD).decode()
    starts = range(0, len(all_of_them), _CODE_LENGTH)
    return [_grouped(all_of_them[start : start + _CODE_LENGTH]) for start in starts]


def _grouped(code: str) -> str:
    return f"{code[:6]}-{code[6:12]}-{code[12:18]}-{code[18:]}"


def spelled_code(written: str) -> str:
    """Return a code's canonical form from how a person typed it: any case, O for 0, I and L for 1."""
    plain = "".join(character for character in written.upper() if character.isalnum())
    plain = plain.translate(str.maketrans("OIL", "011"))
    return "-".join(plain[start : start + 6] for start in range(0, len(plain), 6))
