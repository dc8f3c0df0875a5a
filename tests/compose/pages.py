"""The operating pages' commands, typed as they stand there: a page that is wrong fails the run."""

import os
import re
from collections.abc import Mapping
from typing import Final

from tests.compose.engine import OVERRIDE, ROOT, Failed, run
from tests.compose.ground import Site

PAGES: Final = ROOT / "docs" / "operations"
BLOCK: Final = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SCRIPT_SECONDS: Final = 570.0

typed: Final[set[tuple[str, int]]] = set()
"""Which blocks have been typed in this run: a page and which of its blocks."""


def blocks() -> dict[tuple[str, int], str]:
    """Everything that the pages tell an operator to type."""
    return {
        (page.stem, number): text
        for page in sorted(PAGES.glob("*.md"))
        for number, text in enumerate(BLOCK.findall(page.read_text("utf-8")))
    }


def type_block(site: Site, page: str, number: int, instead: Mapping[str, str] | None = None) -> str:
    """Type one block in the project's folder; what it prints. `instead` has what differs in a rehearsal.

    Raises Failed when a command ends badly, or when what is to be replaced is not there.
    """
    script = blocks()[page, number]
    for written, meant in (instead or {}).items():
        if written not in script:
            raise Failed(f"{page}.md no longer says: {written}")
        script = script.replace(written, meant)
    env = os.environ | dict(site.stack.env)
    env |= {
        "COMPOSE_PROJECT_NAME": site.stack.project,
        "COMPOSE_FILE": f"docker-compose.yml:{OVERRIDE}",
    }
    said = run(["bash", "-euo", "pipefail", "-c", script], seconds=SCRIPT_SECONDS, env=env)
    typed.add((page, number))
    return said


def untyped() -> list[str]:
    """Blocks that nobody has typed in this run."""
    return [f"never typed: {page}.md, block {number}" for page, number in blocks().keys() - typed]
