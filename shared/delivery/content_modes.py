"""CloudEvents' content modes on Kafka, binary and structured, read into one form."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import orjson

from shared.contracts.cloudevents import Envelope, is_readable, is_structured, read_structured
from shared.delivery.cloudevents import MAX_VALUE_BYTES, Raw
from shared.observability.tracing import valid_trace

PREFIX: Final = "ce_"

REGISTRY_BYTES: Final = 5
"""What Confluent's serializers write before a value: a zero byte and the schema's number."""

_SPECVERSION: Final = b'"specversion"'


@dataclass(frozen=True, slots=True)
class SentRecord:
    """An opened record: in binary mode the data is the record's value, in structured mode it is in `envelope`.

    `headers` are the attributes in the `ce_` headers, in either mode. `unread` is the code of why a structured record
    could not be read; its envelope then has what names its sender.
    """

    envelope: Envelope
    structured: bool
    headers: Mapping[str, str]
    unread: str | None = None


def open_record(raw: Raw) -> SentRecord:
    """Return the mode, attributes and data of a record. Header names are case-insensitive; never raises.

    A content type decides. Without one, and without `ce_specversion`, a value that is itself an event in the JSON
    format is one; a `ce_type` beside it still says what the record is.
    """
    headers = _headers(raw)
    named = {
        name.removeprefix(PREFIX): value
        for name, value in headers.items()
        if name.startswith(PREFIX)
    }
    content_type = headers.get("content-type")
    if is_structured(content_type):
        return _structured(raw, content_type, named)
    if "specversion" not in named and (document := _event_in(raw.value)) is not None:
        found = read_structured(document)
        header_type = {"type": named["type"]} if "type" in named else {}
        found = replace(found, attributes={**found.attributes, **header_type})
        return SentRecord(found, True, named)
    return SentRecord(Envelope(named), False, named)


def trace_given(raw: Raw) -> str | None:
    """Return the trace that a record continues: the header `traceparent`, else the event's extension attribute.

    The header names the last hop, the attribute the trace that the event began in.
    """
    if (found := valid_trace(raw.header("traceparent"))) is not None:
        return found
    return valid_trace(open_record(raw).envelope.traceparent)


def leniently(value: bytes | None) -> object:
    """Parse a value that is not valid JSON leniently, to read the sender's names in it.

    Half an emoji or a byte that is no UTF-8 becomes a lone surrogate, which no name may hold. The five bytes that a
    schema registry's serializer writes first are left out.
    """
    if value is None or len(value) > MAX_VALUE_BYTES:
        return None
    body = value[REGISTRY_BYTES:] if value[:1] == b"\0" else value
    try:
        return json.loads(body.decode("utf-8-sig", "surrogateescape"))
    except (ValueError, RecursionError):
        return None


def _headers(raw: Raw) -> dict[str, str]:
    """Return the last text value of each header, by its name in lower case."""
    last = {name.lower(): value for name, value in raw.headers if value is not None}
    return {
        name: found for name, value in last.items() if (found := _text(name, value)) is not None
    }


def _text(name: str, value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        # A type that cannot be read is a type all the same, and none of ours.
        return value.decode(errors="replace") if name == f"{PREFIX}type" else None


def _structured(raw: Raw, content_type: str | None, named: Mapping[str, str]) -> SentRecord:
    unread = partial(SentRecord, Envelope(named), True, named)
    if not is_readable(content_type):
        return unread("unknown_format")
    if raw.value is None:
        return unread("no_value")
    if len(raw.value) > MAX_VALUE_BYTES:
        return unread("value_too_large")
    try:
        document = orjson.loads(raw.value)
    except orjson.JSONDecodeError:
        return SentRecord(_named_within(raw.value, named), True, named, "not_json")
    if not isinstance(document, dict):
        return unread("not_an_object")
    return SentRecord(read_structured(document), True, named)


def _named_within(value: bytes, named: Mapping[str, str]) -> Envelope:
    found = leniently(value)
    within = read_structured(found).attributes if isinstance(found, dict) else {}
    return Envelope({**named, **{name: each for name, each in within.items() if _is_whole(each)}})


def _is_whole(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _event_in(value: bytes | None) -> Mapping[str, object] | None:
    if value is None or len(value) > MAX_VALUE_BYTES or _SPECVERSION not in value:
        return None
    try:
        document = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) and "specversion" in document else None
