"""An event of another system is the same in every content mode of Kafka; a damaged one is refused by name."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.consumers import read_submission
from services.intake.handlers.registration import Arrival, Refusal
from shared.contracts import topics
from shared.contracts.events.replies import CommandRefused
from shared.delivery.cloudevents import Raw
from shared.delivery.commands.records import Command, read_command
from shared.delivery.content_modes import trace_given
from shared.delivery.inbox.store import Letter
from tests.integration.intake.samples import submission
from tests.support.content_modes import (
    STRUCTURED_TYPES,
    binary_record,
    event,
    in_base64,
    records_of,
    structured_record,
)
from tools.asyncapi.commands import COMMANDS

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OTHER_TRACE = "00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01"
MATTER = "0d6a1a3e-6a0c-4b93-a2f4-2f5bd1b4e002"
HANDLE = "liaison.matter.handle.v1"
STRUCTURED = STRUCTURED_TYPES[0]

lines = st.text(
    st.characters(
        exclude_categories=("C", "Z"), exclude_characters="\u115f\u1160\u3164\uffa0\u2800"
    ),
    min_size=1,
    max_size=60,
)


def read(raw: Raw) -> Any:
    return read_submission(raw, TRACE)


def read_step(raw: Raw) -> Command | CommandRefused | Letter | None:
    return read_command(raw, COMMANDS, "routing")


@given(summary=lines, event_id=lines, lang=st.sampled_from(["en", "zh-CN", "fr", ""]))
def test_each_mode_of_an_event_gives_the_same_submission(summary: str, event_id: str, lang: str):
    data = submission(summary=summary)
    del data["source"], data["source_ref"]
    sent = event(data, id=event_id, lang=lang, time="2026-03-02T09:30:00+08:00")
    found = [read(raw) for raw in records_of(sent, topics.SUBMISSIONS).values()]
    assert isinstance(found[0], Arrival | Refusal)
    assert all(each == found[0] for each in found)
    if isinstance(found[0], Arrival):
        assert found[0].name == (sent["source"], event_id)
    else:
        assert {fault.pointer for fault in found[0].faults} <= {"/summary", "/source_ref"}


@given(note=lines, command_id=lines, party=st.none() | st.just("L001"))
def test_each_mode_of_a_command_asks_for_the_same_step(
    note: str, command_id: str, party: str | None
):
    sent = event(
        {"note": note, "party": party}, type=HANDLE, id=command_id, subject=MATTER, lang="en"
    )
    found = [read_step(raw) for raw in records_of(sent, topics.COMMANDS).values()]
    first = found[0]
    assert isinstance(first, Command)
    assert (first.id, first.party, first.lang) == (command_id, party, "en")
    assert first.ids == {"matter_id": UUID(MATTER)}
    for each in found:
        assert isinstance(each, Command)
        assert replace(each, raw=first.raw) == first


DAMAGES: dict[str, tuple[dict[str, Any], str, str]] = {
    "another type": ({"type": "org.example.other"}, "/type", "unknown_type"),
    "no type": ({"type": None}, "/type", "missing"),
    "another version": ({"specversion": "0.3"}, "/specversion", "unknown_specversion"),
    "a number for a version": ({"specversion": 1.0}, "/specversion", "string_type"),
    "no id": ({"id": None}, "/id", "missing"),
    "an empty id": ({"id": ""}, "/id", "attribute_text"),
    "a number for an id": ({"id": 5}, "/id", "string_type"),
    "a line break in the id": ({"id": "a\nb"}, "/id", "attribute_text"),
    "no source": ({"source": None}, "/source", "missing"),
    "a list for a source": ({"source": ["x"]}, "/source", "string_type"),
    "an object for a subject": ({"subject": {}}, "/subject", "string_type"),
    "XML": ({"datacontenttype": "application/xml"}, "/datacontenttype", "data_media_type"),
    "GBK": ({"datacontenttype": "text/json;charset=gbk"}, "/datacontenttype", "data_media_type"),
    "no data": ({"data": None}, "/data", "missing"),
    "text for data": ({"data": '{"summary": "x"}'}, "/data", "model_type"),
    "a list for data": ({"data": [1]}, "/data", "model_type"),
    "data twice": ({"data_base64": "e30="}, "/data_base64", "data_twice"),
    "no base64": ({"data": None, "data_base64": "*"}, "/data_base64", "base64"),
    "base64 in lines": ({"data": None, "data_base64": "e30\n="}, "/data_base64", "base64"),
    "base64 of no JSON": ({"data": None, "data_base64": "ew=="}, "/data_base64", "json_invalid"),
    "base64 of a list": ({"data": None, "data_base64": "W10="}, "/data", "model_type"),
    "a number for base64": ({"data": None, "data_base64": 5}, "/data_base64", "string_type"),
}


def damaged(kind: str) -> dict[str, Any]:
    return event(submission()) | DAMAGES[kind][0]


@pytest.mark.parametrize("content_type", [STRUCTURED, None])
@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_event_is_refused_by_name(kind: str, content_type: str | None):
    found = read(structured_record(damaged(kind), topics.SUBMISSIONS, content_type))
    _, pointer, code = DAMAGES[kind]
    if isinstance(found, Refusal):
        assert (pointer, code) in {(fault.pointer, fault.code) for fault in found.faults}
        assert all(fault.message for fault in found.faults)
    else:
        # Nothing else in it says who sent it.
        assert kind in ("no data", "text for data", "a list for data") or "base64" in kind
        assert isinstance(found, Letter), found


@pytest.mark.parametrize(
    ("attributes", "pointer"),
    [
        ({"type": "org.example.other"}, "/header/ce_type"),
        ({"type": ""}, "/header/ce_type"),
        ({"specversion": "0.3"}, "/header/ce_specversion"),
    ],
)
def test_a_foreign_event_is_refused_though_its_value_is_a_submission(
    attributes: dict[str, str], pointer: str
):
    for prefix in ("ce_", "CE_", "Ce_"):
        found = read(binary_record(event(submission(), **attributes), topics.SUBMISSIONS, prefix))
        assert isinstance(found, Refusal)
        assert [fault.pointer for fault in found.faults] == [pointer]
    unreadable = binary_record(event(submission()), topics.SUBMISSIONS)
    headers = (*unreadable.headers, ("CE_TYPE", b"\xff"))
    assert isinstance(read(replace(unreadable, headers=headers)), Refusal)


def test_a_structured_event_of_ours_under_a_foreign_header_is_refused():
    raw = structured_record(event(submission()), topics.SUBMISSIONS)
    found = read(replace(raw, headers=(("ce_type", b"org.example.other"),)))
    assert isinstance(found, Refusal)
    # In structured mode the headers may repeat the attributes, and the value counts.
    raw = structured_record(event(submission()), topics.SUBMISSIONS, STRUCTURED)
    assert isinstance(
        read(replace(raw, headers=(*raw.headers, ("ce_type", b"org.example.other")))), Arrival
    )


@pytest.mark.parametrize(
    ("value", "content_type", "code"),
    [
        (b"<x/>", "application/cloudevents+xml", "unknown_format"),
        (b"\0", "application/cloudevents+avro", "unknown_format"),
        (b"[]", "application/cloudevents-batch+json", "unknown_format"),
        (b"{", STRUCTURED, "not_json"),
        (b"[]", STRUCTURED, "not_an_object"),
        (None, STRUCTURED, "no_value"),
        (b" " * 1_048_577, STRUCTURED, "value_too_large"),
    ],
)
def test_a_structured_record_that_cannot_be_read_is_refused_where_headers_name_its_sender(
    value: bytes | None, content_type: str, code: str
):
    named = (("CE_ID", b"call-1"), ("ce_source", b"https://one-stop.example"))
    typed = (("Content-Type", content_type.encode()),)
    found = read(Raw(topics.SUBMISSIONS, 0, 0, None, value, named + typed))
    assert isinstance(found, Refusal)
    assert [fault.code for fault in found.faults] == [code]
    assert isinstance(read(Raw(topics.SUBMISSIONS, 0, 0, None, value, typed)), Letter)


def test_a_refusal_is_written_in_the_language_of_the_event():
    words = {}
    for lang in ("en", "en-GB", "zh", "fr"):
        found = read(binary_record(event({}, lang=lang), topics.SUBMISSIONS))
        assert isinstance(found, Refusal)
        words[lang] = found.faults[0].message
    assert words["en"] == words["en-GB"]
    assert words["zh"] == words["fr"]
    assert words["zh"] != words["en"]


@pytest.mark.parametrize("kind", ["binary", "structured, base64", f"structured, {STRUCTURED}"])
def test_a_record_goes_on_with_its_last_hop_s_trace_else_with_the_event_s(kind: str):
    raw = records_of(event(submission(), traceparent=TRACE), topics.SUBMISSIONS)[kind]
    assert trace_given(raw) == TRACE
    assert trace_given(replace(raw, headers=(*raw.headers, ("traceparent", b"x")))) == TRACE
    hop = ("traceparent", OTHER_TRACE.encode())
    assert trace_given(replace(raw, headers=(*raw.headers, hop))) == OTHER_TRACE
    assert trace_given(records_of(event({}, traceparent="x"), topics.COMMANDS)[kind]) is None


UNANSWERED = {"no id", "an empty id", "a number for an id", "no source", "a list for a source"}


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_command_is_answered_where_its_sender_is_named(kind: str):
    change = DAMAGES[kind][0]
    sent = event({"party": "L001"}, type=HANDLE, subject=MATTER, lang="en") | change
    found = read_step(structured_record(sent, topics.COMMANDS, STRUCTURED))
    if kind in UNANSWERED:
        assert isinstance(found, Letter)
    else:
        assert isinstance(found, CommandRefused)
        foreign = "type" in change
        assert found.code == ("unknown_command" if foreign else "unreadable_command")
        assert found.title in ("No such command", "The command cannot be read")
        assert foreign or code_of(kind) in {fault.code for fault in found.faults}


def code_of(kind: str) -> str:
    return DAMAGES[kind][2]


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\0\0\0\0\1"])
def test_a_structured_command_that_is_no_json_is_answered_where_names_can_be_read(before: bytes):
    raw = structured_record(event({}, type=HANDLE), topics.COMMANDS, STRUCTURED)
    found = read_step(replace(raw, value=before + (raw.value or b"")))
    assert isinstance(found, CommandRefused)
    assert found.code == "unreadable_command"


def test_a_name_that_is_no_text_is_nobody_s():
    raw = structured_record(event({}, type=HANDLE, id="ID"), topics.COMMANDS, STRUCTURED)
    halved = replace(raw, value=(raw.value or b"").replace(b"ID", b"\\ud83d"))
    assert isinstance(read_step(halved), Letter)


def test_base64_keeps_what_json_would_change():
    data = submission(summary="é 🦜 \u200d")
    first = read(structured_record(event(data), topics.SUBMISSIONS, STRUCTURED))
    assert read(structured_record(in_base64(event(data)), topics.SUBMISSIONS, STRUCTURED)) == first
