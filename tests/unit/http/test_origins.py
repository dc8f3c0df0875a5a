"""Origins that an operator names: exactly those that a browser sends, and nothing that would be more than one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.middleware.origins import read_origins

WRONG = [
    "*", "null", "https://*.example", "https://desk.example/", "https://desk.example/page", "desk.example",
    "HTTPS://desk.example", "https://Desk.example", "https://desk.example:443", "http://desk.example:80",
    "https://", "https://user@desk.example", "ftp://desk.example", "https://desk.example?x", "https://桌.example",
    "https://a.example https://b.example", "https://a.example,*", "https://desk.example:", "https://-a.example",
]  # fmt: skip
GOOD = [
    "https://desk.example", "http://localhost:5173", "http://127.0.0.1:8080", "https://[::1]:8443",
    "https://xn--fiq228c.example", "https://desk.example:80", "http://desk.example:443",
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_case_105_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        read_origins(text)


def test_case_105_origins_are_read_to_the_letter() -> None:
    assert read_origins("") == read_origins(" , ") == ()
    assert read_origins(" , ".join([*GOOD, GOOD[0]])) == tuple(GOOD)


@given(st.text(alphabet="htps:/.*,-@?#a1é []", max_size=40))
def test_case_105_nothing_that_is_read_stands_for_more_than_itself(text: str) -> None:
    try:
        found = read_origins(text)
    except ValueError:
        return
    for origin in found:
        assert re.fullmatch(r"https?://[a-z0-9.:\[\]-]+", origin)
        assert origin in text
