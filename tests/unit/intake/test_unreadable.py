"""Records that strangers send: each becomes a submission, a refusal that reaches its sender, or a letter."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.consumers import read_submission
from services.intake.handlers.registration import Arrival, Refusal
from shared.contracts import topics
from shared.delivery.cloudevents import MAX_VALUE_BYTES, Raw
from shared.delivery.inbox.store import Letter
from tests.integration.intake.samples import submission

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SOURCE, EVENT = "https://hotline.example", "0d6a1a3e-6a0c-4b93-a2f4-2f5bd1b4e001"
NAMED = ((("ce_source", SOURCE.encode()), ("ce_id", EVENT.encode())),)
NAMELESS: tuple[tuple[tuple[str, bytes | None], ...], ...] = (
    (),
    (("ce_id", EVENT.encode()),),
    (("ce_source", SOURCE.encode()),),
    (("ce_source", SOURCE.encode()), ("ce_id", None)),
    (("ce_source", b"\xff"), ("ce_id", EVENT.encode())),
    (("ce_source", SOURCE.encode()), ("ce_id", b"")),
    (("ce_source", SOURCE.encode()), ("ce_id", b"a\0")),
    (("ce_source", SOURCE.encode()), ("ce_id", b"x" * 201)),
    (("ce_source", SOURCE.encode()), ("ce_id", b"a"), ("ce_id", b"\xff")),
)
GOOD = json.dumps(submission()).encode()
HOSTILE: dict[str, bytes | None] = {
    "a tombstone": None,
    "nothing": b"",
    "an array": b"[%s]" % GOOD,
    "text": b'"text"',
    "a number too large": b"1" * 5000,
    "no UTF-8": b"\xff\xfe",
    "nesting of 300": b'{"summary": ' + b"[" * 300 + b"]" * 300 + b"}",
    "nesting of 100,000": b"[" * 100_000,
    "an open brace": b"{",
    "bytes of zero": b"\0" * 10,
    "1 MiB and one byte": b" " * (MAX_VALUE_BYTES + 1),
    "an envelope without data": b'{"specversion": "1.0", "type": "liaison.request.submitted.v1"}',
    "another envelope": b'{"specversion": "1.0", "type": "x"}',
    "UTF-16": json.dumps(submission()).encode("utf-16"),
    "not a number": b'{"summary": NaN}',
}
STANDS = {
    "half an emoji": GOOD.replace(b'"summary": "', b'"summary": "\\ud83d', 1),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "a schema registry's bytes": b"\0\0\0\0\7" + GOOD,
    "a byte that is no UTF-8": GOOD.replace(b'"summary": "', b'"summary": "\xff', 1),
}


def record(value: bytes | None, headers: Any = ()) -> Raw:
    return Raw(topics.SUBMISSIONS, 0, 7, None, value, tuple(headers))


@pytest.mark.parametrize("kind", [*HOSTILE, *STANDS])
def test_case_20_whom_the_headers_name_is_told(kind: str):
    value = (HOSTILE | STANDS)[kind]
    found = read_submission(record(value, NAMED[0]), TRACE)
    assert isinstance(found, Refusal), found
    assert found.source_ref
    assert found.faults
    assert all(fault.message for fault in found.faults)
    if kind in HOSTILE:
        assert (found.source, found.source_ref) == (SOURCE, EVENT)
    assert found.reason in ("invalid", "unreadable")


@pytest.mark.parametrize("headers", NAMELESS)
@pytest.mark.parametrize("kind", HOSTILE)
def test_whom_nothing_names_has_the_record_kept(kind: str, headers: Any):
    found = read_submission(record(HOSTILE[kind], headers), TRACE)
    assert isinstance(found, Letter)
    assert found.raw.value == HOSTILE[kind]


@pytest.mark.parametrize("kind", STANDS)
def test_names_inside_a_value_that_cannot_be_read_are_found(kind: str):
    found = read_submission(record(STANDS[kind]), TRACE)
    sent = json.loads(GOOD)
    assert isinstance(found, Refusal)
    assert (found.source, found.source_ref) == (sent["source"], sent["source_ref"])
    assert found.reason == "unreadable"


def test_another_type_of_event_is_told_where_its_sender_is_named():
    other = (("ce_type", b"org.example.other"),)
    found = read_submission(record(b"{}", NAMED[0] + other), TRACE)
    assert isinstance(found, Refusal)
    assert found.faults[0].code == "unknown_type"
    assert isinstance(read_submission(record(b"{}", other), TRACE), Letter)


def test_a_good_one_is_taken_with_any_headers():
    for headers in (*NAMED, *NAMELESS):
        assert isinstance(read_submission(record(GOOD, headers), TRACE), Arrival)


names = st.sampled_from([None, b"", b"\xff", b"a\0b", SOURCE.encode(), EVENT.encode(), b"x" * 201])
values = st.one_of(
    st.none(),
    st.binary(max_size=60),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["source", "source_ref", "specversion", "type", "data", "summary", "x"]
                ),
                inner,
                max_size=4,
            )
        ),
    ).map(lambda made: json.dumps(made).encode()),
    # A whole submission with something done to its bytes.
    st.tuples(st.integers(0, len(GOOD)), st.binary(max_size=4), st.integers(0, 4)).map(
        lambda cut: GOOD[: cut[0]] + cut[1] + GOOD[cut[0] + cut[2] :]
    ),
)


@given(value=values, source=names, event=names, wire_type=names)
def test_every_record_is_taken_told_or_kept(
    value: bytes | None, source: bytes | None, event: bytes | None, wire_type: bytes | None
):
    headers = [("ce_source", source), ("ce_id", event), ("ce_type", wire_type)]
    raw = record(value, [(name, each) for name, each in headers if each is not None])
    found = read_submission(raw, TRACE)
    is_named = source in (SOURCE.encode(), EVENT.encode()) and event in (
        SOURCE.encode(),
        EVENT.encode(),
    )
    if is_named:
        assert not isinstance(found, Letter)
    if isinstance(found, Refusal):
        assert 0 < len(found.source) <= 200
        assert 0 < len(found.source_ref) <= 200
        (found.source + found.source_ref).encode()
        assert found.faults
    if isinstance(found, Letter):
        assert found.raw is raw
