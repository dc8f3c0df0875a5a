"""Registers submissions: records new ones, deduplicates repeated ones (same receipt), refuses conflicts."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import NamedTuple, Protocol, TypeAlias, TypeVar
from uuid import UUID

from services.intake import domain
from services.intake.domain import Conflicting, Known, Registration
from services.intake.store import receipts
from services.intake.store import requests as store
from shared.contracts.events.event import Actor
from shared.contracts.events.requests import (
    FieldFault,
    RequesterRef,
    RequestRegistered,
    RequestRejected,
)
from shared.contracts.submission import Submission
from shared.contracts.vocabulary import Role
from shared.delivery.outbox.recording import Outgoing, record
from shared.runtime.clock import Clock
from shared.runtime.database import Connection, Database
from shared.runtime.ids import new_codes, new_id

Item = TypeVar("Item")


class Arrival(NamedTuple):
    """A valid submission with its sender.

    `for_staff`: the sender is staff or speaks for staff, and gets nobody else's receipt.
    """

    submission: Submission
    actor: Actor
    causation_id: UUID | None = None
    traceparent: str | None = None
    for_staff: bool = False

    @property
    def name(self) -> tuple[str, str]:
        """Return the permanent name: source and source_ref."""
        return self.submission.source, self.submission.source_ref


def fingerprint(submission: Submission) -> bytes:
    """Return a hash of the content that is independent of spacing and order."""
    return hashlib.sha256(submission.__pydantic_serializer__.to_json(submission)).digest()


async def collect_at_once(items: Iterable[Item]) -> list[Item]:
    """Return all of `items` as a list."""
    return list(items)


class Collect(Protocol):
    """Collects items that take time to make: at once, or in slices of the event loop's time."""

    async def __call__(self, items: Iterable[Item], /) -> list[Item]:
        """Return all of `items` as a list."""


async def register(
    conn: Connection,
    arrivals: Sequence[Arrival],
    now: datetime,
    collect: Collect = collect_at_once,
) -> list[Registration]:
    """Register submissions; return the outcome of each, in order. A (source, source_ref) is registered only once."""
    fresh = await collect(map(partial(_new, now=now), arrivals, new_codes(len(arrivals))))
    taken = await store.insert_requests(conn, fresh) if fresh else set()
    repeats = [
        arrival.name for arrival, new in zip(arrivals, fresh, strict=True) if new.id not in taken
    ]
    known = await store.load_known(conn, repeats) if repeats else {}
    if known:
        known |= await _with_own_receipts(conn, arrivals, known)
    events = await collect(
        _registered(arrival, new)
        for arrival, new in zip(arrivals, fresh, strict=True)
        if new.id in taken
    )
    await record(conn, events)
    return [
        domain.Registered(new.id, new.receipt, fresh=True)
        if new.id in taken
        else domain.decide_repeat(known[arrival.name], new.fingerprint)
        for arrival, new in zip(arrivals, fresh, strict=True)
    ]


async def register_together(
    db: Database, clock: Clock, arrivals: Sequence[Arrival]
) -> list[Registration]:
    """Register the submissions of one group commit in one transaction; return the outcome of each, in order."""
    async with db.transaction() as conn:
        return await register(conn, arrivals, clock())


def _new(arrival: Arrival, code: str, now: datetime) -> store.NewRequest:
    request_id = new_id()
    party = _known_as(arrival.actor, request_id).party
    sent = arrival.submission
    return store.NewRequest(request_id, code, fingerprint(sent), party, now, sent)


async def _with_own_receipts(
    conn: Connection, arrivals: Sequence[Arrival], known: Mapping[tuple[str, str], Known]
) -> dict[tuple[str, str], Known]:
    """Replace the receipts of repeated submissions by the sender's own where staff repeats what others sent."""
    others = {
        arrival.name: (known[arrival.name].request_id, arrival.actor.party)
        for arrival in arrivals
        if arrival.for_staff
        and arrival.name in known
        and known[arrival.name].submitted_by != arrival.actor.party
        and known[arrival.name].fingerprint == fingerprint(arrival.submission)
    }
    if not others:
        return {}
    codes = new_codes(len(others))
    found = await receipts.further_receipts(conn, dict(zip(others.values(), codes, strict=True)))
    return {name: replace(known[name], receipt=found[key]) for name, key in others.items()}


def _known_as(actor: Actor, request_id: str) -> Actor:
    # A requester is known by the request, as the receipt's holder is: a person's id here would outlive an erasure.
    return Actor(role=actor.role, party=request_id) if actor.role is Role.REQUESTER else actor


def _registered(arrival: Arrival, new: store.NewRequest) -> Outgoing:
    sent = new.submission
    event = RequestRegistered(
        matter_id=new.id,
        actor=_known_as(arrival.actor, new.id),
        request_id=new.id,
        source=sent.source,
        source_ref=sent.source_ref,
        channel=sent.channel,
        kind=sent.kind,
        category=sent.category,
        requester=RequesterRef(
            kind=sent.requester.kind,
            id=sent.requester.id,
            name=domain.published_name(sent.requester.kind, sent.requester.name),
        ),
        summary=sent.summary,
        detail=sent.detail,
        location=sent.location,
        urgency=sent.urgency,
        occurred_at=sent.occurred_at,
        received_at=new.received_at,
        attachments=tuple([str(item.url) for item in sent.attachments]),
    )
    return Outgoing(new.id, 1, event, new.received_at, arrival.causation_id, arrival.traceparent)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused submission whose sender is known by (source, source_ref)."""

    source: str
    source_ref: str
    reason: str
    faults: tuple[FieldFault, ...] = ()
    causation_id: UUID | None = None
    traceparent: str | None = None


async def refuse(conn: Connection, refusals: Sequence[Refusal], now: datetime) -> None:
    """Record a `request.rejected` event for each refused submission."""
    await record(conn, [_rejected(refusal, now) for refusal in refusals])


def _rejected(refusal: Refusal, now: datetime) -> Outgoing:
    event = RequestRejected(
        actor=Actor(role=Role.SYSTEM, party="urn:liaison:intake"),
        source=refusal.source,
        source_ref=refusal.source_ref,
        reason=refusal.reason,
        faults=refusal.faults,
    )
    return Outgoing(new_id(), 1, event, now, refusal.causation_id, refusal.traceparent)


Submitted: TypeAlias = Arrival | Refusal


async def register_submitted(conn: Connection, items: Sequence[Submitted], now: datetime) -> None:
    """Register the valid submissions; record rejections for the others and for conflicts."""
    arrivals = [item for item in items if isinstance(item, Arrival)]
    refusals = [item for item in items if isinstance(item, Refusal)]
    refusals += [
        Refusal(*arrival.name, "conflict", (), arrival.causation_id, arrival.traceparent)
        for arrival, outcome in zip(arrivals, await register(conn, arrivals, now), strict=True)
        if isinstance(outcome, Conflicting)
    ]
    if refusals:
        await refuse(conn, refusals, now)
