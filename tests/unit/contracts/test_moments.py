"""Moments and days: what was written is what is read, in any notation, and a number is never seconds since 1970."""

# ruff: noqa: DTZ001 - wall clocks are what is tested
import contextlib
import re
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.fields.moments import (
    FIRST_YEAR,
    LAST_YEAR,
    Misread,
    read_day,
    read_moment,
    read_recorded,
    typed_day,
    typed_moment,
    typed_time,
    with_lost_plus,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
FIRST, LAST = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)
# Shanghai's wall clock had summers until 1991, and its own time before 1901.
WALL = st.datetimes(datetime(1992, 1, 1), datetime(2199, 12, 31)).map(
    lambda at: at.replace(microsecond=0)
)
DAYS = st.dates(FIRST, LAST)
OFFSETS = st.integers(-15 * 60, 15 * 60).map(timedelta(minutes=1).__mul__)


def code_of(read, *args) -> str:
    with pytest.raises(Misread) as caught:
        read(*args)
    return caught.value.code


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-03-02T09:30:00+08:00", "2026-03-02T01:30:00"),
        ("2026-03-02t09:30:00z", "2026-03-02T09:30:00"),
        ("2026-03-02 09:30:00Z", "2026-03-02T09:30:00"),
        # Java's OffsetDateTime leaves seconds out, C's %z the colon, PostgreSQL the minutes; Ruby puts a blank.
        ("2026-03-02T09:30+08:00", "2026-03-02T01:30:00"),
        ("2026-03-02T09:30:00+0800", "2026-03-02T01:30:00"),
        ("2026-03-02 09:30:00+08", "2026-03-02T01:30:00"),
        ("2026-03-02 09:30:00 +0800", "2026-03-02T01:30:00"),
        # RFC 3339: known in UTC, the sender's own offset is not.
        ("2026-03-02T09:30:00-00:00", "2026-03-02T09:30:00"),
        # .NET has seven digits, Java and Go nine.
        ("2026-03-02T09:30:00.1234567Z", "2026-03-02T09:30:00.123456"),
        ("2026-03-02T09:30:00.999999999Z", "2026-03-02T09:30:00.999999"),
        ("2026-03-02T09:30:00.1Z", "2026-03-02T09:30:00.100000"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00"),
        ("2017-01-01T07:59:60.5+08:00", "2017-01-01T00:00:00"),
    ],
)
def test_what_senders_write_is_understood(text: str, iso: str) -> None:
    assert read_moment(text) == datetime.fromisoformat(iso).replace(tzinfo=UTC)
    assert read_moment(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1699491600", "datetime_number"),
        ("1699491600000", "datetime_number"),
        ("-1", "datetime_number"),
        ("1.7e9", "datetime_number"),
        ("20260302", "datetime_number"),
        ("45239", "datetime_number"),
        ("2026-03-02", "datetime_from_date_parsing"),
        ("2026-03-02T09:30:00", "timezone_aware"),
        ("2026-03-02T24:00:00Z", "datetime_parsing"),
        ("2026-03-02T09:30:60Z", "datetime_parsing"),
        ("2026-03-02T09:60:00Z", "datetime_parsing"),
        ("2026-02-30T09:30:00Z", "datetime_parsing"),
        ("2026-03-02T09:30:00+24:00", "datetime_parsing"),
        ("2026-03-02T09:30:00+08:60", "datetime_parsing"),
        ("2026-W10-1T09:30:00Z", "datetime_parsing"),
        ("2026-061T09:30:00Z", "datetime_parsing"),
        ("２０２６-03-02T09:30:00Z", "datetime_parsing"),
        ("2026/03/02 09:30:00Z", "datetime_parsing"),
        ("2026-03-02T09:30:00Z\n", "datetime_parsing"),
        ("2026-03-02T09:30:00+08:00[Asia/Shanghai]", "datetime_parsing"),
        ("Mon, 02 Mar 2026 09:30:00 GMT", "datetime_parsing"),
        ("now", "datetime_parsing"),
        ("", "datetime_parsing"),
        ("1899-12-31T00:00:00Z", "datetime_range"),
        ("9999-12-31T23:59:59-12:00", "datetime_range"),
        ("0001-01-01T00:00:00+14:00", "datetime_range"),
    ],
)
def test_what_is_no_moment_is_refused_by_name(text: str, code: str) -> None:
    assert code_of(read_moment, text) == code


@given(st.datetimes(datetime(1901, 1, 1), datetime(2199, 1, 1)), OFFSETS, st.data())
def test_a_moment_is_read_as_it_was_written(
    wall: datetime, offset: timedelta, data: st.DataObject
) -> None:
    at = wall.replace(tzinfo=timezone(offset))
    text = at.isoformat(sep=data.draw(st.sampled_from("Tt ")))
    if data.draw(st.booleans()):
        text = re.sub(r":(\d\d)$", r"\1", text)
    if data.draw(st.booleans()):
        text = re.sub(r"([+-]\d\d:?\d\d)$", r" \1", text)
    assert read_moment(text) == read_recorded(text) == at
    assert read_moment(read_moment(text).isoformat().replace("+00:00", "Z")) == at


@given(
    st.datetimes(datetime(1901, 1, 1), datetime(2199, 1, 1)),
    OFFSETS.filter(lambda o: o >= timedelta()),
)
def test_a_plus_that_a_query_lost_is_put_back(wall: datetime, offset: timedelta) -> None:
    at = wall.replace(tzinfo=timezone(offset))
    for text in (at.isoformat(), at.strftime("%Y-%m-%d %H:%M:%S.%f%z")):
        assert read_moment(with_lost_plus(text.replace("+", " "))) == at
        assert with_lost_plus(text) == text


@pytest.mark.parametrize("text", ["2026-03-02 09:30", "2026-03-02T09:30", "a 09:30", "09:30 08:00"])
def test_a_time_is_not_taken_for_an_offset(text: str) -> None:
    assert with_lost_plus(text) == text


@given(st.integers() | st.floats())
def test_no_number_is_a_moment_or_a_day(number: float) -> None:
    for read in (read_moment, read_day, read_recorded):
        with pytest.raises(Misread):
            read(str(number))


@given(st.text(max_size=40))
def test_any_other_text_is_misread_and_nothing_worse(text: str) -> None:
    for read in (read_moment, read_day, typed_day):
        with contextlib.suppress(Misread):
            read(text)
    with contextlib.suppress(Misread):
        typed_time(text, SHANGHAI)


# -- Files --------------------------------------------------------------------------------------------------------

FULL_WIDTH = str.maketrans("0123456789/.:-", "０１２３４５６７８９／．：－")
DAY_NOTATIONS = [
    "{0:%Y%m%d}",
    "{0.year}/{0.month}/{0.day}",
    "{0:%Y/%m/%d}",
    "{0.year}.{0.month}.{0.day}",
    "{0.year}-{0.month}-{0.day}",
    "{0:%Y-%m-%d}",
    "{0.year}年{0.month}月{0.day}日",
    "{0.year} 年 {0.month} 月 {0.day} 日",
    "{0.year}年{0.month}月{0.day}号",
]
TIME_NOTATIONS = [
    " {0.hour}:{0:%M}",
    " {0:%H:%M}",
    "  {0:%H:%M:%S}",
    "T{0:%H:%M:%S}",
    " {0.hour}时{0.minute}分",
    " {0.hour}点{0:%M}分{0:%S}秒",
    " {0:%I}:{0:%M}:{0:%S} {0:%p}",
    " {half}{twelve}:{0:%M}",
    " {half}{twelve}时{0.minute}分{0.second}秒",
]
WEEKDAYS = "一二三四五六日"


@given(DAYS, st.sampled_from(DAY_NOTATIONS), st.booleans(), st.sampled_from(["", " 星期", "（周"]))
def test_a_day_is_read_as_it_was_typed(day: date, notation: str, wide: bool, week: str) -> None:
    text = notation.format(day)
    if week:
        text += f"{week}{WEEKDAYS[day.weekday()]}{'）' if '（' in week else ''}"
    text = f" {text.translate(FULL_WIDTH) if wide else text}\u200b"
    assert typed_day(text) == day
    assert typed_time(text, SHANGHAI) == day


@given(st.dates(date(1928, 1, 1), date(2173, 1, 1)))
def test_excels_number_of_a_day_is_that_day(day: date) -> None:
    assert typed_day(str((day - date(1899, 12, 30)).days)) == day


@given(WALL.filter(lambda at: at.year < 2173))
def test_excels_number_of_a_moment_is_exact_to_the_second(wall: datetime) -> None:
    since = wall - datetime(1899, 12, 30)
    assert typed_moment(repr(since / timedelta(days=1)), SHANGHAI) == wall.replace(tzinfo=SHANGHAI)


@given(WALL, st.sampled_from(DAY_NOTATIONS), st.sampled_from(TIME_NOTATIONS), st.booleans())
def test_a_moment_is_read_as_it_was_typed(wall: datetime, day: str, clock: str, wide: bool) -> None:
    has_seconds = "%S" in clock or "second" in clock
    wall = wall if has_seconds else wall.replace(second=0)
    half = "上午" if wall.hour < 12 else "下午"
    twelve = wall.hour if wall.hour <= 12 else wall.hour - 12
    text = day.format(wall) + clock.format(wall, half=half, twelve=twelve)
    text = text.translate(FULL_WIDTH) if wide else text
    expected = wall.replace(tzinfo=SHANGHAI)
    assert typed_moment(text, SHANGHAI) == expected
    if wall.hour or wall.minute or wall.second:
        assert code_of(typed_day, text) == "date_from_datetime_parsing"


@pytest.mark.parametrize(
    ("text", "wall"),
    [
        ("202311091530", "2023-11-09T15:30"),
        ("20231109 153005", "2023-11-09T15:30:05"),
        ("2023年11月9日下午3点半", "2023-11-09T15:30"),
        ("2023年11月9日凌晨12点10分", "2023-11-09T00:10"),
        ("2023年11月9日中午12点", "2023-11-09T12:00"),
        ("2023年11月9日中午1点", "2023-11-09T13:00"),
        ("2023年11月9日晚上8:05", "2023-11-09T20:05"),
        ("2023年11月9日 9点整", "2023-11-09T09:00"),
        ("2023-11-09 24:00", "2023-11-10T00:00"),
        ("2023/11/9 12:30 am", "2023-11-09T00:30"),
        ("2023/11/9 下午15:30", "2023-11-09T15:30"),
        ("2023年11月9日上午0:30", "2023-11-09T00:30"),
        ("2023年11月9日中午11点半", "2023-11-09T11:30"),
        ("2023年11月9日下午12:30", "2023-11-09T12:30"),
        ("2023年11月9日傍晚6点", "2023-11-09T18:00"),
        ("2023年11月9日晚7点", "2023-11-09T19:00"),
        ("2023/11/9 12:30 pm", "2023-11-09T12:30"),
        ("45239.5", "2023-11-09T12:00"),
        ("2023-11-09T09:30:00.000", "2023-11-09T09:30"),
    ],
)
def test_times_as_offices_type_them(text: str, wall: str) -> None:
    expected = datetime.fromisoformat(wall).replace(tzinfo=SHANGHAI)
    assert typed_moment(text, SHANGHAI) == expected


def test_a_moment_with_its_offset_needs_no_wall_clock() -> None:
    assert typed_moment("2026-03-02T09:30:00Z", SHANGHAI) == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1/2/2026", "date_ambiguous"),
        ("26/1/1", "date_ambiguous"),
        ("26.1.1 9:30", "date_ambiguous"),
        ("01-02-2026", "date_ambiguous"),
        ("26年1月1日", "date_ambiguous"),
        ("2026", "datetime_number"),
        ("202601", "datetime_number"),
        ("1699491600", "datetime_number"),
        ("1699491600000", "datetime_number"),
        ("2026-02-30", "datetime_parsing"),
        ("20261301", "datetime_parsing"),
        ("2026/1-1", "datetime_parsing"),
        ("2026-1", "datetime_parsing"),
        ("2026年1月1日晚上12点", "datetime_parsing"),
        ("2026年1月1日上午13点", "datetime_parsing"),
        ("2026-01-01 24:01", "datetime_parsing"),
        ("2026-01-01 9:60", "datetime_parsing"),
        ("2026年1月1日（周五）", "weekday_differs"),
        ("昨天", "datetime_parsing"),
        ("-", "datetime_parsing"),
        ("TRUE", "datetime_parsing"),
        ("1899-12-31", "datetime_range"),
        ("9999-12-31", "datetime_range"),
    ],
)
def test_what_can_be_read_in_two_ways_or_in_none_is_refused_by_name(text: str, code: str) -> None:
    assert code_of(typed_time, text, SHANGHAI) == code
