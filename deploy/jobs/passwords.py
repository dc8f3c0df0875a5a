"""Reads the passwords of a stack's servers, one file each."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

SHORTEST: Final = 16
"""Characters: whoever has a server's files may guess as fast as he likes."""


class WeakPassword(ValueError):
    """A password that is too short or has characters that clients encode differently."""


def passwords_in(folder: Path, of: str, users: Iterable[str]) -> dict[str, str]:
    """Return the passwords in the files `folder/<of>_<user>` by user. Raises OSError, or WeakPassword naming the
    file.
    """
    return {user: password_in(folder / f"{of}_{user}") for user in users}


def password_in(file: Path) -> str:
    """Return the password in a file, stripped of surrounding space."""
    password = file.read_text("utf-8").strip()
    if len(password) < SHORTEST:
        raise WeakPassword(f"{file.name}: a password has at least {SHORTEST} characters")
    if not (password.isascii() and password.isprintable()):
        raise WeakPassword(f"{file.name}: a password has printable ASCII characters only")
    return password
