"""Errors for a caller: code, wrong fields and what to do, in the reader's language (RFC 9457)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.messages.catalogue import text


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong: where (a JSON pointer), which rule, and what to do."""

    pointer: str
    code: str
    message: str


class Problem(Exception):
    """An error response. `code` names its catalogue entries `problem.<code>.title` and `.detail`."""

    def __init__(
        self,
        status: int,
        code: str,
        *,
        params: Mapping[str, object] | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.params = params or {}
        self.errors = errors
        self.headers = headers or {}
        self.members = members or {}

    def body(self, lang: str) -> dict[str, Any]:
        """The problem document in a language."""
        document: dict[str, Any] = {
            "type": f"urn:liaison:problem:{self.code}",
            "title": text(f"problem.{self.code}.title", lang),
            "status": self.status,
            "detail": text(f"problem.{self.code}.detail", lang, **self.params),
        }
        if self.errors:
            document["errors"] = [
                {"pointer": error.pointer, "code": error.code, "detail": error.message}
                for error in self.errors
            ]
        return document | dict(self.members)


def invalid_because(errors: Sequence[FieldError]) -> Problem:
    """Return a 422 with these field errors."""
    return Problem(422, "invalid", errors=errors)


def busy(seconds: int, headers: Mapping[str, str] | None = None) -> Problem:
    """Return the 503 that asks for a retry after `seconds`; nothing was saved."""
    again = {"retry-after": str(seconds)} | dict(headers or {})
    return Problem(503, "busy", params={"seconds": seconds}, headers=again)
