"""Describes the topics and their events as one AsyncAPI 3 document; it is made of the classes and says nothing else."""

import inspect
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.contracts import topics
from shared.contracts.cloudevents import SUBMITTED_TYPE
from shared.contracts.commands import MATTER_COMMANDS, OFFER_COMMANDS
from shared.contracts.published import EVENTS
from shared.contracts.submission import Submission
from shared.contracts.topics import PARTITIONS, TOPICS, Topic

Json = dict[str, Any]

HEARD: Final = (topics.SUBMISSIONS, topics.COMMANDS)
"""The topics that other systems write and the services read; the rest is the other way round."""

TITLES: Final[Mapping[str, str]] = {
    topics.SUBMISSIONS: "Requests as other systems send them",
    topics.REQUESTS: "Requests that were registered, and what their senders add to them",
    topics.ASSIGNMENTS: "Who is offered a matter, and what they did with the offer",
    topics.MATTERS: "Every change of a matter, with the state that it left the matter in",
    topics.COMMANDS: "The HTTP steps as messages",
    topics.REPLIES: "What became of each command",
    topics.DEAD_LETTERS: "Messages that could not be handled, and what was done about them",
}

DESCRIPTION: Final = (
    "CloudEvents 1.0 in Kafka's binary binding, JSON values. The key is the matter's id everywhere but on "
    "`liaison.submissions`, where it is the sender's choice. A subject's events keep their order, and `ce_sequence` "
    "counts them within one `ce_source` without gaps. Delivery is at least once with a stable `ce_id`."
)

COMMAND_HELP: Final = (
    "Stands for `POST {path}`: the value is the body of that step, with {ids} beside it and, where a system may "
    "speak for several, the `party` in whose name it is sent. The reply comes on `liaison.replies`."
)


def document() -> Json:
    """The AsyncAPI 3.0 document of everything on Kafka."""
    messages = {**_submission(), **_commands(), **_events()}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Liaison on Kafka", "version": "1", "description": DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {_key(topic.name): _channel(topic, messages) for topic in TOPICS},
        "operations": dict(_operation(topic) for topic in TOPICS),
        "components": {
            "messages": {name: message for name, (_, message) in messages.items()},
            "schemas": {
                **_schemas(),
                "CloudEventHeaders": _headers(ordered=True),
                "SenderHeaders": _headers(ordered=False),
            },
        },
    }


def _key(topic: str) -> str:
    return topic.removeprefix("liaison.")


Messages = dict[str, tuple[str, Json]]
"""By name: the topic that the message is on, and its description."""


def _channel(topic: Topic, messages: Messages) -> Json:
    return {
        "address": topic.name,
        "title": TITLES[topic.name],
        "description": f"{TITLES[topic.name]}. Written by {topic.written_by}.",
        "messages": {
            name: {"$ref": f"#/components/messages/{name}"}
            for name, (where, _) in messages.items()
            if where == topic.name
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": PARTITIONS,
                "topicConfiguration": {
                    "retention.ms": topic.retention_ms,
                    "max.message.bytes": topics.MAX_MESSAGE_BYTES,
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operation(topic: Topic) -> tuple[str, Json]:
    action, verb = ("receive", "take") if topic.name in HEARD else ("send", "tell")
    key = _key(topic.name)
    operation = {
        "action": action,
        "channel": {"$ref": f"#/channels/{key}"},
        "summary": TITLES[topic.name],
    }
    return f"{verb}-{key}", operation


def _message(name: str, summary: str, headers: str, payload: Json) -> Json:
    return {
        "name": name,
        "title": name,
        "summary": summary,
        "contentType": "application/json",
        "headers": {
            "allOf": [
                {"$ref": f"#/components/schemas/{headers}"},
                {"type": "object", "properties": {"ce_type": {"const": name}}},
            ]
        },
        "payload": payload,
    }


def _events() -> Messages:
    return {
        name: (event.TOPIC, _message(name, _first(event), "CloudEventHeaders", _named(event)))
        for name, event in sorted(EVENTS.items())
    }


def _submission() -> Messages:
    message = _message(SUBMITTED_TYPE, _first(Submission), "SenderHeaders", _named(Submission))
    return {SUBMITTED_TYPE: (topics.SUBMISSIONS, message)}


def _commands() -> Messages:
    paths = {**OFFER_COMMANDS, **MATTER_COMMANDS}
    return {
        name: (topics.COMMANDS, _message(name, _help(path), "SenderHeaders", _command(path)))
        for name, path in sorted(paths.items())
    }


def _ids(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _help(path: str) -> str:
    return COMMAND_HELP.format(path=path, ids=" and ".join(f"`{name}`" for name in _ids(path)))


def _command(path: str) -> Json:
    # A matter's id may be left to the subject.
    needed = [name for name in _ids(path) if name != "matter_id"]
    schema: Json = {
        "type": "object",
        "properties": {
            **{name: {"type": "string"} for name in _ids(path)},
            "party": {
                "type": "string",
                "description": "In whose name, where the sender may speak for several.",
            },
        },
    }
    return schema | ({"required": needed} if needed else {})


def _first(model: type[BaseModel]) -> str:
    return inspect.cleandoc(model.__doc__ or "").partition("\n\n")[0].replace("\n", " ")


def _named(model: type[BaseModel]) -> Json:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _schemas() -> Json:
    models: list[type[BaseModel]] = [*EVENTS.values(), Submission]
    _, found = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    schemas: Json = without_titles(found["$defs"])
    return dict(sorted(schemas.items()))


def without_titles(schema: Any) -> Any:  # noqa: ANN401 - any part of a JSON document
    """A schema without the titles that pydantic makes of the fields' names."""
    if isinstance(schema, Mapping):
        return {
            key: without_titles(value)
            for key, value in schema.items()
            if key != "title" or not isinstance(value, str)
        }
    return [without_titles(part) for part in schema] if isinstance(schema, list) else schema


def _text(description: str, **more: object) -> Json:
    return {"type": "string", "description": description, **more}


def _headers(*, ordered: bool) -> Json:
    """The headers of our events (`ordered`), or of what other systems send."""
    id_form = {"format": "uuid"} if ordered else {}
    properties = {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": _text("The event's id, the same whenever it is delivered again.", **id_form),
        "ce_source": _text("Who says it.", format="uri"),
        "ce_type": _text("What it is, with its version."),
        "ce_time": _text("When it happened.", format="date-time"),
        "ce_subject": _text("What it is about: the matter's id, else the id of what changed."),
        "ce_sequence": _text(
            "The subject's version at `ce_source`, from 1 without gaps.", pattern="^[1-9][0-9]*$"
        ),
        "ce_causationid": _text("The event that led to it.", format="uuid"),
        "traceparent": _text("W3C trace context."),
        "content-type": {"type": "string", "const": "application/json"},
    }
    optional = (
        {"ce_causationid", "traceparent"}
        if ordered
        else set(properties) - {"ce_id", "ce_source", "ce_type"}
    )
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }
