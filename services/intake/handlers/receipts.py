"""Steps of a receipt's holder; each is one transaction and one event."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias
from uuid import UUID

from services.intake import domain
from services.intake.domain import MatterSnapshot, NotNow, TooLate
from services.intake.store import receipts as store
from shared.contracts.events.amending import MatterAmended
from shared.contracts.events.event import Actor, MatterEvent
from shared.contracts.events.matters import MatterMerged, MatterOpened
from shared.contracts.events.requests import RequestAmended, RequestWithdrawn, ReturnVisitAnswered
from shared.contracts.vocabulary import Role
from shared.delivery.outbox.recording import Outgoing, record
from shared.runtime.database import Connection
from shared.runtime.ids import new_codes

MOST_MERGES: Final = 20


@dataclass(frozen=True, slots=True)
class ReceiptDetails:
    """What the holder may see: the request, the matter in which it is followed now, and the timeline.

    `merged_into` is that matter's id where it is another request's.
    """

    held: store.HeldReceipt
    matter: MatterSnapshot
    merged_into: UUID | None
    entries: Sequence[store.TimelineLine]


async def load_status(conn: Connection, receipt: str) -> ReceiptDetails | None:
    """Return the status of a receipt; None when there is no such receipt."""
    held = await store.load_held(conn, receipt)
    if held is None:
        return None
    path = await _followed(conn, held.id)
    entries = await store.load_timeline(conn, held.id)
    merged_at = _merged_at(entries)
    for matter_id, _ in path[1:]:
        further = await store.load_timeline(conn, matter_id)
        entries += [entry for entry in further if entry.at >= merged_at and _concerns_all(entry)]
        merged_at = _merged_at(further)
    entries.sort(key=lambda entry: entry.at)
    last_id, matter = path[-1]
    return ReceiptDetails(held, matter, last_id if len(path) > 1 else None, entries)


async def _followed(conn: Connection, request_id: UUID) -> list[tuple[UUID, MatterSnapshot]]:
    """Return the request's own matter, then the one it was merged into, and so on to the last."""
    path: list[tuple[UUID, MatterSnapshot]] = []
    following: UUID | None = request_id
    while following is not None and len(path) <= MOST_MERGES:
        known = await store.load_snapshots(conn, [following])
        path.append((following, known.get(following, MatterSnapshot())))
        following = path[-1][1].merged_into
        if following in [passed for passed, _ in path]:
            break
    return path


def _merged_at(entries: Sequence[store.TimelineLine]) -> datetime:
    """Return when a request was last merged."""
    merged = [entry.at for entry in entries if entry.type == MatterMerged.TYPE]
    return max(merged, default=datetime.max.replace(tzinfo=UTC))


def _concerns_all(entry: store.TimelineLine) -> bool:
    # What another holder added, and that their request was registered, is theirs.
    return entry.type not in (MatterAmended.TYPE, MatterOpened.TYPE)


def _nobody(source: str) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Call:
    """A holder's step: its time, and the traceparent of its events.

    `spoken_for` tells the parties that a system speaks for.
    """

    at: datetime
    traceparent: str | None = None
    spoken_for: Callable[[str], Sequence[str]] = _nobody


@dataclass(frozen=True, slots=True)
class Missing:
    """No request has this receipt."""


@dataclass(frozen=True, slots=True)
class Done:
    """The step was recorded; `version` counts intake's events of the request."""

    request_id: str
    version: int


Outcome: TypeAlias = Done | NotNow | TooLate | Missing


async def add_message(conn: Connection, receipt: str, message: str, call: Call) -> Outcome:
    """Record facts that the holder adds."""
    held = await store.lock_held(conn, receipt)
    if held is None:
        return Missing()
    _, matter = (await _followed(conn, held.id))[-1]
    event = RequestAmended(matter_id=str(held.id), actor=_holder(held), message=message)
    return await _step(conn, held, domain.may_add(matter.state), event, call)


async def withdraw(conn: Connection, receipt: str, reason: str | None, call: Call) -> Outcome:
    """Withdraw the request; if it was merged, the other requests go on."""
    held = await store.lock_held(conn, receipt)
    if held is None:
        return Missing()
    _, matter = (await _followed(conn, held.id))[-1]
    event = RequestWithdrawn(
        matter_id=str(held.id),
        actor=_holder(held),
        reason=reason,
        issued_to=_issued_to(held, call),
    )
    return await _step(conn, held, domain.may_add(matter.state), event, call)


@dataclass(frozen=True, slots=True)
class VisitAnswer:
    """The holder's answer: whether it is solved, the satisfaction (1-5), and words."""

    solved: bool
    satisfaction: int
    words: str | None


async def answer_visit(conn: Connection, receipt: str, answer: VisitAnswer, call: Call) -> Outcome:
    """Record the holder's answer to the return visit of the matter in which the request is followed."""
    held = await store.lock_held(conn, receipt)
    if held is None:
        return Missing()
    _, matter = (await _followed(conn, held.id))[-1]
    event = ReturnVisitAnswered(
        matter_id=str(held.id),
        actor=_holder(held),
        solved=answer.solved,
        satisfaction=answer.satisfaction,
        words=answer.words,
        round=matter.round,
        issued_to=_issued_to(held, call),
    )
    permission = domain.may_answer_visit(matter.state, matter.reopen_until, call.at)
    return await _step(conn, held, permission, event, call)


def _issued_to(held: store.HeldReceipt, call: Call) -> tuple[str, ...]:
    if held.issued_to == str(held.id):
        return ()
    return (held.issued_to, *call.spoken_for(held.issued_to))


def _holder(held: store.HeldReceipt) -> Actor:
    return Actor(role=Role.REQUESTER, party=str(held.id))


async def _step(
    conn: Connection,
    held: store.HeldReceipt,
    permission: domain.Permission,
    event: MatterEvent,
    call: Call,
) -> Done | NotNow | TooLate:
    if not isinstance(permission, domain.Allowed):
        return permission
    version = held.version + 1
    await store.advance(conn, held.id, version)
    told = Outgoing(str(held.id), version, event, call.at, traceparent=call.traceparent)
    await record(conn, [told])
    return Done(str(held.id), version)


async def own_receipt(conn: Connection, request_id: UUID, caller: tuple[Role, str]) -> str | None:
    """Return the caller's own receipt of a request, creating it if needed; None when the request is not the caller's.

    A requester has one for each of its requests, whoever submitted it; a coordinator for any.
    """
    role, party = caller
    issued = await store.load_issued(conn, request_id)
    if issued is None or (role is Role.REQUESTER and issued.requester_id != party):
        return None
    # As everywhere a requester is known by the request: a person's id would outlive an erasure.
    known_as = str(request_id) if role is Role.REQUESTER else party
    if issued.issued_to == known_as:
        return issued.receipt
    key = (str(request_id), known_as)
    return (await store.further_receipts(conn, {key: new_codes(1)[0]}))[key]


async def full_request(
    conn: Connection, request_id: UUID, caller: tuple[Role, str], now: datetime
) -> dict[str, object] | None:
    """Return a request with its contact; None when there is none, or this party may not see it."""
    document = await store.load_full(conn, request_id)
    _, matter = (await _followed(conn, request_id))[-1]
    if not domain.may_see_contact(*caller, domain.parties_in_hand(matter, now)):
        return None
    return document
