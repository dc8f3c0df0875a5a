"""Makes text of any origin safe for a terminal and for a log line."""

import json
import unicodedata
from collections.abc import Callable
from typing import Any, Final

HARMLESS: Final = frozenset("\u200c\u200d")
"""Joiners, which some scripts and many emoji need."""
OBEYED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of characters that a terminal obeys or hides: controls, directions, lone surrogates, line ends."""
NAMED: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: object, *, lines: bool = False) -> str:
    """The text with control characters written as escapes (`\\x1b`); with `lines`, line ends and tabs stay."""
    said = str(text)
    if said.isprintable():
        return said
    kept = frozenset("\n\t") if lines else frozenset[str]()
    return "".join(
        character if character in kept or not is_obeyed(character) else escape(character)
        for character in said
    )


def is_obeyed(character: str) -> bool:
    """Return whether a terminal interprets the character."""
    return unicodedata.category(character) in OBEYED and character not in HARMLESS


def escape(character: str) -> str:
    """The character's code as Python writes it."""
    if character in NAMED:
        return NAMED[character]
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def json_line(
    content: object, *, ensure_ascii: bool = False, default: Callable[[Any], Any] = str
) -> str:
    """JSON on one line, with every character that a terminal obeys as an escape of JSON's own."""
    line = json.dumps(content, ensure_ascii=ensure_ascii, default=default)
    return line if line.isprintable() else "".join(map(_json_character, line))


def _json_character(character: str) -> str:
    return json.dumps(character)[1:-1] if is_obeyed(character) else character
