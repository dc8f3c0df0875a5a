"""Intake's rules: whose a submission may be, when it is new or the same, and what a receipt's holder may still do."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from shared.contracts.vocabulary import MatterState, Role

_FINAL = frozenset(
    {MatterState.CLOSED, MatterState.MERGED, MatterState.REJECTED, MatterState.WITHDRAWN}
)


class NotTheirs(StrEnum):
    """Why a submission is not for its sender to make."""

    REQUESTER = "another_requester"
    SOURCE = "another_source"


def not_theirs(
    sender: tuple[Role, str], sources: Collection[str], requester: str, source: str
) -> NotTheirs | None:
    """What is wrong with who submits: a requester asks for itself alone, and names kept to `sources` are kept to."""
    role, party = sender
    if role is Role.REQUESTER and requester != party:
        return NotTheirs.REQUESTER
    if sources and source not in sources:
        return NotTheirs.SOURCE
    return None


def own_source(party: str, source: str) -> str:
    """What stands for a requester's `source`: nobody else's is the same, and nobody's id is in it."""
    digest = hashlib.sha256(f"{party}\0{source}".encode()).hexdigest()
    return f"urn:liaison:requester:{digest[:32]}"


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of an earlier submission of the same (source, source_ref)."""

    request_id: str
    receipt: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Registered:
    """It was taken now (`fresh`) or before, with the same content: either way this is its answer."""

    request_id: str
    receipt: str
    fresh: bool


@dataclass(frozen=True, slots=True)
class Conflicting:
    """Another content was taken under this (source, source_ref) before."""

    request_id: str


Registration: TypeAlias = Registered | Conflicting


def settle_repeat(known: Known, fingerprint: bytes) -> Registration:
    """What to answer to a submission whose (source, source_ref) is taken."""
    if known.fingerprint == fingerprint:
        return Registered(known.request_id, known.receipt, fresh=False)
    return Conflicting(known.request_id)


class RowOutcome(StrEnum):
    """What becomes of a row of an imported file; all but `pending` are final."""

    PENDING = "pending"
    TAKEN = "taken"
    REPEATED = "repeated"
    CONFLICTING = "conflicting"
    FAULTY = "faulty"


def row_outcome(became: Registration) -> RowOutcome:
    """What a row's registration makes of the row."""
    if isinstance(became, Conflicting):
        return RowOutcome.CONFLICTING
    return RowOutcome.TAKEN if became.fresh else RowOutcome.REPEATED


@dataclass(frozen=True, slots=True)
class Allowed:
    """The holder may do it."""


@dataclass(frozen=True, slots=True)
class NotNow:
    """The matter's state does not allow it; `allowed` are the states that do."""

    state: MatterState
    allowed: tuple[MatterState, ...]


Permission: TypeAlias = Allowed | NotNow


def may_add(state: MatterState) -> Permission:
    """Facts may be added, and the request taken back, until the matter is at its end."""
    allowed = tuple(candidate for candidate in MatterState if candidate not in _FINAL)
    return Allowed() if state in allowed else NotNow(state, allowed)


def may_answer_visit(state: MatterState) -> Permission:
    """The return visit is answered when the work is said to be done."""
    if state is MatterState.HANDLED:
        return Allowed()
    return NotNow(state, (MatterState.HANDLED,))


def may_see_contact(role: Role, party: str, parties: frozenset[str]) -> bool:
    """Whom to call is for coordinators and operators, and for those who have the matter in hand."""
    return role in (Role.COORDINATOR, Role.OPERATOR) or party in parties
