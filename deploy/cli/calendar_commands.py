"""`liaison calendar …`: list the open limits that a changed calendar moves, and move them after confirmation."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.command import AsJson, Data, console, operator, reporting
from deploy.common.folder import DEFAULT, Folder
from deploy.common.words import say
from deploy.operations.database import database_of
from deploy.operations.rescheduling import carried_out
from shared.contracts.vocabulary import RescheduleCause
from shared.rescheduling.orders import OrderProgress

SHOWN = 20

app = typer.Typer(help=say("help.calendar"), no_args_is_help=True)

Limits = Annotated[bool, typer.Option("--limits", help=say("help.calendar.limits"))]
Yes = Annotated[bool, typer.Option("--yes", help=say("help.calendar.yes"))]


@app.command("preview", help=say("help.calendar.preview"))
def preview(limits: Limits = False, data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Show which open limits would move; changes nothing."""
    show(ordered(data, limits=limits, apply=False), as_json=as_json)


@app.command("apply", help=say("help.calendar.apply"))
def apply(
    limits: Limits = False, yes: Yes = False, data: Data = DEFAULT, as_json: AsJson = False
) -> None:
    """List the open limits that would move, ask for confirmation and move them."""
    if not yes:
        found = ordered(data, limits=limits, apply=False)
        show(found, as_json=False)
        if not any(each.moved for each in found.values()):
            return
        typer.confirm(say("calendar.sure"), abort=True)
    show(ordered(data, limits=limits, apply=True), as_json=as_json)


def ordered(data: Path, *, limits: bool, apply: bool) -> Mapping[str, OrderProgress]:
    cause = RescheduleCause.LIMITS if limits else RescheduleCause.CALENDAR
    with reporting() as tell, database_of(Folder.at(data), tell) as database:
        return asyncio.run(carried_out(database.url, cause, operator(), apply=apply))


def show(found: Mapping[str, OrderProgress], *, as_json: bool) -> None:
    """Print what a rescheduling order found or moved: counts by service, and the first moves of each."""
    if as_json:
        said = {service: asdict(each) for service, each in found.items()}
        typer.echo(json.dumps(said, ensure_ascii=False, default=str))
        return
    for service, each in found.items():
        key = "calendar.moved" if each.apply else "calendar.would_move"
        words = say(key, service=service, count=each.moved, version=each.calendar_version)
        console.write_line(words)
        for matter_id, limit, old, new in each.moves[:SHOWN]:
            kind = say(f"calendar.limit.{limit}")
            line = say(
                "calendar.move", matter=matter_id, limit=kind, old=local(old), new=local(new)
            )
            console.write_line(f"  {line}")
        if each.moved > SHOWN:
            console.write_line(f"  {say('calendar.more', count=each.moved - SHOWN)}")


def local(moment: str) -> str:
    """Return a moment in this machine's time zone, as text."""
    return datetime.fromisoformat(moment).astimezone().isoformat(" ", "minutes")
