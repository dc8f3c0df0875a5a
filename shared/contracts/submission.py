"""A submission as other systems send it, over HTTP or Kafka alike: one model, unknown fields refused."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, ValidationInfo, field_validator

from shared.contracts.fields.types import (
    VISIBLE,
    CategoryPath,
    Line,
    LongWords,
    Moment,
    Name,
    Phone,
    SourceUri,
    enterprise_code,
    sized,
    straight,
)
from shared.contracts.vocabulary import Channel, Kind, RequesterKind, Urgency


class _StrictBody(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Contact(_StrictBody):
    """Whom to call. It stays in intake: no event carries it."""

    name: Name
    phone: Phone


class Requester(_StrictBody):
    """Who asks. An enterprise's `id` is its unified social credit code (18 characters, GB 32100-2015).

    However it is written, in small letters, with spaces or full-width, the code is kept in its one form.
    """

    kind: RequesterKind
    id: Annotated[str, sized(100), VISIBLE]
    name: Name
    contact: Contact | None = None

    @field_validator("id")
    @classmethod
    def _code_of_enterprise(cls, found: str, info: ValidationInfo) -> str:
        # What Windows puts around a code that is copied is no part of it; another id is kept as it was written.
        is_enterprise = info.data.get("kind") is RequesterKind.ENTERPRISE
        return enterprise_code(found) if is_enterprise else straight(found)


class Attachment(_StrictBody):
    """A file kept elsewhere: where it is and what it is called."""

    url: HttpUrl
    name: Name


class Submission(_StrictBody):
    """One request as sent. (`source`, `source_ref`) names it for ever: sent twice it is one request.

    `summary` has 1-200 characters, `detail` 1-10,000, at most 20 attachments; `category` is a path of up to five
    names joined by `/`.
    """

    source: SourceUri
    source_ref: Line
    channel: Channel
    kind: Kind
    category: CategoryPath | None = None
    requester: Requester
    summary: Line
    detail: LongWords
    location: Line | None = None
    urgency: Urgency = Urgency.NORMAL
    occurred_at: Moment | None = None
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=20)] = ()
