"""Dead letters: stores a poison message with its raw bytes, and records an event for it."""

import hashlib
from dataclasses import replace
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog

from shared.contracts.events.dead_letters import DeadLetterRecorded, DeadLetterSettled
from shared.contracts.events.event import Actor, Event
from shared.contracts.vocabulary import Role
from shared.delivery.cloudevents import Message, Raw, Unreadable
from shared.delivery.inbox import store
from shared.delivery.inbox.store import Letter, StoredLetter
from shared.delivery.outbox.recording import Outgoing, record
from shared.observability.metrics import VERSION_CONFLICTS
from shared.observability.redaction import reason_of
from shared.runtime.database import Connection

log = structlog.get_logger()


def identity(item: Message | Unreadable) -> UUID:
    """Return the deduplication id of a record: its event's id, or one of its place when no id can be read."""
    return item.id if isinstance(item, Message) else place_id(item.raw)


def place_id(raw: Raw) -> UUID:
    """Return an id of a record's place and content: equal for a redelivery, different for a copy sent later."""
    content = hashlib.sha256(raw.value or b"").hexdigest()
    return uuid5(NAMESPACE_URL, f"{raw.topic}/{raw.partition}/{raw.offset}/{content}")


def held(message: Message, fate: str, reason: str) -> Letter:
    """Return the letter of a message that must wait (parked)."""
    return Letter(fate, reason, message.raw, message.subject, message.sequence)


def failed(letter: Letter, fault: Exception) -> Letter:
    """Return the letter of a poison message whose handler raised `fault`."""
    return replace(letter, fate="failed", reason=reason_of(fault))


NEXT_VERSION = "select coalesce(max(version), 0) + 1 from event where subject = $1"


async def _record_events(conn: Connection, stored: StoredLetter, event: Event) -> None:
    subject = str(stored.id)
    version = await conn.fetchval(NEXT_VERSION, subject)
    await record(conn, [Outgoing(subject, version, event, stored.last_failed_at)])


async def bury(conn: Connection, service: str, letter: Letter) -> StoredLetter:
    """Store a dead letter that needs an operator, and record an event on `liaison.dead-letters`."""
    stored = await store.set_aside(conn, letter)
    event = DeadLetterRecorded(
        actor=Actor(role=Role.SYSTEM, party=service),
        service=service,
        letter_id=str(stored.id),
        topic=letter.raw.topic,
        partition=letter.raw.partition,
        offset=letter.raw.offset,
        fate=letter.fate,
        reason=letter.reason,
        subject=letter.subject,
        first_failed_at=stored.first_failed_at,
        last_failed_at=stored.last_failed_at,
    )
    await _record_events(conn, stored, event)
    return stored


async def bury_conflict(conn: Connection, service: str, message: Message) -> None:
    """Store a message whose version was applied before with another event id (conflict), and raise an alarm.

    The same event again never comes so far: it is known by its id. So either this event or the one that was applied
    is not its owner's, and somebody must look which.
    """
    VERSION_CONFLICTS.labels(service, message.raw.topic).inc()
    log.error(
        "event.conflict",
        subject=message.subject,
        version=message.sequence,
        event_id=str(message.id),
        topic=message.raw.topic,
        offset=message.raw.offset,
    )
    reason = (
        f"version {message.sequence} was applied before from an event with another id: "
        "one of the two is not its owner's"
    )
    await bury(conn, service, held(message, "failed", reason))


async def close(conn: Connection, service: str, stored: StoredLetter, state: str) -> None:
    """Mark a letter as `replayed` or `discarded`, and record who requested it."""
    await store.close_letters(conn, [stored.id], state)
    event = DeadLetterSettled(
        actor=Actor(role=Role.OPERATOR, party=stored.asked_by or service),
        service=service,
        letter_id=str(stored.id),
        state=state,
        because=stored.asked_because,
    )
    await _record_events(conn, stored, event)
