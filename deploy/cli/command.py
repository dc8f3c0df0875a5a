"""Common to all commands of `liaison`: output, usual options, and the report of a Trouble."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from deploy.common.folder import Folder
from deploy.common.screen import Screen
from deploy.common.trouble import Trouble
from deploy.common.words import say
from deploy.local.launcher.report import Tell, failed
from deploy.local.launcher.terminal import Terminal, show_trouble
from deploy.operations.addresses import Addresses

console, errors = Screen(), Screen(stderr=True)

Data = Annotated[Path, typer.Option("--data", help=say("help.data"))]
Reason = Annotated[str, typer.Option(help=say("help.reason"))]
AsJson = Annotated[bool, typer.Option("--json", help=say("help.json"))]


class Service(StrEnum):
    """The names of the services, as an argument of a command."""

    INTAKE = "intake"
    ROUTING = "routing"
    FOLLOWUP = "followup"
    DESK = "desk"


RECORDING: Final = (Service.INTAKE, Service.ROUTING, Service.FOLLOWUP)
"""The services that record events for others: what is published again unless it is said."""


@contextmanager
def in_words() -> Iterator[None]:
    """Print a Trouble raised in the block and exit with code 1."""
    try:
        yield
    except Trouble as trouble:
        show_trouble(errors, trouble)
        raise typer.Exit(1) from None


@contextmanager
def reporting() -> Iterator[Tell]:
    """Print a line for each step of the block, and a Trouble with exit code 1."""
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
    """Return the name recorded as the operator: `LIAISON_OPERATOR`, else the user of this machine."""
    return os.environ.get("LIAISON_OPERATOR") or getpass.getuser()


def database(data: Path) -> str:
    """Return the URL of the database of the settings, else of the stack that runs on `data`."""
    folder = Folder.at(data)
    url = Addresses.of(folder).postgres
    with in_words():
        if not url:
            raise Trouble("not_running", folder=folder.root)
    return url
