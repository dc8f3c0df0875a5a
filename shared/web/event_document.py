"""Reads the AsyncAPI document into what the events page renders."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from shared.web.schema import Field, Json, Schemas

FILE: Final = Path(__file__).parent.parent / "contracts" / "asyncapi.json"


@dataclass(frozen=True, slots=True)
class DocumentedMessage:
    """An event: its type on the wire, what it means, its envelope and what it carries."""

    name: str
    summary: str
    headers: tuple[Field, ...]
    fields: tuple[Field, ...]
    sample: str


@dataclass(frozen=True, slots=True)
class DocumentedChannel:
    """A topic and the events in it."""

    address: str
    description: str
    messages: tuple[DocumentedMessage, ...]


@dataclass(frozen=True, slots=True)
class Events:
    """All topics for people."""

    title: str
    version: str
    description: str
    channels: tuple[DocumentedChannel, ...]


@cache
def found() -> Any:  # noqa: ANN401 - a JSON document has any shape
    """The AsyncAPI document of the contracts."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def read(document: Json, lang: str) -> Events:
    """The reference of an AsyncAPI 3 document."""
    schemas = Schemas(document, lang)
    info = document["info"]
    channels = tuple(
        DocumentedChannel(
            channel["address"],
            channel.get("description", ""),
            tuple(_messages(channel.get("messages", {}), schemas)),
        )
        for channel in document["channels"].values()
    )
    return Events(info["title"], info["version"], info.get("description", ""), channels)


def _messages(messages: Mapping[str, Json], schemas: Schemas) -> Iterator[DocumentedMessage]:
    for key, reference in messages.items():
        message = schemas.resolve(reference)
        payload = _schema(message.get("payload", {}), schemas)
        name = message.get("name", key)
        yield DocumentedMessage(
            name,
            message.get("summary") or message.get("description") or payload.get("description", ""),
            tuple(schemas.fields(message.get("headers", {}))),
            tuple(schemas.fields(payload)),
            _sample(message, payload, schemas),
        )


def _schema(payload: Json, schemas: Schemas) -> Json:
    """A payload's schema, also where it says in which dialect it is written."""
    whole = schemas.resolve(payload)
    return schemas.resolve(whole["schema"]) if "schemaFormat" in whole else whole


def _sample(message: Json, payload: Json, schemas: Schemas) -> str:
    given = next(
        (each["payload"] for each in message.get("examples", ()) if "payload" in each), None
    )
    value = schemas.sample(payload) if given is None else given
    return json.dumps(value, ensure_ascii=False, indent=2)
