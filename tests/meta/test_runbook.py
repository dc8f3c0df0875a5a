"""The operating pages: every link leads somewhere, and every page says which rehearsal types its commands."""

import re
import shlex
from pathlib import Path

import pytest

from tests.compose.pages import PAGES, blocks

LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
PAGE_FILES = sorted(PAGES.glob("*.md"))


def anchors(page: Path) -> set[str]:
    """What the headings of a page can be linked by."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGE_FILES, ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page: Path):
    for place, anchor in LINK.findall(page.read_text("utf-8")):
        if place.startswith("http"):
            continue
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), place
        if anchor:
            assert anchor in anchors(target), f"{place}#{anchor}"


@pytest.mark.parametrize("page", sorted({page for page, _ in blocks()}))
def test_a_page_with_commands_names_the_rehearsal(page: str):
    text = (PAGES / f"{page}.md").read_text("utf-8")
    assert "make compose-test" in text


@pytest.mark.parametrize("block", sorted(blocks()), ids=str)
def test_commands_are_in_one_piece(block: tuple[str, int]):
    """Quotes that do not close would be found by the operator."""
    assert shlex.split(blocks()[block], comments=True)


def test_every_block_of_the_pages_is_typed_by_the_rehearsal():
    rehearsal = "".join(file.read_text("utf-8") for file in Path("tests/compose").glob("*.py"))
    called = set(re.findall(r'type_block\(\s*\w+, "(\w+)", (\d+|number|[A-Z_]+)', rehearsal))
    missing = {
        (page, number)
        for page, number in blocks()
        if not {(page, str(number)), (page, "number")} & called
    }
    assert missing == set()
