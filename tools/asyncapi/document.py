"""Describes the topics and their events as one AsyncAPI 3 document; it is made of the classes and says nothing else."""

import inspect
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.contracts import topics
from shared.contracts.cloudevents import STRUCTURED, SUBMITTED_TYPE
from shared.contracts.events.event import Event
from shared.contracts.events.published import EVENTS
from shared.contracts.submission import Submission
from shared.contracts.topics import PARTITIONS, TOPICS, Topic
from shared.http.writes.steps import StepEntry
from tools.asyncapi.commands import COMMANDS
from tools.openapi.components import without_titles

Json = dict[str, Any]

HEARD: Final = (topics.SUBMISSIONS, topics.COMMANDS)
"""The topics that other systems write and the services read; the rest is the other way round."""

TITLES: Final[Mapping[str, str]] = {
    topics.SUBMISSIONS: "Requests as other systems send them",
    topics.REQUESTS: "Requests that were registered, and what their senders add to them",
    topics.ASSIGNMENTS: "Who is offered a matter, and what they did with the offer",
    topics.DIRECTORY: "Departments, liaisons, enterprises and absences: the newest event of each says all",
    topics.MATTERS: "Every change of a matter, with the state that it left the matter in",
    topics.COMMANDS: "The HTTP steps as messages",
    topics.REPLIES: "What became of each command",
    topics.DEAD_LETTERS: "Messages that could not be handled, and what was done about them",
}

DESCRIPTION: Final = (
    "CloudEvents 1.0 in Kafka's binary binding, JSON values. The key is the matter's id everywhere but on "
    "`liaison.submissions`, where it is the sender's choice, and on `liaison.directory`, where it is the entry's id. "
    "A subject's events keep their order, and `ce_sequence` counts them within one `ce_source` without gaps; a "
    "compacted topic keeps the newest of each key alone. Delivery is at least once with a stable `ce_id`. What other "
    "systems send may be structured too: `content-type: application/cloudevents+json`, the event as the value, its "
    "content as `data` or `data_base64`; no header but the content type is needed then, and names of headers count in "
    "any case."
)

MEDIA: Final = ["application/json", f"{STRUCTURED}; charset=UTF-8"]

COMMAND_HELP: Final = (
    "Stands for `POST {path}`: the value is the body of that step, with {ids} beside it and, where a system may "
    "speak for several, the `party` in whose name it is sent. The reply comes on `liaison.replies`, with the command's "
    "id as `ce_causationid`; a refusal is written in the language of `ce_lang`, or in Chinese."
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
                "ReplyHeaders": _headers(ordered=True, reply=True),
                "SenderHeaders": _sender_headers(),
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
                    "cleanup.policy": ["compact" if topic.compacted else "delete"],
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
    if topic.name == topics.COMMANDS:
        operation["reply"] = {"channel": {"$ref": f"#/channels/{_key(topics.REPLIES)}"}}
    return f"{verb}-{key}", operation


def _message(name: str, summary: str, headers: str, payload: Json) -> Json:
    return {
        "name": name,
        "title": name,
        "summary": summary,
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "allOf": [
                {"$ref": f"#/components/schemas/{headers}"},
                {"type": "object", "properties": {"ce_type": {"const": name}}},
            ],
        },
        "payload": payload,
    }


def _events() -> Messages:
    return {name: (event.TOPIC, _event(name, event)) for name, event in sorted(EVENTS.items())}


def _event(name: str, event: type[Event]) -> Json:
    if event.TOPIC != topics.REPLIES:
        return _message(name, _first(event), "CloudEventHeaders", _named(event))
    correlation = {"correlationId": {"location": "$message.header#/ce_causationid"}}
    return _message(name, _first(event), "ReplyHeaders", _named(event)) | correlation


def _submission() -> Messages:
    message = _message(SUBMITTED_TYPE, _first(Submission), "SenderHeaders", _named(Submission))
    return {SUBMITTED_TYPE: (topics.SUBMISSIONS, message)}


def _commands() -> Messages:
    correlation = {"correlationId": {"location": "$message.header#/ce_id"}}
    messages = {
        name: _message(name, _help(entry), "SenderHeaders", _command(entry)) | correlation
        for name, entry in sorted(COMMANDS.items())
    }
    return {name: (topics.COMMANDS, message) for name, message in messages.items()}


def _help(entry: StepEntry) -> str:
    ids = " and ".join(f"`{name}`" for name in entry.names)
    return COMMAND_HELP.format(path=entry.path, ids=ids)


def _command(entry: StepEntry) -> Json:
    # A matter's id may be left to the subject.
    needed = [name for name in entry.names if name != "matter_id"]
    schema: Json = {
        "type": "object",
        "properties": {
            **{name: {"type": "string"} for name in entry.names},
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


def _text(description: str, **more: object) -> Json:
    return {"type": "string", "description": description, **more}


def _headers(*, ordered: bool, reply: bool = False) -> Json:
    """The headers of our events (`ordered`), of replies to commands, or of what other systems send."""
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
        "ce_causationid": _text("The id of the command that is answered, as it was sent.")
        if reply
        else _text("The event that led to it.", format="uuid"),
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


def _sender_headers() -> Json:
    """What other systems send beside a value, in binary or in structured mode."""
    found = _headers(ordered=False)
    found["properties"] |= {
        "ce_traceparent": _text("The trace that the event began in; `traceparent` goes before it."),
        "ce_lang": _text("The language of what is answered.", examples=["zh", "en"]),
        "content-type": _text("JSON, or of the whole event in structured mode.", examples=MEDIA),
    }
    binary = {"required": found.pop("required")}
    structured = {
        "required": ["content-type"],
        "properties": {"content-type": {"pattern": "^application/cloudevents\\+json"}},
    }
    return found | {"anyOf": [binary, structured]}
