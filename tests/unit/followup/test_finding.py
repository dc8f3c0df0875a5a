"""How many weeks a search takes at once: few while the page fills, and all there are within a few rounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.followup.store.finding import MOST_WEEKS_AT_ONCE, weeks_next

TEN_YEARS = 520


def rounds(found: int, limit: int) -> int:
    """Until ten years are seen, when `found` came from the first week and nothing after."""
    seen = at_once = count = 1
    while seen < TEN_YEARS:
        at_once = weeks_next(at_once, seen, found, limit)
        seen += at_once
        count += 1
    return count


@given(
    st.integers(1, 200).flatmap(lambda limit: st.tuples(st.integers(0, limit - 1), st.just(limit)))
)
def test_a_word_that_is_asked_no_more_costs_a_few_rounds(of: tuple[int, int]) -> None:
    found, limit = of
    assert rounds(found, limit) <= 20


@pytest.mark.parametrize(
    ("seen", "found", "weeks"),
    [
        pytest.param(9, 32, 6, id="four a week: eighteen more"),
        pytest.param(9, 0, 64, id="nothing yet"),
        pytest.param(2, 49, 1, id="nearly full"),
    ],
)
def test_as_many_weeks_as_the_page_seems_to_need(seen: int, found: int, weeks: int) -> None:
    assert weeks_next(8, seen, found, 50) == weeks


def test_a_round_is_bounded() -> None:
    assert weeks_next(MOST_WEEKS_AT_ONCE, 1000, 0, 50) == MOST_WEEKS_AT_ONCE
