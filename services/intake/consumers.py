"""Kafka consumers of intake: other systems' submissions, and followup's matters."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final, TypeAlias, TypeGuard
from uuid import UUID

import orjson
from pydantic import ValidationError

from services.intake.handlers.registration import (
    Arrival,
    Refusal,
    Submitted,
    register_submitted,
)
from shared.contracts.cloudevents import (
    SPECVERSION,
    SUBMITTED_TYPE,
    Envelope,
    faults_as_submission,
    with_envelope_names,
)
from shared.contracts.events.event import Actor
from shared.contracts.events.requests import FieldFault
from shared.contracts.submission import Submission
from shared.contracts.vocabulary import Role
from shared.delivery.cloudevents import MAX_VALUE_BYTES, Raw
from shared.delivery.content_modes import SentRecord, leniently, open_record
from shared.delivery.inbox.store import Letter
from shared.http.problems import field_errors
from shared.messages.catalogue import choose_language, text
from shared.runtime.clock import Clock
from shared.runtime.database import Connection
from shared.runtime.errors import FieldError

Apply: TypeAlias = Callable[[Connection, Sequence[Submitted]], Awaitable[None]]

OF_RECORDS: Final = frozenset(
    {"no_value", "value_too_large", "not_json", "not_an_object", "unknown_format"}
)
"""Codes whose words are about the whole record; the others name an attribute."""

MOST_NAMED: Final = 5


class _Untaken(Exception):
    """A record that is not a submission: reason and faults (pointers and codes) for its sender."""

    def __init__(self, reason: str, faults: Sequence[FieldError]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.faults = faults


def read_submission(raw: Raw, trace: str) -> Submitted | Letter:
    """Parse a record into a submission, a refusal for its sender if that is known, or a dead letter.

    `trace` is the traceparent of what follows from it.
    """
    record = open_record(raw)
    lang = choose_language(record.envelope.lang, record.envelope.lang)
    try:
        return _read(raw.value, record, trace, lang)
    except _Untaken as fault:
        faults = tuple(
            FieldFault(pointer=each.pointer, code=each.code, message=each.message)
            for each in fault.faults
        )
        cause = _uuid(record.envelope.id or record.headers.get("id"))
        for source, source_ref in _senders(raw, record):
            if _is_addressable(source) and _is_addressable(source_ref):
                return Refusal(source, source_ref, fault.reason, faults, cause, trace)
        return _letter(raw, fault)


def _read(value: bytes | None, record: SentRecord, trace: str, lang: str) -> Arrival:
    if record.unread is not None:
        raise _unreadable(lang, ("", record.unread))
    if not record.structured:
        return _read_binary(value, record.envelope, trace, lang)
    if faults := faults_as_submission(record.envelope):
        raise _unreadable(lang, *((f"/{fault.name}", fault.code) for fault in faults))
    return _submission(record.envelope.data, record.envelope, trace, lang)


def _read_binary(value: bytes | None, envelope: Envelope, trace: str, lang: str) -> Arrival:
    """Return the submission in the record's value, with or without CloudEvents headers."""
    for name, allowed in (("type", SUBMITTED_TYPE), ("specversion", SPECVERSION)):
        if envelope.attributes.get(name, allowed) != allowed:
            raise _unreadable(lang, (f"/header/ce_{name}", f"unknown_{name}"))
    if value is None or len(value) > MAX_VALUE_BYTES:
        raise _unreadable(lang, ("", "no_value" if value is None else "value_too_large"))
    try:
        # The usual case first: a whole submission as the value.
        return _arrival(Submission.model_validate_json(value), envelope, trace)
    except ValidationError:
        pass
    try:
        return _submission(orjson.loads(value), envelope, trace, lang)
    except orjson.JSONDecodeError:
        raise _unreadable(lang, ("", "not_json")) from None


def _submission(data: object, envelope: Envelope, trace: str, lang: str) -> Arrival:
    if not isinstance(data, dict):
        raise _unreadable(lang, ("", "not_an_object"))
    named = with_envelope_names(data, envelope.source, envelope.id)
    try:
        submission = Submission.model_validate_json(orjson.dumps(named))
    except orjson.JSONEncodeError:
        raise _unreadable(lang, ("", "not_json")) from None
    except ValidationError as invalid:
        raise _Untaken("invalid", field_errors(invalid, lang)) from None
    return _arrival(submission, envelope, trace)


def _arrival(submission: Submission, envelope: Envelope, trace: str) -> Arrival:
    actor = Actor(role=Role.SYSTEM, party=submission.source)
    return Arrival(submission, actor, _uuid(envelope.id), trace)


def _unreadable(lang: str, *places: tuple[str, str]) -> _Untaken:
    """Return a refusal; `places` are pointers into the event, each with a fault's code."""
    return _Untaken(
        "unreadable", [FieldError(place, code, _words(code, lang)) for place, code in places]
    )


def _words(code: str, lang: str) -> str:
    area = "submission" if code in OF_RECORDS else "field"
    return text(f"{area}.{code}", lang, limit=MAX_VALUE_BYTES, type=SUBMITTED_TYPE)


def _senders(raw: Raw, record: SentRecord) -> Iterator[tuple[object, object]]:
    """Return possible (source, source_ref) of a record, the most likely first: from its data, envelope or headers."""
    data = record.envelope.data if record.structured else leniently(raw.value)
    if record.unread is not None and isinstance(within := leniently(raw.value), dict):
        data = within.get("data")
    named = with_envelope_names(
        data if isinstance(data, dict) else {}, record.envelope.source, record.envelope.id
    )
    yield named.get("source"), named.get("source_ref")
    yield record.headers.get("source"), record.headers.get("id")


def _is_addressable(name: object) -> TypeGuard[str]:
    return isinstance(name, str) and 0 < len(name) <= 200 and name.isprintable()


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value)) if value is not None else None
    except ValueError:
        return None


def _letter(raw: Raw, fault: _Untaken) -> Letter:
    wrong = "; ".join(f"{each.pointer} {each.code}".strip() for each in fault.faults[:MOST_NAMED])
    reason = f"{fault.reason}, and its sender is not named: {wrong}"
    return Letter("poison", reason, raw, None, None)


def registers_submissions(clock: Clock) -> Apply:
    """Return the handler of a batch of submissions, with the time of `clock`."""

    async def register_batch(conn: Connection, items: Sequence[Submitted]) -> None:
        await register_submitted(conn, items, clock())

    return register_batch
