"""`liaison lost-records …`: records that Kafka deleted unread, and an operator's acknowledgement of them."""

import asyncio
from typing import Annotated
from uuid import UUID

import typer

from deploy.cli.command import AsJson, Data, Reason, console, database, in_words, operator
from deploy.cli.show import show_losses
from deploy.common.folder import DEFAULT
from deploy.common.screen import print_json
from deploy.common.words import say
from deploy.operations import losses

app = typer.Typer(help=say("help.lost"), no_args_is_help=True)


@app.command("list", help=say("help.lost.list"))
def list_all(
    data: Data = DEFAULT,
    acknowledged: Annotated[bool, typer.Option("--all", help=say("help.lost.all"))] = False,
    as_json: AsJson = False,
) -> None:
    """Show which offsets of which partitions are missing."""
    with in_words():
        found = asyncio.run(losses.listed(database(data), acknowledged=acknowledged))
    if as_json:
        print_json(found)
    else:
        show_losses(console, found)


@app.command("acknowledge", help=say("help.lost.acknowledge"))
def acknowledge(
    reason: Reason,
    ids: Annotated[list[UUID] | None, typer.Argument(help=say("help.lost.ids"))] = None,
    data: Data = DEFAULT,
) -> None:
    """Acknowledge losses; all of them without ids."""
    with in_words():
        done = asyncio.run(losses.acknowledged(database(data), ids or [], operator(), reason))
    console.write_line(say("lost.acknowledged", count=done))
