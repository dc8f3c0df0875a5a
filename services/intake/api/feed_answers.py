"""Response models of the feed."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class FeedEvent(BaseModel):
    """A CloudEvent in structured JSON, with the id and the data that it has on Kafka.

    An attribute that an event does not have is left out.
    """

    model_config = ConfigDict(extra="allow")

    specversion: Literal["1.0"]
    id: UUID
    source: str = Field(description="the service that recorded it")
    type: str = Field(examples=["liaison.matter.closed.v1"])
    time: datetime
    subject: str = Field(description="the matter's id; of a rejection an id of its own")
    sequence: str = Field(
        description="the subject's version at its source, a number from 1 without gaps"
    )
    datacontenttype: Literal["application/json"]
    causationid: str | None = None
    traceparent: str | None = None
    requestid: UUID | None = Field(
        None,
        description="the caller's request that it is about; another one than `subject` after a merge",
    )
    receipt: str | None = Field(
        None,
        description="of a registration: its receipt, where a system submitted it. Only the feed has it, no event",
    )
    excerpt: bool | None = Field(
        None,
        description="true where the matter is others' too: `data` are only what the caller's receipt shows",
    )
    data: dict[str, Any] = Field(
        description="by the JSON Schema of the type, where `excerpt` is not there"
    )


class FeedPage(BaseModel):
    """Part of a feed. `next`, given back as `cursor`, is where it goes on; it is always there."""

    items: list[FeedEvent]
    next: str = Field(examples=["AAAAAAAAAAE"])
