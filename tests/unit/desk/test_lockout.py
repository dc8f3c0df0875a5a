"""How long an account rests after wrong attempts."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.desk.domain.lockout import Attempts, Verdict, judge, pause_after

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def wrong(times: int, now: datetime = NOON) -> tuple[Attempts, datetime]:
    """The attempts after so many wrong ones, each at the end of the pause before it, and the time of the last."""
    attempts = Attempts()
    for _ in range(times):
        now = max(now, attempts.locked_until or now)
        verdict, attempts = judge(attempts, False, now)
        assert verdict is Verdict.WRONG
    return attempts, now


def test_the_fifth_wrong_attempt_begins_a_pause_and_each_further_one_one_of_twice_the_length():
    assert wrong(4)[0] == Attempts(4)
    lengths = [pause_after(failures) / MINUTE for failures in range(13)]
    assert lengths == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60]
    for failures in range(5, 13):
        attempts, last = wrong(failures)
        assert attempts.locked_until == last + pause_after(failures)


def test_a_pause_refuses_right_and_wrong_alike_and_counts_neither():
    attempts, last = wrong(5)
    for is_right in (True, False):
        for later in (timedelta(), MINUTE - timedelta(microseconds=1)):
            assert judge(attempts, is_right, last + later) == (Verdict.LOCKED, attempts)
    assert judge(attempts, True, last + MINUTE)[0] is Verdict.RIGHT


def test_a_right_first_step_does_not_clear_what_was_guessed_at_the_second():
    assert judge(Attempts(3), True, NOON) == (Verdict.RIGHT, Attempts(3))


def test_a_day_after_a_pause_the_count_begins_anew():
    attempts, _ = wrong(9)
    later = attempts.locked_until + timedelta(hours=24)
    assert judge(attempts, False, later)[1] == Attempts(1)
    assert judge(attempts, False, later - timedelta(seconds=1))[1].failures == 10


@given(st.integers(0, 10_000_000))
def test_no_pause_is_longer_than_an_hour(failures: int):
    assert timedelta() <= pause_after(failures) <= timedelta(hours=1)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 7200)), max_size=60))
def test_guesses_at_any_pace_are_no_more_than_the_pauses_allow(tried: list[tuple[bool, int]]):
    attempts, now, counted = Attempts(), NOON, 0
    for _, seconds in tried:
        now += timedelta(seconds=seconds)
        verdict, attempts = judge(attempts, False, now)
        counted += verdict is Verdict.WRONG
    hours = (now - NOON) / timedelta(hours=1)
    # 4 free ones, 6 shorter pauses, then one an hour; the count may begin anew once a day.
    assert counted <= (4 + 7) * (1 + hours / 24) + hours + 1
