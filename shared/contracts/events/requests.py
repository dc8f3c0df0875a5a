"""What intake says on `liaison.requests` (and hears on `liaison.submissions`); no contact and no phone is in it."""

from typing import Annotated, ClassVar

from pydantic import Field

from shared.contracts import topics
from shared.contracts.events.event import Event, Instant, MatterEvent, Part
from shared.contracts.vocabulary import Channel, Kind, RequesterKind, Urgency

Satisfaction = Annotated[int, Field(ge=1, le=5)]
"""1 very dissatisfied 非常不满意 to 5 very satisfied 非常满意 (the 好差评 scale)."""


class RequesterRef(Part):
    """Who asks, without their contact. An enterprise's `id` is its unified social credit code."""

    kind: RequesterKind
    id: str
    name: str


class RequestRegistered(MatterEvent):
    """A request was taken and opens a matter of the same id."""

    TYPE: ClassVar[str] = "request.registered"
    TOPIC: ClassVar[str] = topics.REQUESTS

    request_id: str
    source: str
    source_ref: str
    channel: Channel
    kind: Kind
    category: str | None = None
    requester: RequesterRef
    summary: str
    detail: str
    location: str | None = None
    urgency: Urgency = Urgency.NORMAL
    occurred_at: Instant | None = None
    received_at: Instant
    attachments: tuple[str, ...] = ()


class FieldFault(Part):
    """One thing wrong with a submission: where (a JSON pointer), which rule, and what to do."""

    pointer: str
    code: str
    message: str


class RequestRejected(Event):
    """A submission from Kafka could not be taken; its sender finds it by (`source`, `source_ref`)."""

    TYPE: ClassVar[str] = "request.rejected"
    TOPIC: ClassVar[str] = topics.REQUESTS

    source: str
    source_ref: str
    reason: str
    faults: tuple[FieldFault, ...] = ()


class RequestAmended(MatterEvent):
    """The holder of the receipt added facts."""

    TYPE: ClassVar[str] = "request.amended"
    TOPIC: ClassVar[str] = topics.REQUESTS

    message: str


class RequestWithdrawn(MatterEvent):
    """The holder of the receipt took the request back. `issued_to` as in `return_visit.answered`."""

    TYPE: ClassVar[str] = "request.withdrawn"
    TOPIC: ClassVar[str] = topics.REQUESTS

    reason: str | None = None
    issued_to: tuple[str, ...] = ()


class ReturnVisitAnswered(MatterEvent):
    """The holder of the receipt answered the return visit; that they were reached is implied.

    `round` is the one that the holder saw. `issued_to` is the party that was given the receipt, and those that it
    speaks for; empty where it is the requester.
    """

    TYPE: ClassVar[str] = "return_visit.answered"
    TOPIC: ClassVar[str] = topics.REQUESTS

    solved: bool
    satisfaction: Satisfaction
    words: str | None = None
    round: int | None = None
    issued_to: tuple[str, ...] = ()
