"""Parses a command's record into a step, a refusal for its sender, or a dead letter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeGuard
from uuid import UUID

import orjson

from shared.auth.tokens import Principal
from shared.contracts.cloudevents import SPECVERSION, AttributeFault, faults_of
from shared.contracts.commands import foreign_to, owner_of
from shared.contracts.events.event import Actor
from shared.contracts.events.replies import CommandRefused
from shared.contracts.events.requests import FieldFault
from shared.contracts.vocabulary import Role
from shared.delivery.cloudevents import MAX_NAME_LENGTH, MAX_VALUE_BYTES, Raw
from shared.delivery.content_modes import SentRecord, open_record
from shared.delivery.inbox.store import Letter
from shared.http.writes.steps import StepEntry
from shared.messages.catalogue import choose_language, text
from shared.runtime.errors import FieldError, Problem


@dataclass(frozen=True, slots=True)
class Command:
    """A step that a system requests in a party's name; a refusal is written in `lang`."""

    raw: Raw
    id: str
    source: str
    type: str
    party: str | None
    ids: Mapping[str, UUID]
    body: Mapping[str, Any]
    lang: str = "zh"


def read_command(
    raw: Raw, steps: Mapping[str, StepEntry], service: str
) -> Command | CommandRefused | Letter | None:
    """Return the command in a record; None when its type belongs to another service.

    `steps` are those of `service` by the types of their commands.
    """
    record = open_record(raw)
    envelope = record.envelope
    wire_type = envelope.type or ""
    if wire_type not in steps and owner_of(wire_type) != service:
        return None
    command_id, source = envelope.id, envelope.source
    if not _is_name(command_id) or not _is_name(source):
        return Letter("poison", "the id and the source of a command are needed", raw, None, None)
    lang = choose_language(envelope.lang, envelope.lang)
    try:
        if wire_type not in steps:
            allowed = ", ".join(sorted({*steps, *(f"{each}*" for each in foreign_to(service))}))
            raise Problem(400, "unknown_command", params={"allowed": allowed})
        party, ids, body = _step(raw, record, steps[wire_type].names, lang)
    except Problem as problem:
        name = Command(raw, command_id, source, _printable(wire_type), None, {}, {})
        return refusal_of(name, None, problem.body(lang))
    return Command(raw, command_id, source, wire_type, party, ids, body, lang)


def _step(
    raw: Raw, record: SentRecord, names: Sequence[str], lang: str
) -> tuple[str | None, dict[str, UUID], dict[str, Any]]:
    """Return the party, the ids and the body in a record. Raises Problem when they cannot be read."""
    if raw.value is not None and len(raw.value) > MAX_VALUE_BYTES:
        raise Problem(413, "too_large", params={"limit": MAX_VALUE_BYTES})
    subject = record.envelope.attributes.get("subject")
    body = {"matter_id": subject} | _data_of(raw, record, lang)
    party = body.pop("party", None)
    ids, rest = _split(names, body)
    return party, ids, rest


def _data_of(raw: Raw, record: SentRecord, lang: str) -> dict[str, Any]:
    """Return the command's data object. Raises Problem 400 naming the record's fault."""
    envelope, faults, prefix = record.envelope, [], ""
    if not record.structured:
        prefix = "header/ce_"
        if envelope.attributes.get("specversion", SPECVERSION) != SPECVERSION:
            faults = [AttributeFault("specversion", "unknown_specversion")]
        envelope = replace(envelope, data=_json_of(raw.value))
    elif record.unread is None:
        faults = faults_of(envelope)
    if isinstance(envelope.data, dict) and not faults:
        return envelope.data
    errors = [
        FieldError(f"/{prefix}{fault.name}", fault.code, text(f"field.{fault.code}", lang))
        for fault in faults
    ]
    raise Problem(400, "unreadable_command", errors=errors)


def _json_of(value: bytes | None) -> object:
    try:
        return orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return None


def _split(names: Sequence[str], body: dict[str, Any]) -> tuple[dict[str, UUID], dict[str, Any]]:
    """Split a body into the ids of these names and the rest. Raises Problem 422 for an id that is not a UUID."""
    rest = dict(body)
    values = {}
    for name in names:
        value = rest.pop(name, None)
        try:
            values[name] = UUID(str(value))
        except ValueError:
            raise Problem(422, "command_without_id", params={"name": name}) from None
    rest.pop("matter_id", None)
    return values, rest


def _is_name(value: str | None) -> TypeGuard[str]:
    return value is not None and 0 < len(value) <= MAX_NAME_LENGTH and "\0" not in value


def _printable(wire_type: str) -> str:
    return "".join(each for each in wire_type[:MAX_NAME_LENGTH] if each.isprintable())


def refusal_of(
    command: Command, principal: Principal | None, document: Mapping[str, Any]
) -> CommandRefused:
    """Return the reply to a command that was refused with a problem document."""
    code = str(document.get("type", "")).rpartition(":")[2]
    return CommandRefused(
        actor=Actor(
            role=principal.role if principal else Role.SYSTEM,
            party=principal.party if principal else command.source,
        ),
        source=command.source,
        command_id=command.id,
        command_type=command.type,
        status=int(document.get("status", 400)),
        code=code,
        title=str(document.get("title", code)),
        detail=str(document.get("detail", code)),
        allowed_states=tuple(document.get("allowed_states", ())),
        faults=tuple(
            FieldFault(pointer=each["pointer"], code=each["code"], message=each["detail"])
            for each in document.get("errors", ())
        ),
    )
