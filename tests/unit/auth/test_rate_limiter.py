"""So many requests a minute, some of them at once, each party by itself; and a memory that does not grow."""

from contextlib import suppress

import pytest

from shared.auth import rate_limiter
from shared.auth.rate_limiter import RateLimiter
from shared.runtime.errors import Problem
from tests.unit.auth.moments import Moments


@pytest.fixture
def moments() -> Moments:
    return Moments()


def spent(bucket: RateLimiter, party: str, times: int) -> int:
    """How many of `times` requests at once were allowed; all before the first refusal."""
    allowed = 0
    for _ in range(times):
        with suppress(Problem):
            bucket.spend(party)
            allowed += 1
    return allowed


def seconds_to_wait(bucket: RateLimiter, party: str) -> int:
    with pytest.raises(Problem) as caught:
        bucket.spend(party)
    assert (caught.value.status, caught.value.code) == (429, "too_many_requests")
    assert caught.value.body("en")["detail"].startswith("Send it again in ")
    return int(caught.value.headers["retry-after"])


@pytest.mark.parametrize(
    ("per_minute", "burst"), [(1, 1), (5, 1), (6, 1), (12, 2), (100, 16), (6000, 1000)]
)
def test_what_fits_ten_seconds_may_come_at_once(moments: Moments, per_minute: int, burst: int):
    bucket = RateLimiter(per_minute, moments.nanoseconds)
    assert spent(bucket, "a", burst + 5) == burst
    moments.go_on(60)
    assert spent(bucket, "a", burst + 5) == burst, "a full bucket does not overflow"


def test_it_fills_again_by_its_share(moments: Moments):
    bucket = RateLimiter(60, moments.nanoseconds)
    assert spent(bucket, "a", 11) == 10
    moments.go_on(0.999)
    assert spent(bucket, "a", 1) == 0
    moments.go_on(0.001)
    assert spent(bucket, "a", 2) == 1
    moments.go_on(3.5)
    assert spent(bucket, "a", 5) == 3


def test_over_a_minute_it_is_what_was_said(moments: Moments):
    bucket = RateLimiter(600, moments.nanoseconds)
    assert spent(bucket, "a", 101) == 100
    allowed = 0
    for _ in range(600):
        moments.go_on(0.1)
        allowed += spent(bucket, "a", 3)
    assert allowed == 600


@pytest.mark.parametrize(
    ("per_minute", "later", "wait"),
    [(1, 0, 60), (1, 59.5, 1), (7, 0, 9), (60, 0.3, 1), (6000, 0, 1)],
)
def test_a_refusal_says_in_whole_seconds_when_the_next_is_allowed(
    moments: Moments, per_minute: int, later: float, wait: int
):
    bucket = RateLimiter(per_minute, moments.nanoseconds)
    spent(bucket, "a", 1000)
    moments.go_on(later)
    assert seconds_to_wait(bucket, "a") == wait
    moments.go_on(wait)
    assert spent(bucket, "a", 1) == 1


def test_a_refusal_costs_nothing(moments: Moments):
    bucket = RateLimiter(60, moments.nanoseconds)
    assert spent(bucket, "a", 500) == 10
    moments.go_on(1)
    assert spent(bucket, "a", 1) == 1


def test_each_party_has_its_own(moments: Moments):
    bucket = RateLimiter(6, moments.nanoseconds)
    assert spent(bucket, "a", 2) == 1
    assert spent(bucket, "b", 2) == 1


def test_no_more_is_kept_than_so_many_and_the_oldest_goes(
    moments: Moments, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rate_limiter, "MOST_BUCKETS", 3)
    bucket = RateLimiter(12, moments.nanoseconds)
    for party in ("a", "b", "c", "a", "d"):
        bucket.spend(party)
    assert list(bucket._full_at) == ["c", "a", "d"]
    assert spent(bucket, "a", 1) == 0, "who came again is not the oldest"
    assert spent(bucket, "b", 3) == 2, "who was forgotten begins anew"


def test_what_is_charged_past_the_limit_is_waited_for(moments: Moments):
    """Five tries that were all allowed before any of them was counted."""
    bucket = RateLimiter(60, moments.nanoseconds)
    spent(bucket, "a", 9)
    for _ in range(5):
        bucket.require("a")
    for _ in range(5):
        bucket.charge("a")
    assert seconds_to_wait(bucket, "a") == 5
    moments.go_on(5)
    assert spent(bucket, "a", 2) == 1
