"""The terminal: every text on its way there is made printable, and none is read as markup."""

import sys
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from shared.observability.printable import json_line, printable


class Screen(Console):
    """A console for words of any origin."""

    def __init__(
        self, *, stderr: bool = False, file: TextIO | None = None, width: int | None = None
    ) -> None:
        super().__init__(
            stderr=stderr, file=file, width=width, highlight=False, markup=False, emoji=False
        )

    def write_line(self, words: object, style: str = "") -> None:
        """One line, however long."""
        self.print(Text(printable(words), style), soft_wrap=True)

    def write_block(self, words: object, style: str = "") -> None:
        """Some lines, however long."""
        self.print(Text(printable(words, lines=True), style), soft_wrap=True)


def cell(content: object, style: str = "", *, lines: bool = False) -> Text:
    """A cell of a table; what is too long goes on below."""
    return Text(printable(content, lines=lines), style, overflow="fold")


def grid(*columns: str) -> Table:
    """A table with these headings and no lines."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        made.add_column(cell(column), overflow="fold")
    return made


def print_json(content: object) -> None:
    """One line of JSON for another program; what this output cannot show, or would obey, is escaped."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8" if sys.stdout else False
    sys.stdout.write(json_line(content, ensure_ascii=not utf8) + "\n")
