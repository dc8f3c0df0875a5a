"""Hours with a part of the day: none is read as one of another part, and one that may be two is refused."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.fields.moments import Misread, typed_moment

SHANGHAI = ZoneInfo("Asia/Shanghai")
PARTS_OF_THE_DAY = {
    "凌晨": (0, 7), "清晨": (3, 10), "早晨": (4, 12), "早上": (4, 12), "上午": (0, 12), "中午": (10, 15),
    "下午": (12, 24), "傍晚": (16, 21), "晚上": (17, 24), "晚": (17, 24), "am": (0, 12), "pm": (12, 24),
}  # fmt: skip


@pytest.mark.parametrize(
    "clock",
    [
        "上午12:30", "早上12点", "中午3点", "下午0:30", "下午24:00", "傍晚1点", "晚上3点", "晚0点", "0:30 pm",
        "13:30 am",
    ],
)  # fmt: skip
def test_an_hour_that_may_be_two_is_refused(clock: str) -> None:
    with pytest.raises(Misread) as caught:
        typed_moment(f"2026/1/1 {clock}", SHANGHAI)
    assert caught.value.code == "datetime_parsing"


@given(st.sampled_from(sorted(PARTS_OF_THE_DAY)), st.integers(0, 24), st.integers(0, 59))
def test_a_part_of_the_day_never_moves_a_time_out_of_it(half: str, hour: int, minute: int) -> None:
    try:
        read = typed_moment(f"2023/11/9 {half}{hour}:{minute:02}", SHANGHAI).astimezone(SHANGHAI)
    except Misread:
        return
    first, last = PARTS_OF_THE_DAY[half]
    assert (read.day, read.minute) == (9, minute)
    assert first <= read.hour < last
    assert read.hour % 12 == hour % 12
