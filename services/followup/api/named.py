"""Filters that name parties: an unknown party is refused by name, since it would match nothing."""

from collections.abc import Mapping

from services.followup.store.parties import load_kinds
from shared.contracts.vocabulary import PartyKind
from shared.messages.catalogue import text
from shared.runtime.database import Connection
from shared.runtime.errors import FieldError, invalid_because


async def check_parties(conn: Connection, named: Mapping[str, str | None], lang: str) -> None:
    """Check that the parties in query parameters exist; `department` accepts only departments.

    Raises Problem 422; nothing is refused while the directory has not been heard.
    """
    given = {name: party for name, party in named.items() if party is not None}
    known = await load_kinds(conn, given.values()) if given else None
    if known is None:
        return
    errors = [
        FieldError(f"/query/{name}", code, text(f"field.{code}", lang, party=party))
        for name, party in given.items()
        if (code := _fault(name, known.get(party)))
    ]
    if errors:
        raise invalid_because(errors)


def _fault(name: str, kind: PartyKind | None) -> str:
    if kind is None:
        return "unknown_party"
    return "not_a_department" if name == "department" and kind is not PartyKind.DEPARTMENT else ""
