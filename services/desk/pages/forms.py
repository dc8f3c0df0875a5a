"""Forms as browsers send them (application/x-www-form-urlencoded), within limits."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from fastapi import Request

from shared.runtime.errors import Problem

LARGEST: Final = 384 * 1024
"""Three texts of 10,000 characters, as a milestone may have: a form has up to 12 bytes for a character."""
MOST_FIELDS: Final = 500

_FORM: Final = "liaison.form"
_KEY: Final = re.compile(r"[!-~]{1,100}")
_VERSION: Final = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class TypedForm:
    """What was typed, by the name of the field."""

    fields: Mapping[str, Sequence[str]]

    def one(self, name: str) -> str:
        """The first value of a field without space around it; empty where it was left empty or is not there."""
        return next(iter(self.fields.get(name, ())), "").strip()

    def typed(self, name: str) -> str:
        """The same with the space around it, which counts in a password."""
        return next(iter(self.fields.get(name, ())), "")

    @property
    def key(self) -> str | None:
        """What makes a second sending the same step; None for one that no page of ours has made."""
        key = self.one("key")
        return key if _KEY.fullmatch(key) else None

    @property
    def version(self) -> int | None:
        """The version of the matter that the form was filled in on; None for what is no such number."""
        version = self.one("version")
        return int(version) if _VERSION.fullmatch(version) else None

    def all(self, name: str) -> Sequence[str]:
        """Every value of a field, in order."""
        return self.fields.get(name, ())


async def read_body(request: Request, largest: int) -> bytes | None:
    """The body of a request; None, with the rest unread, for one of more than `largest` bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            return None
    return bytes(body)


async def read_form(request: Request) -> TypedForm:
    """The form of a request, read once.

    Raises Problem 413 above 384 KiB, 400 for what is no form, 422 for U+0000.
    """
    if _FORM not in request.scope:
        body = await read_body(request, LARGEST)
        if body is None:
            raise Problem(413, "too_large", params={"limit": LARGEST})
        try:
            fields = parse_qs(
                body.decode("utf-8"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=MOST_FIELDS,
            )
        except ValueError as fault:
            raise Problem(400, "unreadable_body") from fault
        if any("\0" in value for values in fields.values() for value in values):
            raise Problem(422, "unstorable_text")
        request.scope[_FORM] = TypedForm(fields)
    form: TypedForm = request.scope[_FORM]
    return form
