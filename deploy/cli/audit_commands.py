"""`liaison audit …` and `liaison erase`: parse the arguments and print the results."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.command import Data, Service, console, operator, reporting
from deploy.cli.show_audit import show_erased, show_verdicts
from deploy.common.folder import DEFAULT, Folder
from deploy.common.words import say
from deploy.operations import audit, erasing
from deploy.operations.database import database_of

app = typer.Typer(help=say("help.audit"), no_args_is_help=True)

Anchored = Annotated[Path | None, typer.Option(help=say("help.anchor"))]
Against = Annotated[Path | None, typer.Option(help=say("help.against"))]


@app.callback()
def commands() -> None:
    """Group of the audit commands; click would otherwise merge a single command into its group."""


@app.command("verify", help=say("help.audit.verify"))
def verify(
    services: Annotated[
        list[Service] | None, typer.Option("--service", help=say("help.audit.service"))
    ] = None,
    anchor: Anchored = None,
    against: Against = None,
    data: Data = DEFAULT,
) -> None:
    """Verify the hash chains of seals; the exit code is 1 when an event or a seal was altered."""
    named = [service.value for service in services or Service]
    with reporting() as tell:
        anchors = audit.read_anchors(against) if against else {}
        with database_of(Folder.at(data), tell) as database:
            verdicts = asyncio.run(audit.verified(database.url, named, anchors, tell))
        is_right = not any(verdict.altered for verdict in verdicts.values())
        if anchor and is_right:
            audit.write_anchor(anchor, verdicts)
    show_verdicts(console, verdicts, anchor if is_right else None)
    if not is_right:
        raise typer.Exit(1)


def erase(
    named: Annotated[str, typer.Argument(metavar="RECEIPT|REQUEST-ID", help=say("help.named"))],
    because: Annotated[str, typer.Option(help=say("help.because"))],
    data: Data = DEFAULT,
) -> None:
    """Erase the personal data of a request whose matter has ended."""
    with reporting() as tell, database_of(Folder.at(data), tell) as database:
        erased = asyncio.run(erasing.erase(database.url, named, operator(), because, tell))
    show_erased(console, *erased)
