"""Every command in the project's pages is run by a test, or is at least one that exists."""

import re
import shlex
from pathlib import Path

import pytest

from tests.bench import options as bench
from tests.faults import __main__ as faults
from tests.support.prose import READMES, ROOT, Block, blocks, commands, pages

# tests/integration/deploy/test_readme.py types the READMEs, tests/compose the operating pages, tests/clients/guide
# the page for integrators.
TYPED = ("README.md", "README.zh.md", "docs/operations/", "docs/integrating")
ALL = [block for page in pages() for block in blocks(page)]
SHELL = [block for block in ALL if block.language == "sh"]
OPTIONS = {"bench": bench.options_of, "faults": faults.options_of}


def name_of(block: Block) -> str:
    return f"{block.page}:{block.number}"


def test_the_pages_have_examples():
    assert len(SHELL) > 30


@pytest.mark.parametrize("block", [b for b in SHELL if not b.page.startswith(TYPED)], ids=name_of)
def test_a_command_outside_the_typed_pages_is_a_target_with_arguments_it_knows(
    block: Block,
):
    for command in commands(block.text):
        make, target, *rest = shlex.split(command)
        assert make == "make"
        assert target in targets()
        for assigned in rest:
            name, _, arguments = assigned.partition("=")
            assert name == "ARGS"
            OPTIONS[target](shlex.split(arguments))


def targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    return set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_that_a_page_names_exists(page: Path):
    named = set(re.findall(r"`make ([a-z-]+)", page.read_text("utf-8")))
    assert named <= targets()


def test_both_languages_show_the_same_commands():
    english, chinese = (
        [
            [re.sub(r"--data \S+", "--data DIR", command) for command in commands(block.text)]
            for block in blocks(page)
        ]
        for page in READMES
    )
    assert english == chinese


def test_the_installation_that_the_readme_shows_is_the_one_that_is_rehearsed():
    install = next(blocks(ROOT / "docs" / "operations" / "install.md"))
    for page in READMES:
        assert commands([*blocks(page)][-1].text) == commands(install.text)
