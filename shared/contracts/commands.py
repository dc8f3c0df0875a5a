"""Whose the commands of `liaison.commands` are, by their types."""

from collections.abc import Mapping
from typing import Final

OWNERS: Final[Mapping[str, str]] = {
    "liaison.offer.": "routing",
    "liaison.objection.": "routing",
    "liaison.matter.": "followup",
}
"""The service that answers commands whose type begins so."""

OTHERWISE: Final = "routing"


def owner_of(wire_type: str) -> str:
    """The service that answers a command of this type; of one that is nobody's, routing."""
    return next(
        (owner for prefix, owner in OWNERS.items() if wire_type.startswith(prefix)), OTHERWISE
    )


def foreign_to(service: str) -> tuple[str, ...]:
    """What the types of other services' commands begin with."""
    return tuple(prefix for prefix, owner in OWNERS.items() if owner != service)
