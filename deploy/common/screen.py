"""The terminal: every text is made printable, and none is interpreted as markup."""

import sys
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from shared.observability.printable import json_line, printable


class Screen(Console):
    """A console that escapes control characters in texts of any origin."""

    def __init__(
        self, *, stderr: bool = False, file: TextIO | None = None, width: int | None = None
    ) -> None:
        super().__init__(
            stderr=stderr, file=file, width=width, highlight=False, markup=False, emoji=False
        )

    def write_line(self, words: object, style: str = "") -> None:
        """Print one line without wrapping it."""
        self.print(Text(printable(words), style), soft_wrap=True)

    def write_block(self, words: object, style: str = "") -> None:
        """Print lines without wrapping them."""
        self.print(Text(printable(words, lines=True), style), soft_wrap=True)


def cell(content: object, style: str = "", *, lines: bool = False) -> Text:
    """Return a table cell; long text continues on the next line."""
    return Text(printable(content, lines=lines), style, overflow="fold")


def grid(*columns: str) -> Table:
    """Return a table with these headings and without lines."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        made.add_column(cell(column), overflow="fold")
    return made


def print_json(content: object) -> None:
    """Print one line of JSON; characters that the output cannot show, or would interpret, are escaped."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8" if sys.stdout else False
    sys.stdout.write(json_line(content, ensure_ascii=not utf8) + "\n")
