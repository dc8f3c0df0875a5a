"""Intake's Kafka edge: submissions of other systems, and what followup says of their matters."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias
from uuid import UUID

import orjson
from pydantic import ValidationError

from services.intake.domain import Conflicting
from services.intake.handlers import registration
from services.intake.handlers.registration import Arrival, Refusal
from shared.contracts.cloudevents import SUBMITTED_TYPE, with_envelope_names
from shared.contracts.event import Actor
from shared.contracts.requests import FieldFault
from shared.contracts.submission import Submission
from shared.contracts.vocabulary import Role
from shared.kit.clock import Clock
from shared.kit.cloudevents import MAX_VALUE_BYTES, Raw
from shared.kit.db import Connection
from shared.kit.inbox import Letter
from shared.kit.problems import field_errors

Submitted: TypeAlias = Arrival | Refusal
Apply: TypeAlias = Callable[[Connection, Sequence[Submitted]], Awaitable[None]]


def read_submission(raw: Raw, trace: str) -> Submitted | Letter:
    """A submission, or a refusal where its sender can be told, or a letter to set aside where not.

    `trace` is the traceparent of what follows from it.
    """
    if raw.value is None or len(raw.value) > MAX_VALUE_BYTES:
        return _letter(raw, f"the value must be JSON of at most {MAX_VALUE_BYTES} bytes")
    wire_type = raw.header("ce_type")
    if wire_type not in (None, SUBMITTED_TYPE):
        return _letter(raw, f"ce_type must be {SUBMITTED_TYPE}")
    try:
        # The usual case first: a whole submission as the value.
        return _arrival(Submission.model_validate_json(raw.value), raw.header("ce_id"), trace)
    except ValidationError:
        return _read_otherwise(raw, raw.value, trace)


def _read_otherwise(raw: Raw, value: bytes, trace: str) -> Submitted | Letter:
    try:
        data = orjson.loads(value)
    except orjson.JSONDecodeError:
        return _letter(raw, "the value is not JSON")
    if isinstance(data, dict) and "specversion" in data:
        return _structured(raw, data, trace)
    return _submission(raw, data, (raw.header("ce_source"), raw.header("ce_id")), trace)


def _structured(raw: Raw, envelope: dict[str, object], trace: str) -> Submitted | Letter:
    if envelope.get("type") != SUBMITTED_TYPE:
        return _letter(raw, f"type must be {SUBMITTED_TYPE}")
    named = (envelope.get("source"), envelope.get("id"))
    return _submission(raw, envelope.get("data"), named, trace)


def _submission(
    raw: Raw, data: object, envelope: tuple[object, object], trace: str
) -> Submitted | Letter:
    if not isinstance(data, dict):
        return _letter(raw, "a submission is a JSON object")
    source, event_id = envelope
    named = with_envelope_names(data, source, event_id)
    try:
        submission = Submission.model_validate_json(orjson.dumps(named))
    except (ValidationError, orjson.JSONEncodeError) as fault:
        return _refusal(raw, named, fault, trace)
    return _arrival(submission, event_id, trace)


def _arrival(submission: Submission, event_id: object, trace: str) -> Arrival:
    actor = Actor(role=Role.SYSTEM, party=submission.source)
    return Arrival(submission, actor, _uuid(event_id), trace)


def _refusal(raw: Raw, data: dict[str, object], fault: Exception, trace: str) -> Refusal | Letter:
    source, source_ref = data.get("source"), data.get("source_ref")
    if not _tellable(source) or not _tellable(source_ref):
        return _letter(raw, "no source and source_ref under which its sender could be told")
    faults: tuple[FieldFault, ...] = ()
    if isinstance(fault, ValidationError):
        faults = tuple(
            FieldFault(pointer=error.pointer, code=error.code, message=error.message)
            for error in field_errors(fault, "zh")
        )
    return Refusal(
        str(source),
        str(source_ref),
        "invalid",
        faults,
        _uuid(raw.header("ce_id")),
        trace,
    )


def _tellable(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= 200 and name.isprintable()


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value)) if value is not None else None
    except ValueError:
        return None


def _letter(raw: Raw, reason: str) -> Letter:
    return Letter("poison", reason, raw, None, None)


def taking_submissions(clock: Clock) -> Apply:
    """What is done with a batch of submissions: the valid are registered, the senders of the others told."""

    async def take(conn: Connection, items: Sequence[Submitted]) -> None:
        now = clock()
        arrivals = [item for item in items if isinstance(item, Arrival)]
        refusals = [item for item in items if isinstance(item, Refusal)]
        registrations = await registration.register(conn, arrivals, now)
        refusals += [
            Refusal(*arrival.name, "conflict", (), arrival.causation_id, arrival.traceparent)
            for arrival, registration in zip(arrivals, registrations, strict=True)
            if isinstance(registration, Conflicting)
        ]
        if refusals:
            await registration.refuse(conn, refusals, now)

    return take
