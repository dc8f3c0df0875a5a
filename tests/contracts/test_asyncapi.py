"""The AsyncAPI document is whole: each reference leads somewhere, each topic and event is there, examples fit."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from jsonschema import Draft202012Validator

from shared.contracts import topics
from shared.contracts.cloudevents import SUBMITTED_TYPE
from shared.contracts.events.published import EVENTS
from shared.contracts.topics import TOPICS
from shared.delivery.cloudevents import Recorded, headers_of
from shared.web.event_document import FILE
from tests.contracts.test_examples import FOLDER
from tools.asyncapi.commands import COMMANDS, OF_MATTERS
from tools.asyncapi.completing import written
from tools.asyncapi.document import HEARD

DOCUMENT: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
TYPES = {SUBMITTED_TYPE, *EVENTS, *COMMANDS}


def parts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from parts(inner)


def at(reference: str) -> Any:
    found: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def test_it_is_asyncapi_3():
    """Read by another's model of the specification; the members that the specification asks for are there."""
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert DOCUMENT["info"]["title"]
    assert DOCUMENT["info"]["version"]
    assert set(DOCUMENT) <= {
        "asyncapi", "info", "defaultContentType", "servers", "channels", "operations", "components"
    }  # fmt: skip
    # The model asks for a path, which the specification leaves free and Kafka has none of.
    servers = {name: {"pathname": "", **each} for name, each in DOCUMENT["servers"].items()}
    assert ApplicationSchema.model_validate({**DOCUMENT, "servers": servers}) is not None


def test_the_committed_document_is_what_the_contracts_and_the_steps_say():
    assert FILE.read_text(encoding="utf-8") == written()


@pytest.mark.parametrize("name", sorted(TYPES))
def test_every_message_has_an_example_that_fits(name: str):
    message = DOCUMENT["components"]["messages"][name]
    [example] = message["examples"]
    payload = checker(message["payload"])
    assert [error.message for error in payload.iter_errors(example["payload"])] == []
    assert "…" not in json.dumps(example, ensure_ascii=False)


def test_a_command_has_the_fields_of_its_step():
    properties = DOCUMENT["components"]["messages"]["liaison.matter.handle.v1"]["payload"]
    assert {"matter_id", "party", "outcome", "answer"} <= properties["properties"].keys()
    assert {"outcome", "answer"} <= set(properties["required"])


def test_servers_ask_for_a_user_and_readers_groups_are_named():
    for server in DOCUMENT["servers"].values():
        assert [at(each["$ref"])["type"] for each in server["security"]] == ["scramSha512"]
    bindings = DOCUMENT["operations"]["tell-replies"]["bindings"]["kafka"]
    assert re.match(bindings["groupId"]["pattern"], "senders.one-stop")


def test_every_reference_leads_somewhere():
    references = {part["$ref"] for part in parts(DOCUMENT) if isinstance(part.get("$ref"), str)}
    assert len(references) > len(EVENTS)
    for reference in references:
        assert isinstance(at(reference), dict), reference


def test_names_are_ones_that_the_specification_allows():
    allowed = re.compile(r"^[\w.\-]+$")
    for section in (DOCUMENT["channels"], DOCUMENT["operations"], *DOCUMENT["components"].values()):
        assert all(allowed.match(name) for name in section)


def test_every_topic_is_a_channel_with_an_operation():
    channels = {channel["address"]: channel for channel in DOCUMENT["channels"].values()}
    assert set(channels) == {topic.name for topic in TOPICS}
    for topic in TOPICS:
        kafka = channels[topic.name]["bindings"]["kafka"]
        assert (kafka["topic"], kafka["partitions"]) == (topic.name, topics.PARTITIONS)
        assert kafka["topicConfiguration"]["retention.ms"] == topic.retention_ms
        assert channels[topic.name]["messages"], topic.name
    operated = [
        at(operation["channel"]["$ref"])["address"] for operation in DOCUMENT["operations"].values()
    ]
    assert sorted(operated) == sorted(channels)
    for operation in DOCUMENT["operations"].values():
        heard = at(operation["channel"]["$ref"])["address"] in HEARD
        assert operation["action"] == ("receive" if heard else "send")


def test_every_type_is_a_message_on_its_topic():
    where = {
        name: channel["address"]
        for channel in DOCUMENT["channels"].values()
        for name in channel["messages"]
    }
    assert set(where) == TYPES == set(DOCUMENT["components"]["messages"])
    assert {name: where[name] for name in EVENTS} == {n: event.TOPIC for n, event in EVENTS.items()}
    assert where[SUBMITTED_TYPE] == topics.SUBMISSIONS
    assert {where[name] for name in COMMANDS} == {topics.COMMANDS}


def checker(schema: dict[str, Any]) -> Draft202012Validator:
    """A schema of the document, its references looked up in the document."""
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})


@pytest.mark.parametrize("name", sorted(TYPES))
def test_a_message_says_what_it_is(name: str):
    message = DOCUMENT["components"]["messages"][name]
    assert message["name"] == message["title"] == name
    assert message["summary"].strip()
    assert message["contentType"] == "application/json"
    for part in ("headers", "payload"):
        Draft202012Validator.check_schema(message[part])


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.json")), ids=lambda file: file.stem)
def test_examples_fit_the_payload(file: Path):
    payload = checker(DOCUMENT["components"]["messages"][file.stem]["payload"])
    for example in json.loads(file.read_text(encoding="utf-8")):
        assert [error.message for error in payload.iter_errors(example)] == []
    assert list(payload.iter_errors({"actor": 1}))


def test_what_the_relay_sends_fits_the_headers():
    name = "liaison.offer.made.v1"
    row = Recorded(
        1, uuid4(), "a", 3, name, topics.ASSIGNMENTS, datetime.now(UTC), uuid4(), None, "{}"
    )
    headers = {key: value.decode() for key, value in headers_of(row, "urn:liaison:routing")}
    found = checker(DOCUMENT["components"]["messages"][name]["headers"])
    assert [error.message for error in found.iter_errors(headers)] == []
    for missing in ("ce_id", "ce_source", "ce_type", "ce_time", "ce_subject", "ce_sequence"):
        assert list(found.iter_errors({k: v for k, v in headers.items() if k != missing}))
    assert list(found.iter_errors(headers | {"ce_type": "liaison.offer.accepted.v1"}))
    assert list(found.iter_errors(headers | {"ce_sequence": "0"}))


def test_a_reply_names_its_command_and_a_command_leads_to_the_replies():
    name, command_id = "liaison.command.done.v1", "接-1"
    row = Recorded(
        1, uuid4(), "reply-1", 1, name, topics.REPLIES, datetime.now(UTC), None, None,
        json.dumps({"command_id": command_id}),
    )  # fmt: skip
    headers = {key: value.decode() for key, value in headers_of(row, "urn:liaison:routing")}
    assert headers["ce_causationid"] == command_id
    messages = DOCUMENT["components"]["messages"]
    found = checker(messages[name]["headers"])
    assert [error.message for error in found.iter_errors(headers)] == []
    assert (
        DOCUMENT["operations"]["take-commands"]["reply"]["channel"]["$ref"] == "#/channels/replies"
    )
    for each in COMMANDS:
        assert messages[each]["correlationId"]["location"] == "$message.header#/ce_id"


@pytest.mark.parametrize("name", [SUBMITTED_TYPE, *OF_MATTERS])
def test_what_a_sender_may_write_fits_the_headers_in_either_mode(name: str):
    found = checker(DOCUMENT["components"]["messages"][name]["headers"])
    binary = {"ce_id": "1", "ce_source": "https://one-stop.example", "ce_type": name}
    structured = {"content-type": "application/cloudevents+json; charset=UTF-8"}
    for headers in (binary, binary | {"ce_lang": "en"}, structured):
        assert [error.message for error in found.iter_errors(headers)] == []
    for headers in ({}, {"content-type": "application/json"}, {"ce_id": "1"}):
        assert list(found.iter_errors(headers))
