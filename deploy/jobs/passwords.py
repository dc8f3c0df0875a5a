"""Reads the passwords of a stack's servers, each from a file of its own."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

SHORTEST: Final = 16
"""Characters: whoever has a server's files may guess as fast as he likes."""


class WeakPassword(ValueError):
    """A password that is too short, or has characters that clients write in more than one way."""


def passwords_in(folder: Path, of: str, users: Iterable[str]) -> dict[str, str]:
    """By user, what stands in `folder/<of>_<user>`. Raises OSError, or WeakPassword with the file's name."""
    return {user: password_in(folder / f"{of}_{user}") for user in users}


def password_in(file: Path) -> str:
    """The password of a file; space around it does not count."""
    password = file.read_text("utf-8").strip()
    if len(password) < SHORTEST:
        raise WeakPassword(f"{file.name}: a password has at least {SHORTEST} characters")
    if not (password.isascii() and password.isprintable()):
        raise WeakPassword(f"{file.name}: a password has printable ASCII characters only")
    return password
