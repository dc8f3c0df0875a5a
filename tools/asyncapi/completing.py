"""Completes the AsyncAPI document by servers, keys, consumer groups, the bodies of steps and examples."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from deploy.jobs.access import ACCESS
from shared.contracts import topics
from shared.delivery.kafka.address import MECHANISM
from shared.web.schema import Schemas
from tools.asyncapi import document as made
from tools.asyncapi.commands import COMMANDS, OF_MATTERS
from tools.openapi.components import PLACE, Json, objects_in, without_titles
from tools.openapi.examples import MATTER, VALUES
from tools.openapi.joining import FILE as OPENAPI

SECURITY: Final = [{"$ref": "#/components/securitySchemes/scram"}]
SCHEMES: Final[Json] = {
    "scram": {
        "type": "scramSha512",
        "description": f"{MECHANISM}, with a user that `liaison kafka-users add NAME` makes",
    }
}
SERVERS: Final[Json] = {
    "embedded": {
        "host": "{address}",
        "protocol": "kafka",
        "description": "`liaison up` on one machine; the address is `kafka_sasl` in endpoints.json. With "
        "`--demo` alone the address `kafka` there asks for no user.",
        "variables": {"address": {"default": "127.0.0.1:9092"}},
        "security": SECURITY,
    },
    "compose": {
        "host": "{address}",
        "protocol": "kafka-secure",
        "description": "Kafka's outer door in docker-compose.yml, by TLS",
        "variables": {"address": {"default": "localhost:9094"}},
        "security": SECURITY,
    },
}
KEYS: Final[Mapping[str, str]] = {
    topics.SUBMISSIONS: "The sender's choice; records of one key keep their order.",
    topics.COMMANDS: "The matter's id, so that a matter's commands keep their order.",
    topics.DIRECTORY: "The entry's id; the newest record of each key is kept.",
    topics.REPLIES: "The id of the command that is answered.",
}
KEY: Final = "The id of the matter, or of what else the event is about."
BINDING: Final = {"bindingVersion": "0.5.0"}


def completed() -> Json:
    """The document as it is committed and served."""
    document = made.document()
    document["info"]["license"] = {"name": "Apache-2.0"}
    document["servers"] = SERVERS
    document["components"]["securitySchemes"] = SCHEMES
    _add_bodies(document)
    _add_groups(document)
    for name, channel in document["channels"].items():
        channel["tags"] = [{"name": name}]
        for message in channel["messages"]:
            _add_key(document["components"]["messages"][message], channel["address"])
    document["info"]["tags"] = [{"name": name} for name in document["channels"]]
    schemas = Schemas(document, "en", VALUES)
    for name, message in document["components"]["messages"].items():
        message["examples"] = [{"payload": _example(name, message, schemas)}]
    return document


def _add_key(message: Json, topic: str) -> None:
    key = {"type": "string", "description": KEYS.get(topic, KEY)}
    message["bindings"] = {"kafka": {"key": key, **BINDING}}


def _add_groups(document: Json) -> None:
    """Name the consumer groups of the services, and the prefix of those of other systems."""
    for operation in document["operations"].values():
        channel = operation["channel"]["$ref"].rpartition("/")[2]
        topic = document["channels"][channel]["address"]
        readers = [access.group for name, access in ACCESS.items() if topic in access.reads]
        operation["description"] = (
            f"{operation['summary']}. Groups of those who read it begin with "
            f"{', '.join(f'`{group}`' for group in readers)}."
            if readers
            else f"{operation['summary']}. No service reads it."
        )
        if readers:
            pattern = "|".join(group.replace(".", r"\.") for group in readers)
            group = {"type": "string", "pattern": f"^({pattern})"}
            operation["bindings"] = {"kafka": {"groupId": group, **BINDING}}


def _add_bodies(document: Json) -> None:
    """Put the body of each step beside the ids of its command, and the schemas that it needs among the others."""
    api = json.loads(OPENAPI.read_text(encoding="utf-8"))
    needed: dict[str, Json] = {}
    for name, entry in COMMANDS.items():
        content = api["paths"][entry.path]["post"].get("requestBody", {}).get("content", {})
        if not content:
            continue
        reference = content["application/json"]["schema"]["$ref"].removeprefix(PLACE)
        body = without_titles(api["components"]["schemas"][reference])
        payload = document["components"]["messages"][name]["payload"]
        payload["properties"] |= body["properties"]
        required = [*payload.get("required", ()), *body.get("required", ())]
        if required:
            payload["required"] = required
        needed |= _closure(body["properties"], api["components"]["schemas"])
    _add_schemas(document, needed)


def _closure(part: object, schemas: Json) -> dict[str, Json]:
    """The schemas that a part refers to, and those that they refer to."""
    found: dict[str, Json] = {}
    waiting = list(_references(part))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = without_titles(schemas[name])
            waiting += _references(schemas[name])
    return found


def _references(part: object) -> Iterator[str]:
    for inner in objects_in(part):
        if "$ref" in inner:
            yield str(inner["$ref"]).removeprefix(PLACE)


def _add_schemas(document: Json, needed: Mapping[str, Json]) -> None:
    schemas = document["components"]["schemas"]
    for name, schema in needed.items():
        if schemas.setdefault(name, schema) != schema:
            raise ValueError(f"an event and a command mean two things by {name}")
    document["components"]["schemas"] = dict(sorted(schemas.items()))


def _example(name: str, message: Json, schemas: Schemas) -> Any:  # noqa: ANN401 - any JSON value
    example = schemas.sample(message["payload"])
    if name in OF_MATTERS and isinstance(example, dict):
        # It may be left to the subject, and is clearer here.
        return {"matter_id": MATTER, **example}
    return example


def written() -> str:
    """The document as its file has it."""
    return json.dumps(completed(), indent=2, ensure_ascii=False) + "\n"
