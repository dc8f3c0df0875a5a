"""The ways from an entry to a row are there as `tools.trips` tells them, and no longer than they were."""

from collections.abc import Sequence

import pytest

from tools.trips import TRIPS, measure

MOST_FILES = 8
MOST_CALLBACKS = 3


@pytest.mark.parametrize("way", TRIPS.values(), ids=TRIPS)
def test_a_way_is_short(way: Sequence[str]) -> None:
    trip = measure(way)
    assert trip.files <= MOST_FILES
    assert trip.callbacks <= MOST_CALLBACKS
