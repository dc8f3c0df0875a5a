"""One list by the next promised moment."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.desk.domain.promises import ORDER, When, by_promise, gone_from, when_due

ZONE = timezone(timedelta(hours=8))
NOW = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)  # 11:00 in the town


@dataclass(frozen=True)
class Row:
    due_at: datetime | None


def test_a_day_is_the_towns():
    before_midnight = datetime(2026, 11, 30, 15, 59, tzinfo=UTC)
    after_midnight = datetime(2026, 11, 30, 16, 1, tzinfo=UTC)
    assert when_due(before_midnight, NOW, ZONE) is When.TODAY
    assert when_due(after_midnight, NOW, ZONE) is When.LATER


def test_what_is_due_now_is_late_and_what_has_no_promise_comes_last():
    rows = [Row(None), Row(NOW + timedelta(days=3)), Row(NOW), Row(NOW + timedelta(hours=1))]
    sections = by_promise(rows, NOW, ZONE)
    assert [section.when for section in sections] == [When.LATE, When.TODAY, When.LATER, When.OPEN]


@given(st.lists(st.none() | st.timedeltas(timedelta(days=-400), timedelta(days=400))))
def test_every_row_is_there_once_and_the_earliest_comes_first(offsets: list[timedelta | None]):
    rows = [Row(None if offset is None else NOW + offset) for offset in offsets]
    sections = by_promise(rows, NOW, ZONE)
    assert [section.when for section in sections] == [
        when for when in ORDER if any(when_due(row.due_at, NOW, ZONE) is when for row in rows)
    ]
    listed = [row.due_at for section in sections for row in section.rows]
    dated = [due for due in listed if due is not None]
    assert dated == sorted(row.due_at for row in rows if row.due_at is not None)
    assert len(listed) == len(rows)


@pytest.mark.parametrize(
    ("known", "found", "is_whole", "gone"),
    [
        ("abc", "abc", True, ""),
        ("abc", "ac", True, "b"),
        ("abc", "ab", True, "c"),
        ("abc", "", True, "abc"),
        # Of the beginning of a list: x pushed c out of it.
        ("abc", "xab", False, ""),
        ("abcd", "xac", False, "b"),
        ("abc", "xyz", False, ""),
    ],
)
def test_a_row_that_was_pushed_out_of_the_beginning_of_a_list_has_not_left_it(
    known: str, found: str, is_whole: bool, gone: str
):
    assert gone_from(list(known), set(found), is_whole=is_whole) == set(gone)
