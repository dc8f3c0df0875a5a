"""What each service says on `liaison.dead-letters`; the letter itself, with its raw bytes, stays in its database."""

from typing import ClassVar

from shared.contracts import topics
from shared.contracts.events.event import Event, Instant


class DeadLetterRecorded(Event):
    """A message could not be handled. `subject` is the matter that waits for it, where one could be told."""

    TYPE: ClassVar[str] = "dead_letter.recorded"
    TOPIC: ClassVar[str] = topics.DEAD_LETTERS

    service: str
    letter_id: str
    topic: str
    partition: int
    offset: int
    fate: str
    reason: str
    subject: str | None = None
    first_failed_at: Instant
    last_failed_at: Instant


class DeadLetterSettled(Event):
    """A dead letter was replayed or discarded, by whom and why."""

    TYPE: ClassVar[str] = "dead_letter.settled"
    TOPIC: ClassVar[str] = topics.DEAD_LETTERS

    service: str
    letter_id: str
    state: str
    because: str | None = None
