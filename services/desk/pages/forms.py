"""Forms as browsers send them (application/x-www-form-urlencoded), within limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from fastapi import Request

from shared.runtime.errors import Problem

LARGEST: Final = 64 * 1024
MOST_FIELDS: Final = 500

_FORM: Final = "liaison.form"


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

    def all(self, name: str) -> Sequence[str]:
        """Every value of a field, in order."""
        return self.fields.get(name, ())


async def read_form(request: Request) -> TypedForm:
    """The form of a request, read once.

    Raises Problem 413 above 64 KiB, 400 for what is no form, 422 for U+0000.
    """
    if _FORM not in request.scope:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST:
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
