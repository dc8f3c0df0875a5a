"""Rules of intake: who may submit, what is a repetition, and what a receipt's holder may still do."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias
from uuid import UUID

from shared.contracts.fields import uscc
from shared.contracts.vocabulary import MatterState, RequesterKind, Role

OWN_SOURCES: Final = "urn:liaison:requester:"
"""What the names begin with that stand for a requester's own `source`."""

_FINAL = frozenset(
    {MatterState.CLOSED, MatterState.MERGED, MatterState.REJECTED, MatterState.WITHDRAWN}
)


class NotTheirs(StrEnum):
    """Reasons why a sender may not make a submission."""

    REQUESTER = "another_requester"
    SOURCE = "another_source"


def not_theirs(
    sender: tuple[Role, str], sources: Collection[str], requester: str, source: str
) -> NotTheirs | None:
    """Return why the sender may not submit it: a requester submits only for itself, a system only under its
    `sources`.
    """
    role, party = sender
    if role is Role.REQUESTER and not _is_same(requester, party):
        return NotTheirs.REQUESTER
    if sources and source not in sources:
        return NotTheirs.SOURCE
    return None


def _is_same(requester: str, party: str) -> bool:
    """Return whether a token's party is the requester, in any spelling of an enterprise's code."""
    return requester == party or (uscc.is_valid(requester) and requester == uscc.canonical(party))


def own_source(party: str, source: str) -> str:
    """Return the source stored for a requester's submission: unique to it, without the requester's id."""
    digest = hashlib.sha256(f"{party}\0{source}".encode()).hexdigest()
    return f"{OWN_SOURCES}{digest[:32]}"


def published_name(kind: RequesterKind, name: str) -> str:
    """Return the requester's name for events: of a resident only the first character."""
    return f"{name[:1]}**" if kind is RequesterKind.RESIDENT else name


@dataclass(frozen=True, slots=True)
class Known:
    """An earlier submission of the same (source, source_ref)."""

    request_id: str
    receipt: str
    fingerprint: bytes
    submitted_by: str = ""


@dataclass(frozen=True, slots=True)
class Registered:
    """The submission is registered now (`fresh`), or was before with the same content."""

    request_id: str
    receipt: str
    fresh: bool


@dataclass(frozen=True, slots=True)
class Conflicting:
    """Conflict: other content was registered under this (source, source_ref) before."""

    request_id: str


Registration: TypeAlias = Registered | Conflicting


def decide_repeat(known: Known, fingerprint: bytes) -> Registration:
    """Decide on a submission whose (source, source_ref) exists: the same content, or a conflict."""
    if known.fingerprint == fingerprint:
        return Registered(known.request_id, known.receipt, fresh=False)
    return Conflicting(known.request_id)


class RowOutcome(StrEnum):
    """Outcomes of a row of an imported file; all but `pending` are final."""

    PENDING = "pending"
    TAKEN = "taken"
    REPEATED = "repeated"
    CONFLICTING = "conflicting"
    FAULTY = "faulty"


def row_outcome(became: Registration) -> RowOutcome:
    """Return a row's outcome from that of its registration."""
    if isinstance(became, Conflicting):
        return RowOutcome.CONFLICTING
    return RowOutcome.TAKEN if became.fresh else RowOutcome.REPEATED


@dataclass(frozen=True, slots=True)
class Allowed:
    """The holder may take the step."""


@dataclass(frozen=True, slots=True)
class NotNow:
    """The matter's state does not allow the step; `allowed` are the states that do."""

    state: MatterState
    allowed: tuple[MatterState, ...]


@dataclass(frozen=True, slots=True)
class TooLate:
    """The matter was closed and could be reopened until `until`; a new request is needed."""

    until: datetime


Permission: TypeAlias = Allowed | NotNow | TooLate


def may_add(state: MatterState) -> Permission:
    """Decide whether facts may be added or the request withdrawn: until the matter has ended."""
    allowed = tuple(candidate for candidate in MatterState if candidate not in _FINAL)
    return Allowed() if state in allowed else NotNow(state, allowed)


def may_answer_visit(
    state: MatterState, reopen_until: datetime | None = None, now: datetime | None = None
) -> Permission:
    """Decide whether the return visit may be answered: once handled, and while a closed matter can be reopened."""
    if state is MatterState.HANDLED:
        return Allowed()
    if state is MatterState.CLOSED and reopen_until is not None and now is not None:
        return Allowed() if now <= reopen_until else TooLate(reopen_until)
    return NotNow(state, (MatterState.HANDLED,))


class HolderStep(StrEnum):
    """What a receipt's holder may do with it; each is the last part of its path."""

    MESSAGES = "messages"
    ANSWER = "answer"
    WITHDRAW = "withdraw"


def holder_steps(
    state: MatterState, reopen_until: datetime | None, now: datetime
) -> tuple[HolderStep, ...]:
    """The steps that would be taken now, in the order of their definition."""
    adding = isinstance(may_add(state), Allowed)
    answering = isinstance(may_answer_visit(state, reopen_until, now), Allowed)
    allowed = {
        HolderStep.MESSAGES: adding,
        HolderStep.ANSWER: answering,
        HolderStep.WITHDRAW: adding,
    }
    return tuple(step for step in HolderStep if allowed[step])


@dataclass(frozen=True, slots=True)
class MatterSnapshot:
    """What intake knows of a matter after one of its events; None for a field that no longer applies.

    `refused_by` are the parties that declined it in this round. `reopen_until` is None while it is not closed.
    """

    state: MatterState = MatterState.RECEIVED
    round: int = 1
    next_due_at: datetime | None = None
    owner_id: str | None = None
    owner_name: str | None = None
    offered_id: str | None = None
    lead_department: str | None = None
    refused_by: tuple[str, ...] = ()
    outcome: str | None = None
    answer: str | None = None
    merged_into: UUID | None = None
    rejected_because: str | None = None
    lawful_channel: str | None = None
    reopen_until: datetime | None = None


def parties_in_hand(snapshot: MatterSnapshot, now: datetime) -> frozenset[str]:
    """Return who may call the requester now: the owner, the party of an open offer, and the lead department.

    A department that declined the matter is left out. Nobody after a rejection or a withdrawal, and after a closing
    only as long as the matter can be reopened.
    """
    if snapshot.state in (MatterState.REJECTED, MatterState.WITHDRAWN):
        return frozenset()
    if snapshot.reopen_until is not None and snapshot.reopen_until < now:
        return frozenset()
    found = {snapshot.owner_id, snapshot.offered_id}
    if snapshot.lead_department not in snapshot.refused_by:
        found.add(snapshot.lead_department)
    return frozenset(party for party in found if party)


def may_see_contact(role: Role, party: str, parties: frozenset[str]) -> bool:
    """Return whether the caller may see the contact: coordinators and operators always, parties of matters in hand."""
    return role in (Role.COORDINATOR, Role.OPERATOR) or party in parties


def feed_names(party: str, sources: Collection[str]) -> tuple[str, ...]:
    """Return the names of a system's requests in the feed: its own, and the sources of its token."""
    return tuple(sorted({party, *sources}))


def may_have_receipt(
    party: str, is_for_staff: bool, submitted: Mapping[str, Any], submitted_by: str
) -> bool:
    """Return whether a system's feed shows a request's receipt; `submitted` is the actor of the registration.

    What a system submitted is its own or its office's. Nobody's, where staff or the requester submitted it; and a
    system that speaks for staff has no receipt but those that it was given itself.
    """
    if submitted.get("role") != Role.SYSTEM:
        return False
    return submitted_by == party or not is_for_staff


EXCERPT: Final = (
    "matter_id", "state", "round", "next_due_at", "party", "owner", "text", "outcome", "answer",
    "channel", "into", "out_of", "reopen_until",
)  # fmt: skip
"""The fields of an event that a receipt shows, or that say which matter it is; the others may name other requesters."""


def is_anothers(subject: str, actor: Mapping[str, Any]) -> bool:
    """Return whether an event is a message of another request's holder, whose request was merged into the matter."""
    return actor.get("role") == Role.REQUESTER and actor.get("party") != subject


def excerpt(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of an event that a requester may see of a matter with other requesters."""
    shown = {name: data[name] for name in EXCERPT if name in data}
    actor = data.get("actor", {})
    if actor.get("role") != Role.REQUESTER:
        shown["actor"] = actor
    if data.get("state") == MatterState.REJECTED and "channel" in data:
        shown["reason"] = data.get("reason")
    return shown
