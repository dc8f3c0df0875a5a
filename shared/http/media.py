"""Media type, charset and content coding of a body; others are refused (415)."""

from collections.abc import Collection, Sequence
from typing import Final

from shared.messages.catalogue import text
from shared.runtime.errors import FieldError, Problem

JSON: Final = "application/json"
CHARSETS: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
"""Charsets of JSON; the ASCII ones are part of UTF-8."""

_EMPTY: Final = frozenset({b"", b"0"})
_UNCODED: Final = frozenset({b"", b"identity"})


class BodyForm:
    """The media types that a route accepts; without any, the route checks the type itself."""

    def __init__(self, media_types: Collection[str] = ()) -> None:
        self._media_types = frozenset(media_types)
        self._accept = ", ".join(media_types)

    def check(self, headers: Sequence[tuple[bytes, bytes]], lang: str) -> None:
        """Raises Problem 415 for a body of another type, charset or coding. A body without a type counts as JSON."""
        types = [value for name, value in headers if name == b"content-type"]
        codings = [value for name, value in headers if name == b"content-encoding"]
        if not (types or codings) or not _has_body(headers):
            return
        for coding in b",".join(codings).lower().split(b","):
            if coding.strip() not in _UNCODED:
                raise _refusal("content-encoding", "unsupported_encoding", "identity", lang)
        if self._media_types and types:
            self._check_type(types, lang)

    def _check_type(self, types: list[bytes], lang: str) -> None:
        media_type, _, parameters = types[0].decode("latin-1").partition(";")
        known = media_type.strip().lower() in self._media_types
        if len(types) > 1 or not known:
            raise _refusal("content-type", "unsupported_media_type", self._accept, lang)
        if _charset(parameters) not in CHARSETS:
            raise _refusal("content-type", "unsupported_charset", self._accept, lang)


def _has_body(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value not in _EMPTY)
        for name, value in headers
    )


def _charset(parameters: str) -> str:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return "utf-8"


def _refusal(header: str, code: str, accepted: str, lang: str) -> Problem:
    detail = text(f"problem.{code}.detail", lang, accepted=accepted)
    return Problem(
        415,
        code,
        params={"accepted": accepted},
        errors=[FieldError(f"/header/{header}", code, detail)],
        headers={"accept-encoding" if header == "content-encoding" else "accept": accepted},
    )
