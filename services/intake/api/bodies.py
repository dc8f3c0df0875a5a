"""Intake's request bodies."""

from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema

from shared.contracts.cloudevents import SUBMITTED_TYPE
from shared.contracts.submission import Submission
from shared.http.writes import idempotency

Json: TypeAlias = dict[str, Any]

EVENT_MEDIA: Final = "application/cloudevents+json"
BATCH_MEDIA: Final = "application/cloudevents-batch+json"
MAX_BATCH: Final = 1000
PLACE: Final = "#/components/schemas/{model}"


class SubmittedEvent(BaseModel):
    """A submission as a CloudEvent. `source` and `id` stand for `source` and `source_ref` where `data` has none.

    `data_base64`, the base64 of the submission as JSON in UTF-8, may stand in place of `data`.
    """

    model_config = ConfigDict(extra="allow")

    specversion: Literal["1.0"]
    type: Literal["liaison.request.submitted.v1"] = Field(examples=[SUBMITTED_TYPE])
    source: str = Field(examples=["https://one-stop.example"])
    id: str = Field(examples=["2026-000123"])
    time: datetime | None = None
    traceparent: str | None = Field(
        None,
        description="The trace that the event began in; the header `traceparent` goes before it.",
    )
    data: Submission


def component(model: type[BaseModel]) -> Json:
    """Return a reference to a model in the description's components."""
    return {"$ref": PLACE.format(model=model.__name__)}


COMPONENTS: Final[Json] = models_json_schema(
    [(Submission, "validation"), (SubmittedEvent, "validation")], ref_template=PLACE
)[1]["$defs"]
"""The models of bodies that direct routes read by themselves."""


def _list_of(model: type[BaseModel]) -> Json:
    return {"schema": {"type": "array", "items": component(model), "maxItems": MAX_BATCH}}


def _body(content: Json) -> Json:
    return {
        "parameters": [idempotency.KEY_PARAMETER],
        "requestBody": {"required": True, "content": content},
    }


SUBMISSION_BODY: Final = _body(
    {
        "application/json": {"schema": component(Submission)},
        EVENT_MEDIA: {"schema": component(SubmittedEvent)},
    }
) | {"x-also-takes": [BATCH_MEDIA]}
"""A batch on the path of one request is what the path took first, and has an operation of its own since."""

BATCH_BODY: Final = _body(
    {"application/json": _list_of(Submission), BATCH_MEDIA: _list_of(SubmittedEvent)}
)
