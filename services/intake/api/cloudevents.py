"""CloudEvents over HTTP: reads a submission from an event in binary or structured mode."""

import re
from collections.abc import Sequence
from typing import Final

import orjson
from fastapi import Request

from shared.contracts.cloudevents import (
    REQUIRED,
    SUBMITTED_TYPE,
    AttributeFault,
    Envelope,
    faults_as_submission,
    read_structured,
    with_envelope_names,
)
from shared.http.problems import language
from shared.messages.catalogue import text
from shared.observability.tracing import valid_trace
from shared.runtime.errors import FieldError, Problem

PREFIX: Final = "ce-"

_REQUIRED: Final = tuple(f"{PREFIX}{name}" for name in REQUIRED)
_ESCAPED: Final = re.compile(rb"\\(.)")
_PERCENT: Final = re.compile(rb"%([0-9A-Fa-f]{2})")


def is_binary(request: Request) -> bool:
    """Return whether a request of another content type is an event in binary mode, complete or not."""
    return any(name in request.headers for name in _REQUIRED)


def unmarked_event(body: bytes) -> object:
    """Return the structured event in a plain JSON body, as Dapr sends it; None when it is not one.

    No submission has a `specversion`.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) and "specversion" in document else None


def content_of_binary(request: Request, body: bytes) -> dict[str, object]:
    """Return the submission in a binary-mode event. Raises Problem 422 for an event of another type."""
    attributes, faults = _attributes(request)
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Problem(422, "not_json") from None
    return _content(Envelope(attributes, data, tuple(faults)), f"/header/{PREFIX}", request)


def content_of_event(event: object, request: Request) -> dict[str, object]:
    """Return the submission in a structured event. Raises Problem 422 for an event of another type or a nested one."""
    if isinstance(event, Problem):
        raise event
    if not isinstance(event, dict):
        words = text("field.model_type", language(request))
        raise _refusal([FieldError("/", "model_type", words)])
    return _content(read_structured(event), "/", request)


def refuse_binary(request: Request) -> None:
    """Raises Problem 422 for a binary-mode event sent as a batch: such an event carries one submission."""
    if is_binary(request):
        raise _refusal([FieldError("/", "model_type", text("field.model_type", language(request)))])


def trace_of_event(request: Request, event: object) -> str | None:
    """Return the trace in a structured event; None when the request's own header names that of the last hop."""
    if valid_trace(request.headers.get("traceparent")) is not None or not isinstance(event, dict):
        return None
    given = event.get("traceparent")
    return valid_trace(given) if isinstance(given, str) else None


def _content(envelope: Envelope, place: str, request: Request) -> dict[str, object]:
    faults = faults_as_submission(envelope)
    if faults or not isinstance(envelope.data, dict):
        raise _refusal(_errors(faults, place, language(request)))
    return with_envelope_names(envelope.data, envelope.source, envelope.id)


def _errors(faults: Sequence[AttributeFault], place: str, lang: str) -> list[FieldError]:
    return [
        FieldError(
            # In binary mode the data is the body itself.
            "/" if fault.name == "data" and place != "/" else f"{place}{fault.name}",
            fault.code,
            text(f"field.{fault.code}", lang, type=SUBMITTED_TYPE),
        )
        for fault in faults
    ]


def _refusal(errors: Sequence[FieldError]) -> Problem:
    return Problem(422, "not_a_cloudevent", params={"type": SUBMITTED_TYPE}, errors=errors)


def _attributes(request: Request) -> tuple[dict[str, str], list[AttributeFault]]:
    """Return the attributes in the `ce-` headers, and faults for those given twice or not text."""
    found: dict[str, str] = {}
    faults: dict[str, AttributeFault] = {}
    for header, value in request.headers.items():
        if not header.startswith(PREFIX):
            continue
        name, decoded = header.removeprefix(PREFIX), decoded_value(value.encode("latin-1"))
        if name in found or name in faults:
            faults[name] = AttributeFault(name, "repeated_parameter")
        elif decoded is None:
            faults[name] = AttributeFault(name, "header_encoding")
        else:
            found[name] = decoded
    return found, list(faults.values())


def decoded_value(value: bytes) -> str | None:
    """Return the text in a header by the HTTP binding (3.1.3.2); None when it is not UTF-8.

    A quoted string is unquoted, then percent-decoded once. Senders that encode nothing are read too: bytes beyond ASCII
    are UTF-8, and a percent sign that no two hexadecimal digits follow stands for itself.
    """
    if len(value) > 1 and value[:1] == value[-1:] == b'"':
        value = _ESCAPED.sub(rb"\1", value[1:-1])
    try:
        return _PERCENT.sub(lambda found: bytes((int(found[1], 16),)), value).decode()
    except UnicodeDecodeError:
        return None
