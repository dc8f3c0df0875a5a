"""What a receipt's holder sees and does; each step is one transaction and one event."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake import domain
from services.intake.domain import NotNow
from services.intake.store import receipts as store
from shared.contracts.event import Actor, MatterEvent
from shared.contracts.requests import RequestAmended, RequestWithdrawn, ReturnVisitAnswered
from shared.contracts.vocabulary import Role
from shared.kit.db import Connection
from shared.kit.events import Outgoing, record


@dataclass(frozen=True, slots=True)
class Standing:
    """What the holder may know: the request, and what happened with it."""

    held: store.Held
    entries: Sequence[store.Entry]


async def standing(conn: Connection, receipt: str) -> Standing | None:
    """How it stands with a receipt; None when there is no such receipt."""
    held = await store.load_held(conn, receipt)
    return None if held is None else Standing(held, await store.load_timeline(conn, held.id))


@dataclass(frozen=True, slots=True)
class Call:
    """When the holder takes a step, and the traceparent of what follows from it."""

    at: datetime
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """No request has this receipt."""


@dataclass(frozen=True, slots=True)
class Done:
    """The holder's step was taken; `version` counts intake's events of the request."""

    request_id: str
    version: int


async def add_message(
    conn: Connection, receipt: str, message: str, call: Call
) -> Done | NotNow | Missing:
    """The holder adds facts."""
    held = await store.lock_held(conn, receipt)
    if held is None:
        return Missing()
    event = RequestAmended(matter_id=str(held.id), actor=_holder(held), message=message)
    return await _step(conn, held, domain.may_add(held.state), event, call)


async def withdraw(
    conn: Connection, receipt: str, reason: str | None, call: Call
) -> Done | NotNow | Missing:
    """The holder takes the request back."""
    held = await store.lock_held(conn, receipt)
    if held is None:
        return Missing()
    event = RequestWithdrawn(matter_id=str(held.id), actor=_holder(held), reason=reason)
    return await _step(conn, held, domain.may_add(held.state), event, call)


@dataclass(frozen=True, slots=True)
class VisitAnswer:
    """What the holder says of the work: was it solved, how satisfied (1-5), and in which words."""

    solved: bool
    satisfaction: int
    words: str | None


async def answer_visit(
    conn: Connection, receipt: str, answer: VisitAnswer, call: Call
) -> Done | NotNow | Missing:
    """The holder answers the return visit."""
    held = await store.lock_held(conn, receipt)
    if held is None:
        return Missing()
    event = ReturnVisitAnswered(
        matter_id=str(held.id),
        actor=_holder(held),
        solved=answer.solved,
        satisfaction=answer.satisfaction,
        words=answer.words,
    )
    return await _step(conn, held, domain.may_answer_visit(held.state), event, call)


def _holder(held: store.Held) -> Actor:
    return Actor(role=Role.REQUESTER, party=str(held.id))


async def _step(
    conn: Connection,
    held: store.Held,
    permission: domain.Permission,
    event: MatterEvent,
    call: Call,
) -> Done | NotNow:
    if isinstance(permission, NotNow):
        return permission
    version = held.version + 1
    await store.advance(conn, held.id, version)
    told = Outgoing(str(held.id), version, event, call.at, traceparent=call.traceparent)
    await record(conn, [told])
    return Done(str(held.id), version)


async def full_request(
    conn: Connection, request_id: UUID, role: Role, party: str
) -> dict[str, object] | None:
    """A request with its contact; None when there is none, or it is not this party's to see."""
    full = await store.load_full(conn, request_id)
    if full is None or not domain.may_see_contact(role, party, full.parties):
        return None
    return full.document
