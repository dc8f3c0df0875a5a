"""Personal numbers in a summary are hidden in every spelling; what else is written stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.desk.pages.live.masking import HIDDEN, mask

FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
NUMERALS = str.maketrans("0123456789", "零一二三四五六七八九")
SPOKEN = str.maketrans("0123456789", "〇幺二三四五六七八九")
ARABIC_INDIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
CIRCLED = str.maketrans("123456789", "①②③④⑤⑥⑦⑧⑨")
BOLD = str.maketrans("0123456789", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗")
WRITTEN = (None, FULL_WIDTH, NUMERALS, SPOKEN, ARABIC_INDIC, CIRCLED, BOLD)
GAPS = (
    "",
    " ",
    "-",
    ".",
    " - ",
    "\u3000",
    "\u00a0",
    "－",
    "—",
    "·",
    "．",
    "\u200b",
    "\u2060",
    "/",
    "_",
)


def luhn(body: str) -> str:
    """The number with the check digit of bank cards."""
    for check in "0123456789":
        digits = [int(each) for each in body + check]
        doubled = [2 * each - 9 * (each > 4) for each in digits[-2::-2]]
        if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0:
            return body + check
    raise AssertionError("one of ten digits always fits")


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=count, max_size=count)


MOBILES = st.builds(
    "{}1{}{}".format, st.sampled_from(["", "86", "+86", "0086"]), st.integers(3, 9), digits(9)
)
LANDLINES = st.builds("0{}{}{}".format, digits(2), st.integers(2, 9), digits(7))
IDENTITIES = st.builds(
    "{}{:04}{:02}{:02}{}{}".format,
    st.sampled_from(["310117", "440304", "110101"]),
    st.integers(1930, 2015), st.integers(1, 12), st.integers(1, 28), digits(3),
    st.sampled_from("0123456789X"),
)  # fmt: skip
CARDS = st.builds(luhn, st.builds("62{}".format, st.one_of(digits(13), digits(16))))
NUMBERS = st.one_of(MOBILES, LANDLINES, IDENTITIES, CARDS)


@given(NUMBERS, st.sampled_from(WRITTEN), st.data())
def test_case_95_a_personal_number_is_hidden_in_every_spelling(
    number: str, written: dict[int, int] | None, data: st.DataObject
) -> None:
    spelled = number.translate(written) if written else number
    size = data.draw(st.sampled_from([1, 3, 4, 100]), "digits between gaps")
    gap = data.draw(st.sampled_from(GAPS), "gap")
    spelled = gap.join(spelled[at : at + size] for at in range(0, len(spelled), size))
    assert mask(f"请联系{spelled}，谢谢") == f"请联系{HIDDEN}，谢谢"


@given(NUMBERS, NUMBERS)
def test_case_95_two_numbers_beside_each_other_are_both_hidden(first: str, second: str) -> None:
    shown = mask(f"电话{first}或{second}。")
    assert shown == f"电话{HIDDEN}或{HIDDEN}。"


@pytest.mark.parametrize(
    "summary",
    [
        "2026-11-29 至 2026-12-03 停水，影响 1,200 户",
        "2026.11.29-2026.12.03 施工",
        "订单号 100200300400 未到",
        "统一社会信用代码91990117MA0A49643B的企业",
        "世富路一百二十三号三楼",
        "一二三四五六七号楼",
        "共计 13,800,138,000 元",
        "热线12345、119",
        "设备编号 1234-5678",
    ],
)
def test_what_is_no_personal_number_stays(summary: str) -> None:
    assert mask(summary) == summary


@given(st.text(max_size=200))
def test_any_text_is_masked_without_a_fault_and_once_is_enough(text: str) -> None:
    once = mask(text)
    assert mask(once) == once
