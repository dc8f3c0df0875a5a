"""The words of the live page: what is masked, how spans and rates are told."""

from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.desk.clients.overview import Overview, TownRate
from services.desk.pages import wording
from services.desk.pages.live import board
from services.desk.pages.live.view_models import Board
from shared.contracts.vocabulary import MatterState
from shared.messages.catalogue import text

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
WELL = {"database": True, "kafka": True, "outbox": True}


def written(lang: str = "zh", rate: TownRate | None = None, counts=None) -> Board:
    rates = {"response": rate or rate_of(0, 0)}
    overview = Overview(at=NOW, arrivals=(), due=(), counts=counts or {}, rates=rates)
    return board.write(overview, NOW, WELL, ZONE, lang)


def rate_of(numerator: int, denominator: int, left_out: dict[str, int] | None = None) -> TownRate:
    value = numerator / denominator if denominator else None
    return TownRate(
        rate=value, numerator=numerator, denominator=denominator, left_out=left_out or {}
    )


@pytest.mark.parametrize(
    ("summary", "shown"),
    [
        ("请回电13800138000，谢谢", "请回电●●●●，谢谢"),
        ("请回电 +86 138-0013-8000", "请回电 ●●●●"),
        ("座机021-57001234或057157001234", "座机●●●●或●●●●"),
        ("身份证31011719900101123X", "身份证●●●●"),
        ("2026-03-02起停水，影响1200户", "2026-03-02起停水，影响1200户"),
        ("订单号 100200300400 未到", "订单号 100200300400 未到"),
    ],
)
def test_numbers_of_persons_are_hidden_and_others_are_not(summary: str, shown: str):
    assert board.masked(summary) == shown


@given(st.text(alphabet="一二三路灯 -0123456789", max_size=12), st.integers(3, 9))
def test_a_mobile_number_is_hidden_wherever_it_stands(words: str, second: int):
    number = f"1{second}800138000"[:11]
    assert number not in board.masked(f"{words}电话{number}。")


@pytest.mark.parametrize(
    ("rate", "value", "made_of"),
    [
        (rate_of(0, 0), "—", "尚无联系上的回访"),
        (rate_of(2, 3), "66.7", "2 / 3 次回访"),
        (rate_of(3, 3), "100", "3 / 3 次回访"),
        (rate_of(2999, 3000), "99.9", "2999 / 3000 次回访"),
        (rate_of(0, 4), "0", "0 / 4 次回访"),
    ],
)
def test_a_rate_shows_what_it_is_made_of(rate: TownRate, value: str, made_of: str):
    (shown,) = written(rate=rate).rates
    assert (shown.value, shown.made_of) == (value, made_of)


def test_a_rate_says_what_was_left_out():
    rate = rate_of(1, 2, {"unreached": 3, "exempted": 0, "unrated": 1})
    assert written(rate=rate).rates[0].left_out == "未计入：未联系上 3、未评分 1"
    assert written("en", rate).rates[0].left_out == "Left out: 3 unreached, 1 not rated"
    assert written().rates[0].left_out == "没有未计入的事项"


def test_the_bar_of_states_has_no_gap():
    counts = {MatterState.OFFERED: 2, MatterState.CLOSED: 5, MatterState.MERGED: 1}
    shown = written(counts=counts)
    assert [(each.offset, each.number) for each in shown.counts] == [(0, 2), (2, 5), (7, 1)]
    assert shown.total == 8


@pytest.mark.parametrize(
    ("span", "zh", "en"),
    [
        (timedelta(seconds=59), "不到 1 分钟", "less than 1 min"),
        (timedelta(minutes=35), "35 分钟", "35 min"),
        (timedelta(minutes=80), "1 小时 20 分", "1 h 20 min"),
        (timedelta(days=3, hours=2), "3 天 2 小时", "3 d 2 h"),
    ],
)
def test_spans_are_told_alike_before_and_after(span: timedelta, zh: str, en: str):
    for words, lang in ((zh, "zh"), (en, "en")):
        told = partial(text, lang=lang)
        assert wording.span(span, told) == wording.span(-span, told) == words


def test_moments_are_told_by_the_towns_clock():
    assert written().now.words == "2026年3月2日 09:30"
    assert written("en").now.words == "2 Mar 2026, 09:30"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_health_of_everything_is_told(lang: str):
    sick = board.write(None, NOW, WELL | {"kafka": False}, ZONE, lang)
    assert not sick.healthy
    assert not sick.whole
    assert [part.ready for part in sick.parts] == [True, False, True]
    assert written(lang).healthy
