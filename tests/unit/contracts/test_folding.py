"""Folding: however a text is spelled it is compared as the same, and folding again changes nothing."""

import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.contracts.fields.folding import code, compact, fold, identifier, is_visible
from shared.contracts.fields.uscc import canonical
from tests.support.spelling import TEXTS, spellings

pytestmark = pytest.mark.thorough
"""Every character."""


@example("\u0131\u0328")
@given(st.text())
def test_folding_what_is_folded_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert compact(compact(text)) == compact(text)
    assert code(code(text)) == code(text)
    assert identifier(identifier(text)) == identifier(text)


@pytest.mark.parametrize("start", range(0, sys.maxunicode + 1, 0x10000))
def test_folding_each_character_is_stable(start: int) -> None:
    for point in range(start, start + 0x10000):
        if not 0xD800 <= point <= 0xDFFF:
            character = chr(point)
            assert fold(fold(character)) == fold(character), hex(point)
            assert code(code(character)) == code(character), hex(point)


@given(TEXTS, st.data())
def test_every_spelling_is_the_same_text(text: str, data: st.DataObject) -> None:
    assert compact(data.draw(spellings(text))) == compact(text)
    assert fold(data.draw(spellings(text, spaced=False))) == fold(text)


@given(TEXTS, TEXTS)
def test_texts_that_differ_stay_different(one: str, other: str) -> None:
    assert (compact(one) == compact(other)) == (one.casefold() == other.casefold())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("５号门ＬＥＤ屏", "5号门LED屏"),
        ("5号门 LED 屏", "5号门led屏"),
        ("⼈⼝", "人口"),
        ("㈱苇州", "(株)苇州"),
        ("Straße", "STRASSE"),
        ("㎡", "m2"),
        ("ﬁre", "FIRE"),
        ("苇\u200b州\ufeff", "苇州"),
        ("a\u3000 \u00a0b", "A b"),
        ("cafe\u0301", "CAFÉ"),
        ("❤\ufe0f", "❤"),
    ],
)
def test_spellings_that_people_use(one: str, other: str) -> None:
    assert compact(one) == compact(other)


@given(st.text(max_size=30))
def test_what_cannot_be_seen_folds_to_nothing_that_can(text: str) -> None:
    if not is_visible(text):
        assert not is_visible(fold(text))


@given(st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=18, max_size=18), st.data())
def test_every_spelling_of_a_code_is_one_code(text: str, data: st.DataObject) -> None:
    assert canonical(data.draw(spellings(text))) == text
    assert canonical(f"{text[:6]}-{text[6:]}") == text
