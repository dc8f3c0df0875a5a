"""A batch is cut into its items wherever one of them cannot be read."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.api.envelopes import NoArray, TooManyItems, array_items

pytestmark = pytest.mark.thorough
"""Megabytes of anything."""

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(VALUES, max_size=8), st.booleans(), st.sampled_from([None, 1]))
def test_the_items_are_those_of_a_json_parser(items: list[object], ascii_only: bool, indent: int):
    raw = json.dumps(items, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    found = [json.loads(item) for item in array_items(raw, 100)]
    assert json.dumps(found) == json.dumps(items)


BROKEN = [
    b'{"a": "\xff"}',
    b"nonsense",
    b"",
    b'{"a": 1]',
    b"[" * 300 + b"]" * 300,
    b"1e999",
    b"NaN",
]


@given(st.lists(st.sampled_from(BROKEN) | VALUES.map(lambda v: json.dumps(v).encode()), min_size=2))
def test_items_that_cannot_be_read_leave_the_others_whole(items: list[bytes]):
    assert array_items(b"[" + b",".join(items) + b"]", 1000) == items


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"[", b"[1", b"[1]]", b"[1] 2", b'["a]', b'["a\\"]', b"[}", b'"[1]"']
)
def test_what_is_no_whole_array_is_refused(raw: bytes):
    with pytest.raises(NoArray):
        array_items(raw, 10)


def test_an_empty_array_has_no_items():
    assert array_items(b" [ ] ", 10) == []


def test_more_items_than_are_taken_are_refused_early():
    with pytest.raises(TooManyItems):
        array_items(b"[" + b"1," * 5_000_000 + b"1]", 1000)


@pytest.mark.parametrize(
    "raw", [b"[" * 8_000_000, b'["' + b"\\" * 8_000_000, b"[" + b'"a"' * 2_000_000]
)
def test_eight_megabytes_of_anything_are_looked_at_in_seconds(raw: bytes):
    begun = time.process_time()
    with pytest.raises(NoArray):
        array_items(raw, 1000)
    assert time.process_time() - begun < 8
