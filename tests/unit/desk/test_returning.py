"""Where a browser goes after sign-in: no text leads to another origin, as browsers read addresses (WHATWG URL)."""

from string import printable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.desk.domain.returning import HOME, local_target

PIECES = (
    "/", "//", "\\", "/\\", "\t", "\n", "\r", "\0", " ", "\x7f", "\u2028", "\ufeff", "。", "／", ".", "..",
    "%2f", "%5c", "%09", "@", ":", "?", "#", "&", "=", "http:", "https:", "HTTPS:", "javascript:", "data:",
    "evil.example", "desk", "matters", "sign-in", "sign-out", "me",
)  # fmt: skip
TEXTS = st.one_of(
    st.text(), st.text(printable), st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
)
OURS = "https://desk.example"


def resolved_host(target: str) -> str | None:
    """The host that a browser goes to for a Location on `OURS`, None for ours, by the WHATWG rules that matter here."""
    text = target.strip("".join(map(chr, range(0x21))))
    text = "".join(character for character in text if character not in "\t\n\r")
    head = text.split("/", 1)[0].split("?", 1)[0].split("#", 1)[0]
    if ":" in head and head[:1].isascii() and head[:1].isalpha():
        return head
    slashed = text.replace("\\", "/")
    return slashed[2:].split("/", 1)[0] if slashed.startswith("//") else None


@given(TEXTS)
@example("//evil.example")
@example("/\\evil.example")
@example("/\t/evil.example")
@example("/.//evil.example")
@example("\\\\evil.example")
@example("https:evil.example")
@example(" /desk")
def test_no_text_leads_to_another_host(given_text: str):
    target = local_target(given_text)
    assert target in (HOME, given_text)
    assert resolved_host(target) is None
    assert target.startswith("/")
    # A header carries it as it is.
    assert target.isascii()
    assert target.isprintable()


@pytest.mark.parametrize(
    "target",
    [
        "/desk",
        "/me",
        "/desk/search?q=%E6%B1%B4&from=//x",
        "/desk/matters/0190#notes",
        "/",
        "/sign-inx",
    ],
)
def test_a_page_here_is_gone_to(target: str):
    assert local_target(target) == target


@pytest.mark.parametrize(
    "target",
    [None, "", "desk", "//evil.example", "/\\evil.example", "https://evil.example", "/a//b", "/sign-in", "/sign-out",
     "/sign-in/code?x", "/" + "a" * 2000],
)  # fmt: skip
def test_anything_else_is_the_first_page(target: str | None):
    assert local_target(target) == HOME
