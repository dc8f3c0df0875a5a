"""What every command of `liaison` has in common: where it writes, its usual options, and how trouble is told."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.embedded.trouble import Trouble
from deploy.launcher.report import Tell, failed
from deploy.launcher.terminal import Terminal, show_trouble
from deploy.words import say

console, errors = Console(highlight=False), Console(stderr=True, highlight=False)

Data = Annotated[Path, typer.Option("--data", help=say("help.data"))]
AsJson = Annotated[bool, typer.Option("--json", help=say("help.json"))]


class Service(StrEnum):
    """Whose history."""

    INTAKE = "intake"
    ROUTING = "routing"
    FOLLOWUP = "followup"


@contextmanager
def in_words() -> Iterator[None]:
    """Turn a Trouble into words and an exit code."""
    try:
        yield
    except Trouble as trouble:
        show_trouble(errors, trouble)
        raise typer.Exit(1) from None


@contextmanager
def told() -> Iterator[Tell]:
    """A line for each step of the block, and a Trouble in words with its exit code."""
    terminal = Terminal(errors)
    try:
        yield terminal
        terminal.close()
    except Trouble as trouble:
        terminal(failed(trouble))
        raise typer.Exit(1) from None
    finally:
        terminal.drop()


def operator() -> str:
    """Who types it, for the record: `LIAISON_OPERATOR`, else the user of this machine."""
    return os.environ.get("LIAISON_OPERATOR") or getpass.getuser()
