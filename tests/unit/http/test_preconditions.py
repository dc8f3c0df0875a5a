"""If-Match is read as RFC 9110 writes it: a list of opaque tags, compared strongly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.writes.preconditions import expected_versions

TAGS = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters='"\x7f'), max_size=12
)
VERSIONS = st.integers(0, 999_999_999)
CODINGS = st.sampled_from(["", "-gzip", "-br", "-zstd", "--gzip"])
SPACES = st.text(" \t", max_size=2)
EMPTY = st.just("")


@st.composite
def lists(draw: st.DrawFn) -> tuple[list[str], set[int]]:
    """Lines of tags with blanks and empty elements between, and the versions that match strongly."""
    written, strong = [], set()
    for _ in range(draw(st.integers(1, 6))):
        version, weak = draw(VERSIONS), draw(st.booleans())
        if draw(st.booleans()):
            written.append(f'{"W/" * weak}"{version}{draw(CODINGS)}"')
            strong |= set() if weak else {version}
        else:
            written.append(f'"x{draw(TAGS)}"')
        if draw(st.booleans()):
            written.append("")
    lines: list[str] = [""]
    for element in written:
        padded = draw(SPACES) + element + draw(SPACES)
        if draw(st.booleans()):
            lines.append(padded)
        else:
            lines[-1] += ("," if lines[-1] else "") + padded
    return [line for line in lines if line.strip()], strong


@given(lists())
def test_case_23_a_list_of_tags_matches_the_versions_in_it(drawn: tuple[list[str], set[int]]):
    lines, strong = drawn
    assert expected_versions(lines) == strong


@pytest.mark.parametrize(
    ("lines", "versions"),
    [
        (['"3-gzip"'], {3}),
        (['"3-br"', '"5"'], {3, 5}),
        (['"3", "4"'], {3, 4}),
        (['"3",, ,"4",'], {3, 4}),
        (['W/"3"'], set()),
        (['"abc"'], set()),
        (['"03"'], set()),
        (['"3-"'], set()),
        (['"a,3"'], set()),
        (["7"], {7}),
    ],
)
def test_case_23_tags_of_gateways_and_opaque_ones(lines: list[str], versions: set[int]):
    assert expected_versions(lines) == versions


@pytest.mark.parametrize("lines", [[], ["*"], [" * "]])
def test_any_version_will_do(lines: list[str]):
    assert expected_versions(lines) is None


@pytest.mark.parametrize(
    "line",
    [
        "",
        ",",
        '"3',
        '3"',
        '""3""',
        "-7",
        "7.0",
        '*, "3"',
        'w/"3"',
        'W/ "3"',
        '"3" "4"',
        '"a b"',
        "7 8",
    ],
)
def test_what_is_no_list_of_tags_is_an_error(line: str):
    with pytest.raises(ValueError, match="entity tag"):
        expected_versions([line])


@given(st.text(st.characters(max_codepoint=0xFF), max_size=40))
def test_any_header_is_read_or_refused(line: str):
    try:
        found = expected_versions([line])
    except ValueError:
        return
    assert found is None or all(0 <= version < 10**9 for version in found)
