"""Taking submissions: the new are registered, the repeated answered as before, the senders of others told."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.intake import domain
from services.intake.domain import Registration
from services.intake.store import requests as store
from shared.contracts.event import Actor
from shared.contracts.requests import FieldFault, RequesterRef, RequestRegistered, RequestRejected
from shared.contracts.submission import Submission
from shared.contracts.vocabulary import Role
from shared.kit.db import Connection
from shared.kit.events import Outgoing, record
from shared.kit.ids import new_codes, new_id


class Arrival(NamedTuple):
    """A valid submission on its way in, and who sent it."""

    submission: Submission
    actor: Actor
    causation_id: UUID | None = None
    traceparent: str | None = None

    @property
    def name(self) -> tuple[str, str]:
        """What names it for ever."""
        return self.submission.source, self.submission.source_ref


def fingerprint(submission: Submission) -> bytes:
    """The same for the same content, however it was spaced or ordered."""
    return hashlib.sha256(submission.__pydantic_serializer__.to_json(submission)).digest()


async def register(
    conn: Connection, arrivals: Sequence[Arrival], now: datetime
) -> list[Registration]:
    """Take submissions; what became of each, in order. A known (source, source_ref) is never taken twice."""
    fresh = [
        store.NewRequest(
            request_id,
            code,
            fingerprint(arrival.submission),
            _known_as(arrival.actor, request_id).party,
            now,
            arrival.submission,
        )
        for arrival, request_id, code in zip(
            arrivals, [new_id() for _ in arrivals], new_codes(len(arrivals)), strict=True
        )
    ]
    taken = await store.insert_requests(conn, fresh) if fresh else set()
    repeats = [
        arrival.name for arrival, new in zip(arrivals, fresh, strict=True) if new.id not in taken
    ]
    known = await store.load_known(conn, repeats) if repeats else {}
    await record(
        conn,
        [
            _registered(arrival, new)
            for arrival, new in zip(arrivals, fresh, strict=True)
            if new.id in taken
        ],
    )
    return [
        domain.Registered(new.id, new.receipt, fresh=True)
        if new.id in taken
        else domain.settle_repeat(known[arrival.name], new.fingerprint)
        for arrival, new in zip(arrivals, fresh, strict=True)
    ]


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
            kind=sent.requester.kind, id=sent.requester.id, name=sent.requester.name
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
    """A submission that cannot be taken, whose sender can be told by (source, source_ref)."""

    source: str
    source_ref: str
    reason: str
    faults: tuple[FieldFault, ...] = ()
    causation_id: UUID | None = None
    traceparent: str | None = None


async def refuse(conn: Connection, refusals: Sequence[Refusal], now: datetime) -> None:
    """Tell the senders, on `liaison.requests`, why their submissions were not taken."""
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
