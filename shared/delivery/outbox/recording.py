"""The transactional outbox: records events in the transaction that changes the state."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.contracts.events.event import Event
from shared.delivery.cloudevents import MAX_NAME_LENGTH, MAX_VALUE_BYTES
from shared.runtime.database import Connection
from shared.runtime.ids import new_id

# The rows of one subject keep their order: `seq` is drawn in the order of the arrays, under its row's lock.
INSERT_EVENTS = """
with recorded as (
    insert into event (id, subject, version, type, topic, at, causation_id, traceparent, data)
    select given.id, given.subject, given.version, given.type, given.topic, given.at,
           given.causation_id, given.traceparent, given.data
    from unnest($1::new_event[]) with ordinality
         as given (id, subject, version, type, topic, at, causation_id, traceparent, data, place)
    order by given.place
    returning seq
)
insert into outbox (seq) select seq from recorded"""


class Outgoing(NamedTuple):
    """An event to record: `version` is the subject's, counted by this service from 1 without gaps."""

    subject: str
    version: int
    event: Event
    at: datetime
    causation_id: UUID | None = None
    traceparent: str | None = None


class EventTooLarge(ValueError):
    """An event above the size limit: it is refused before it is recorded, since Kafka's refusal would stop the
    relay.
    """


async def record(conn: Connection, outgoing: Sequence[Outgoing]) -> list[str]:
    """Append events and mark them for the relay, in the caller's transaction and in one statement.

    The rows of their subjects must be locked by the caller. Returns the events' ids in order.
    Raises asyncpg.UniqueViolationError (event_subject_version) when a version was recorded before, EventTooLarge
    when an event's data has more than 1 MiB as JSON or its subject more than 200 characters.
    """
    if not outgoing:
        return []
    ids = [new_id() for _ in outgoing]
    await conn.execute(INSERT_EVENTS, list(map(_row, ids, outgoing)))
    return ids


def _row(event_id: str, item: Outgoing) -> tuple[object, ...]:
    """Return the columns of `new_event`, in order."""
    return (
        event_id,
        item.subject,
        item.version,
        item.event.wire_type(),
        item.event.TOPIC,
        item.at,
        item.causation_id,
        item.traceparent,
        _written(item),
    )


def _written(item: Outgoing) -> str:
    # As `model_dump_json` does it, without decoding what is only counted.
    data = item.event.__pydantic_serializer__.to_json(item.event)
    if len(data) > MAX_VALUE_BYTES:
        raise EventTooLarge(f"{item.event.wire_type()} has more than {MAX_VALUE_BYTES} bytes")
    if len(item.subject) > MAX_NAME_LENGTH or len(item.traceparent or "") > MAX_NAME_LENGTH:
        raise EventTooLarge(f"{item.event.wire_type()} has a subject or a trace that is too long")
    return data.decode()
