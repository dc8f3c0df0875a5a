"""What every command of `liaison` has in common: where it writes, its usual options, and how trouble is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.embedded.trouble import Trouble
from deploy.launcher.terminal import show_trouble
from deploy.words import say

console, errors = Console(highlight=False), Console(stderr=True, highlight=False)

Data = Annotated[Path, typer.Option("--data", help=say("help.data"))]
AsJson = Annotated[bool, typer.Option("--json", help=say("help.json"))]


@contextmanager
def in_words() -> Iterator[None]:
    """Turn a Trouble into words and an exit code."""
    try:
        yield
    except Trouble as trouble:
        show_trouble(errors, trouble)
        raise typer.Exit(1) from None
