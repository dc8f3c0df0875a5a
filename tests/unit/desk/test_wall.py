"""Where milestones stand on the wall chart."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from services.desk.domain.wall import LEAST_DAYS, MOST_DAYS, MilestoneDates, wall_of

ZONE = timezone(timedelta(hours=8))
NOW = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
moments = st.integers(-(10**9), 10**9).map(lambda seconds: NOW + timedelta(seconds=seconds))


def test_an_empty_wall_shows_two_weeks():
    wall = wall_of([], NOW, ZONE)
    assert wall.days == LEAST_DAYS
    assert 0 <= wall.now <= 1


def test_a_slipped_milestone_stands_right_of_its_first_date():
    span = MilestoneDates(NOW + timedelta(days=2), NOW + timedelta(days=12))
    place = wall_of([span], NOW, ZONE).place(span)
    assert place.original < place.due
    assert place.slipped_days == 10


@given(st.lists(st.tuples(moments, moments), max_size=20))
def test_everything_stands_on_the_wall_and_the_earlier_is_never_right_of_the_later(pairs):
    spans = [MilestoneDates(*pair) for pair in pairs]
    wall = wall_of(spans, NOW, ZONE)
    assert LEAST_DAYS <= wall.days <= MOST_DAYS
    places = sorted((span.due, wall.place(span).due) for span in spans)
    assert all(0 <= share <= 1 for _, share in places)
    assert [share for _, share in places] == sorted(share for _, share in places)
