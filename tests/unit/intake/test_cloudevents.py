"""An event over HTTP is the same submission in each content mode; a damaged one is refused by name."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import Request
from hypothesis import example, given
from hypothesis import strategies as st

from services.intake.api.cloudevents import (
    content_of_binary,
    content_of_event,
    decoded_value,
    is_binary,
    trace_of_event,
)
from shared.contracts.submission import Submission
from shared.http.middleware.tracing import trace_in
from shared.runtime.errors import Problem
from tests.integration.intake.samples import submission
from tests.support.content_modes import event, http_headers, in_base64

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
HOP = "00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01"

texts = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=60)


def request(headers: dict[str, str] | list[tuple[str, str]]) -> Request:
    pairs = headers.items() if isinstance(headers, dict) else headers
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs]
    return Request({"type": "http", "headers": raw, "query_string": b"lang=en"})


def without_names(**changes: Any) -> dict[str, Any]:
    data = submission(**changes)
    del data["source"], data["source_ref"]
    return data


@given(texts, texts)
@example("call 7", '100% "sure" %41 \\')
@example("é", "🦜")
def test_each_mode_of_an_event_says_the_same_of_a_submission(event_id: str, subject: str):
    data = without_names()
    sent = event(data, id=event_id, subject=subject, time="2026-03-02T09:30:00Z")
    named = request(http_headers(sent))
    assert is_binary(named)
    expected = {"source": sent["source"], "source_ref": event_id} | data
    assert content_of_binary(named, json.dumps(data).encode()) == expected
    assert content_of_event(sent, named) == expected
    assert content_of_event(in_base64(sent), named) == expected
    nulled = sent | {"data_base64": None, "dataschema": None, "datacontenttype": None}
    assert content_of_event(nulled, named) == expected
    assert content_of_event(in_base64(sent) | {"data": None}, named) == expected


@given(texts)
@example("%")
@example("a%2")
@example('"')
def test_a_header_s_value_is_what_was_encoded(written: str):
    upper = quote(written, safe="")
    assert decoded_value(upper.encode()) == written
    assert decoded_value(upper.lower().encode()) == written.lower() or upper.lower() != upper
    quoted = upper.replace("%5C", "%5c").encode()
    assert decoded_value(b'"%s"' % quoted) == written


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        (b"%41%42", "AB"),
        (b'"a \\"b\\" \\\\"', 'a "b" \\'),
        ("园区".encode(), "园区"),
        (b"100%", "100%"),
        (b"100%zz", "100%zz"),
        (b"%2541", "%41"),
        (b'"', '"'),
        (b"", ""),
        (b"%C0%A0", None),
        (b"%ED%A0%80", None),
        (b"\xe9", None),
        (b"%E2%82", None),
    ],
)
def test_values_as_the_binding_s_text_has_them(value: bytes, text: str | None):
    assert decoded_value(value) == text


BINARY: dict[str, tuple[dict[str, str | None], str, str]] = {
    "another type": ({"ce-type": "org.example.other"}, "/header/ce-type", "unknown_type"),
    "no type": ({"ce-type": None}, "/header/ce-type", "missing"),
    "an empty type": ({"ce-type": ""}, "/header/ce-type", "attribute_text"),
    "no version": ({"ce-specversion": None}, "/header/ce-specversion", "missing"),
    "0.3": ({"ce-specversion": "0.3"}, "/header/ce-specversion", "unknown_specversion"),
    "no id": ({"ce-id": None}, "/header/ce-id", "missing"),
    "a line break": ({"ce-id": "a%0Ab"}, "/header/ce-id", "attribute_text"),
    "latin-1": ({"ce-id": "\xe9"}, "/header/ce-id", "header_encoding"),
    "no UTF-8": ({"ce-source": "%FF"}, "/header/ce-source", "header_encoding"),
    "another header": ({"ce-subject": "%FF"}, "/header/ce-subject", "header_encoding"),
    "no source": ({"ce-source": None}, "/header/ce-source", "missing"),
}


@pytest.mark.parametrize("kind", BINARY)
def test_a_damaged_binary_event_is_refused_by_its_headers(kind: str):
    changes, pointer, code = BINARY[kind]
    headers = {
        name: value
        for name, value in (http_headers(event({})) | changes).items()
        if value is not None
    }
    assert is_binary(request(headers))
    with pytest.raises(Problem) as raised:
        content_of_binary(request(headers), json.dumps(submission()).encode())
    found = raised.value
    assert (found.status, found.code) == (422, "not_a_cloudevent")
    assert (pointer, code) in {(each.pointer, each.code) for each in found.errors}
    assert all(each.message for each in found.errors)


@pytest.mark.parametrize("name", ["ce-id", "ce-source", "ce-type", "ce-specversion"])
def test_one_attribute_makes_an_event_of_a_request(name: str):
    found = request({name.upper(): "x"})
    assert is_binary(found)
    with pytest.raises(Problem) as raised:
        content_of_binary(found, json.dumps(submission()).encode())
    assert len(raised.value.errors) >= 3
    assert not is_binary(request({"ce-traceparent": TRACE, "ce": "x", "x-ce-id": "x"}))


def test_an_attribute_given_twice_is_refused():
    twice = [*http_headers(event({})).items(), ("ce-id", "another")]
    with pytest.raises(Problem) as raised:
        content_of_binary(request(twice), b"{}")
    assert [each.pointer for each in raised.value.errors] == ["/header/ce-id"]


@pytest.mark.parametrize(("body", "code"), [(b"[]", "not_a_cloudevent"), (b"{", "not_json")])
def test_the_data_of_a_binary_event_is_an_object(body: bytes, code: str):
    with pytest.raises(Problem) as raised:
        content_of_binary(request(http_headers(event({}))), body)
    assert raised.value.code == code
    assert [each.pointer for each in raised.value.errors] == (["/"] if body == b"[]" else [])


@pytest.mark.parametrize("item", [5, "x", None, [], {}])
def test_what_is_no_event_is_refused(item: object):
    with pytest.raises(Problem) as raised:
        content_of_event(item, request({}))
    assert raised.value.code == "not_a_cloudevent"
    assert raised.value.errors


def test_the_trace_of_the_last_hop_goes_before_the_one_of_the_event():
    sent = event({}, traceparent=TRACE)
    assert trace_of_event(request({}), sent) == TRACE
    assert trace_of_event(request({"traceparent": "x"}), sent) == TRACE
    assert trace_of_event(request({"traceparent": HOP}), sent) is None
    assert trace_of_event(request({}), event({}, traceparent="x")) is None
    assert trace_of_event(request({}), [TRACE]) is None
    assert trace_in(request({"ce-traceparent": TRACE})) == TRACE
    assert trace_in(request({"ce-traceparent": TRACE, "traceparent": "x"})) == TRACE
    assert trace_in(request({"ce-traceparent": TRACE, "traceparent": HOP})) == HOP


def test_a_submission_is_the_same_in_each_mode_to_the_last_field():
    data = submission(occurred_at="2026-03-02T09:30:00+08:00", attachments=[])
    sent = event(data)
    named = request(http_headers(sent))
    read = [
        Submission.model_validate(content_of_binary(named, json.dumps(data).encode())),
        Submission.model_validate(content_of_event(sent, named)),
        Submission.model_validate(content_of_event(in_base64(sent), named)),
    ]
    assert all(each == Submission.model_validate_json(json.dumps(data)) for each in read)
