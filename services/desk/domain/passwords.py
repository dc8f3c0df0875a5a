"""What a login and a password may be, and how both are compared."""

import re
import unicodedata
from typing import Final

from shared.contracts.fields.folding import compact, fold, is_visible, turns_text_round

SHORTEST: Final = 12
LONGEST: Final = 128
LONGEST_LOGIN: Final = 64
# Without letters and digits that look like one another; 20 of them are 98 bits.
ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
GROUPS: Final = 4
GROUP_LENGTH: Final = 5
_LOGIN: Final = re.compile(r"[^\s\x00-\x1f\x7f]+")


def normal(password: str) -> str:
    """`password` as it is hashed: NFKC, so that the width of an input method's letters makes no difference."""
    return unicodedata.normalize("NFKC", password)


def broken_rule(password: str, login: str) -> str | None:
    """Return the rule that a new password breaks: `short`, `long` or `login`; None for a good one.

    Lengths are in characters (code points) after `normal`.
    """
    length = len(normal(password))
    if length < SHORTEST:
        return "short"
    if length > LONGEST:
        return "long"
    return "login" if compact(password) == compact(login) else None


def login_key(login: str) -> str:
    """A login for comparing: folded, without case and width."""
    return fold(login)


def is_login(login: str) -> bool:
    """Whether `login` may be one: 1 to 64 characters that can be seen, without spaces."""
    return (
        len(login) <= LONGEST_LOGIN
        and _LOGIN.fullmatch(login) is not None
        and is_visible(login)
        and not turns_text_round(login)
    )


def grouped(characters: str) -> str:
    """The characters of a generated password in groups, as it is read out and typed."""
    groups = (
        characters[start : start + GROUP_LENGTH]
        for start in range(0, len(characters), GROUP_LENGTH)
    )
    return "-".join(groups)
