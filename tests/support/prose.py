"""The code blocks of the project's pages, as a reader finds them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
READMES: Final = (ROOT / "README.md", ROOT / "README.zh.md")
GUIDES: Final = (ROOT / "docs" / "integrating.md", ROOT / "docs" / "integrating.zh.md")
BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block: `page` relative to the checkout, `number` from 0 among the blocks of its page."""

    page: str
    number: int
    language: str
    text: str


def pages() -> list[Path]:
    """Every page that readers are sent to."""
    return [*READMES, *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of one page, in order."""
    name = str(page.relative_to(ROOT))
    for number, (language, text) in enumerate(BLOCK.findall(page.read_text("utf-8"))):
        yield Block(name, number, language, text)


def commands(text: str) -> list[str]:
    """The commands of a shell block, comments left out, one that spans lines as one."""
    found: list[str] = []
    open_quote = False
    for line in text.splitlines():
        if open_quote:
            found[-1] += f"\n{line}"
        elif line.strip() and not line.startswith("#"):
            found.append(re.sub(r"\s+# .*$", "", line))
        else:
            continue
        open_quote = found[-1].count("'") % 2 == 1
    return found
