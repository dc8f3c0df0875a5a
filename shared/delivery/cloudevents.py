"""CloudEvents 1.0 in Kafka's binary content mode: an event's row to headers, a record to an event."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import orjson
from pydantic import ValidationError

from shared.contracts import topics
from shared.contracts.events.event import Event
from shared.contracts.fields.moments import read_recorded
from shared.observability.tracing import valid_trace

MAX_VALUE_BYTES = 1024 * 1024
"""The largest value that is read or written; half of what the topics allow."""

UNREADABLE = "liaison-unreadable"
"""The header of a record that stands for one that could not be unpacked; its value is the reason."""

MAX_NAME_LENGTH = 200
"""The longest subject or source, in characters; longer ones do not fit an index."""

MAX_REASON_LENGTH = 2000

_TYPE = re.compile(r"^liaison\.[a-z_]{1,40}\.[a-z_]{1,40}\.v[0-9]{1,4}\Z")
_VERSION = re.compile(r"^[0-9]{1,9}\Z")


@dataclass(frozen=True, slots=True)
class Raw:
    """A record as read from Kafka."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()

    def header(self, name: str) -> str | None:
        """Return the last header of that name as text; None when it is absent, null or not UTF-8."""
        return _text(self.named(), name)

    def named(self) -> "Named":
        """Return the last non-null value of each header, for callers that need several."""
        return {name: value for name, value in self.headers if value is not None}


Named: TypeAlias = Mapping[str, bytes]


def _text(named: Named, name: str) -> str | None:
    value = named.get(name)
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


@dataclass(frozen=True, slots=True)
class Message:
    """A received event: `sequence` is its subject's version at the service that wrote it."""

    id: UUID
    source: str
    subject: str
    sequence: int
    event: Event
    time: datetime
    causation_id: UUID | None = None
    traceparent: str | None = None
    raw: Raw = field(repr=False, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that is not one of our events; `fate` is `poison` or `unknown_version`."""

    raw: Raw
    fate: str
    reason: str
    subject: str | None = None
    version: int | None = None


def read(raw: Raw, events: Mapping[str, type[Event]]) -> Message | Unreadable:
    """Return the event in a record, or why it is unreadable. Never raises: a bad record must not stop the others."""
    named = raw.named()
    subject, version = _subject(named), _version(named)
    try:
        found = _read(raw, named, events, (subject, version))
    except Exception as fault:  # noqa: BLE001 - whatever it was, it is the record's
        found = "poison", f"a header is malformed: {fault}"
    if isinstance(found, Message):
        return found
    fate, reason = found
    return Unreadable(raw, fate, reason.replace("\0", "")[:MAX_REASON_LENGTH], subject, version)


def _subject(named: Named) -> str | None:
    # One that cannot be kept or indexed names no matter that could wait for it.
    subject = _text(named, "ce_subject")
    return subject if subject and _is_name(subject) else None


def _version(named: Named) -> int | None:
    sequence = _text(named, "ce_sequence")
    return int(sequence) if sequence is not None and _VERSION.match(sequence) else None


def _is_name(value: str) -> bool:
    return len(value) <= MAX_NAME_LENGTH and "\0" not in value


def _read(
    raw: Raw,
    named: Named,
    events: Mapping[str, type[Event]],
    place: tuple[str | None, int | None],
) -> Message | tuple[str, str]:
    if (reason := _text(named, UNREADABLE)) is not None:
        return "poison", f"{reason}; it is in Kafka at this place as long as its topic keeps it"
    wire_type, (subject, version) = _text(named, "ce_type") or "", place
    found_id, source, time = (_text(named, name) for name in ("ce_id", "ce_source", "ce_time"))
    if not subject or not version or not found_id or not source or not time:
        return "poison", "ce_id, ce_source, ce_type, ce_subject, ce_sequence and ce_time are needed"
    contract = events.get(wire_type)
    if contract is None:
        return _unknown(wire_type)
    if raw.topic != contract.TOPIC:
        return "poison", f"{wire_type} is no event of {raw.topic}"
    if not _is_name(source):
        return "poison", f"ce_source must have at most {MAX_NAME_LENGTH} characters and no U+0000"
    if raw.value is None or len(raw.value) > MAX_VALUE_BYTES:
        return "poison", f"the value must be JSON of at most {MAX_VALUE_BYTES} bytes"
    try:
        event = contract.model_validate_json(raw.value)
    except ValidationError as fault:
        return "poison", f"the value does not fit {wire_type}: {_first(fault)}"
    causation = _text(named, "ce_causationid")
    return Message(
        UUID(found_id),
        source,
        subject,
        version,
        event,
        read_recorded(time),
        UUID(causation) if causation else None,
        _trace(named),
        raw=raw,
    )


def _trace(named: Named) -> str | None:
    """Return the record's `traceparent` (W3C); None when it is missing or malformed."""
    return valid_trace(_text(named, "traceparent"))


def _unknown(wire_type: str) -> tuple[str, str]:
    if _TYPE.match(wire_type):
        return "unknown_version", f"{wire_type} is newer than this program"
    return "poison", f"{wire_type[:200]!r} is no type of event that is published here"


def _first(fault: ValidationError) -> str:
    # The values stay out of it: a reason is shown to operators and must hold no personal data.
    first = fault.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'/'.join(str(step) for step in first['loc']) or 'value'}: {first['msg']}"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A row of the event table, as the relay publishes it."""

    seq: int
    id: UUID
    subject: str
    version: int
    type: str
    topic: str
    at: datetime
    causation_id: UUID | None
    traceparent: str | None
    data: str


def headers_of(row: Recorded, source: str) -> list[tuple[str, bytes]]:
    """Return the record's headers, by CloudEvents' Kafka binding."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(row.id).encode()),
        ("ce_source", source.encode()),
        ("ce_type", row.type.encode()),
        ("ce_time", row.at.isoformat().encode()),
        ("ce_subject", row.subject.encode()),
        ("ce_sequence", str(row.version).encode()),
        ("content-type", b"application/json"),
    ]
    if (cause := _cause_of(row)) is not None:
        headers.append(("ce_causationid", cause.encode()))
    if row.traceparent is not None:
        headers.append(("traceparent", row.traceparent.encode()))
    return headers


def _cause_of(row: Recorded) -> str | None:
    """Return the id of the event's cause. For a reply that is the command's id, which need not be a UUID."""
    if row.topic == topics.REPLIES:
        command_id: str | None = orjson.loads(row.data).get("command_id")
        return command_id
    return None if row.causation_id is None else str(row.causation_id)
