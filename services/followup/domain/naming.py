"""Checks that the parties a step names are departments of the directory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from shared.contracts.vocabulary import PartyKind

Kinds: TypeAlias = Mapping[str, PartyKind]
"""What each party of the directory is, by id; those that a step does not name may be missing."""


@dataclass(frozen=True, slots=True)
class Misnamed:
    """A field of a step (JSON pointer into the body) whose party is not a department.

    `kind` is what the party is, None when the directory has no such party.
    """

    pointer: str
    party: str
    kind: PartyKind | None


def misnamed(named: Iterable[tuple[str, str]], known: Kinds | None) -> tuple[Misnamed, ...]:
    """Return the fields (pointer, party) that name no department; empty while the directory is unknown."""
    if known is None:
        return ()
    return tuple(
        Misnamed(pointer, party, known.get(party))
        for pointer, party in named
        if known.get(party) is not PartyKind.DEPARTMENT
    )
