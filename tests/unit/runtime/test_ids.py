"""When an id was drawn, for every id that somebody may send."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.ids import made_at, new_id


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**74 - 1))
def test_every_id_was_drawn_at_some_time_or_none(milliseconds: int, rest: int):
    drawn = UUID(
        int=milliseconds << 80 | 7 << 76 | (rest >> 62) << 64 | 2 << 62 | rest & (2**62 - 1)
    )
    assert drawn.version == 7
    moment = made_at(drawn)
    if moment is None:
        assert milliseconds >= datetime.max.replace(tzinfo=UTC).timestamp() * 1000 - 1
    else:
        assert abs(moment.timestamp() * 1000 - milliseconds) < 1


def test_the_last_id_there_is_has_no_moment():
    assert made_at(UUID("ffffffff-ffff-7fff-bfff-ffffffffffff")) is None
    assert made_at(UUID("e5b1a7e0-0000-4000-8000-000000000000")) is None
    assert abs((made_at(UUID(new_id())) - datetime.now(UTC)).total_seconds()) < 5
