"""A submission as other systems send it, over HTTP or Kafka alike: one model, unknown fields refused."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from shared.contracts import uscc
from shared.contracts.event import Instant
from shared.contracts.vocabulary import Channel, Kind, RequesterKind, Urgency

# PostgreSQL text cannot hold U+0000; of the other control characters people type tab and line ends.
_WRITTEN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+$"


def _written(maximum: int, pattern: str = _WRITTEN) -> StringConstraints:
    return StringConstraints(
        min_length=1, max_length=maximum, strip_whitespace=True, pattern=pattern
    )


Name = Annotated[str, _written(100)]
Line = Annotated[str, _written(200)]
Words = Annotated[str, _written(10_000)]
Phone = Annotated[str, _written(32, r"^[0-9+][0-9 ()\-]{2,30}$")]
CategoryPath = Annotated[str, _written(200, r"^[^/\x00-\x1f]+(/[^/\x00-\x1f]+){0,4}$")]
SourceUri = Annotated[str, _written(200, r"^[A-Za-z][A-Za-z0-9+.\-]*:[^\s\x00-\x1f]+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Contact(_Strict):
    """Whom to call. It stays in intake: no event carries it."""

    name: Name
    phone: Phone


class Requester(_Strict):
    """Who asks. An enterprise's `id` is its unified social credit code (18 characters, GB 32100-2015)."""

    kind: RequesterKind
    id: Name
    name: Name
    contact: Contact | None = None

    @model_validator(mode="after")
    def _code_is_valid(self) -> Self:
        if self.kind is RequesterKind.ENTERPRISE and not uscc.is_valid(self.id):
            raise PydanticCustomError(
                "uscc",
                "an enterprise's id must be its 18-character code with the right check character",
            )
        return self


class Attachment(_Strict):
    """A file kept elsewhere: where it is and what it is called."""

    url: HttpUrl
    name: Name


class Submission(_Strict):
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
    detail: Words
    location: Line | None = None
    urgency: Urgency = Urgency.NORMAL
    occurred_at: Instant | None = None
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=20)] = ()
