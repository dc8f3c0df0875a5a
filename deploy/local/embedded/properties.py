"""Files of java.util.Properties, the format of Kafka's settings: writes them escaped, reads them as Java does."""

import re
from collections.abc import Mapping
from typing import Final

NAMED: Final = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f"}
_ESCAPE: Final = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_READ: Final = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}


def properties_text(values: Mapping[str, str]) -> str:
    """Return the text of a properties file, in ASCII: Java reads such a file as Latin-1."""
    return "".join(f"{name}={escaped(value)}\n" for name, value in values.items())


def escaped(value: str) -> str:
    """Return the value escaped, so that Java reads the same characters."""
    body = "".join(_escaped(character) for character in value)
    return f"\\{body}" if body.startswith(" ") else body


def _escaped(character: str) -> str:
    if character in NAMED:
        return NAMED[character]
    if " " <= character <= "~":
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def read_property(content: bytes, name: str) -> str | None:
    """Return the value of the line `name=…`, as Java reads it; None without such a line."""
    # Not by splitlines, for which some bytes of a UTF-8 character end a line.
    for line in content.decode("latin-1").split("\n"):
        found, is_there, value = line.removesuffix("\r").partition("=")
        if is_there and found.strip() == name:
            return _unescaped(value.lstrip(" \t\f"))
    return None


def _unescaped(value: str) -> str:
    def meant(found: re.Match[str]) -> str:
        what = found[1]
        return chr(int(what[1:], 16)) if len(what) == 5 else _READ.get(what, what)

    said = _ESCAPE.sub(meant, value)
    return said.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
