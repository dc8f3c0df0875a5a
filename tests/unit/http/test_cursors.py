"""Cursors: what a list wrote it reads again, and anything else is 422 by name."""

import base64
import contextlib
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http import cursors
from shared.runtime.errors import Problem


@given(st.uuids())
def test_an_id_comes_back(identifier: UUID):
    assert cursors.read_id(cursors.write_cursor(identifier)) == identifier


@given(st.integers(0, 2**32).map(lambda at: datetime.fromtimestamp(at, UTC)), st.uuids())
def test_a_place_comes_back(at: datetime, identifier: UUID):
    place = (at, identifier)
    assert cursors.read_place(cursors.write_cursor(*place)) == place


@given(st.integers(0, 999_999_999))
def test_a_number_comes_back(number: int):
    assert cursors.read_number(cursors.write_cursor(number)) == number


@given(
    st.text(max_size=40)
    | st.binary(max_size=40).map(lambda b: base64.urlsafe_b64encode(b).decode())
)
def test_anything_else_is_read_or_refused(text: str):
    for read in (cursors.read_id, cursors.read_place, cursors.read_number):
        with contextlib.suppress(Problem):
            read(text)


@pytest.mark.parametrize("parts", [("a\0b",), (1, 2), (), ("-1",), ("٣",), ("1" * 10,)])
def test_a_cursor_of_another_kind_is_refused(parts: tuple[object, ...]):
    with pytest.raises(Problem, match="bad_cursor"):
        cursors.read_number(cursors.write_cursor(*parts))
