"""The command line `liaison`: parses arguments, calls operations and prints the results."""

import asyncio
import logging
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from deploy.cli import (
    account_commands,
    audit_commands,
    calendar_commands,
    kafka_commands,
    lost_commands,
    token_commands,
)
from deploy.cli.command import (
    RECORDING,
    AsJson,
    Data,
    Reason,
    Service,
    console,
    database,
    in_words,
    operator,
    reporting,
)
from deploy.cli.show import (
    show_backup,
    show_findings,
    show_letter,
    show_letters,
    show_restored,
    show_results,
    show_sent,
    show_status,
)
from deploy.common.folder import DEFAULT, Folder
from deploy.common.screen import print_json
from deploy.common.streams import keep_streams
from deploy.common.trouble import Trouble
from deploy.common.words import say
from deploy.local.embedded.environment import forget_foreign_settings
from deploy.local.launcher.down import down as take_down
from deploy.local.launcher.foreground import detach as start_detached
from deploy.local.launcher.foreground import stay
from deploy.local.launcher.stack import Wanted
from deploy.operations import letters
from deploy.operations.backups import keeping
from deploy.operations.doctor import examine
from deploy.operations.status import status as state

NOT_READY, NOT_RUNNING = 1, 3

app = typer.Typer(
    name="liaison", help=say("help.liaison"), no_args_is_help=True, add_completion=False
)
dead_letters = typer.Typer(help=say("help.dead_letters"), no_args_is_help=True)
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(token_commands.app, name="tokens")
app.add_typer(account_commands.app, name="accounts")
app.add_typer(kafka_commands.app, name="kafka-users")
app.add_typer(lost_commands.app, name="lost-records")
app.add_typer(audit_commands.app, name="audit")
app.add_typer(calendar_commands.app, name="calendar")
app.command("erase", help=say("help.erase"))(audit_commands.erase)
# Their words are for programmers; what a person must know comes as a Trouble.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)

Ids = Annotated[list[UUID], typer.Argument(help=say("help.ids"))]
Like = Annotated[bool, typer.Option("--like", help=say("help.like"))]
BackupFile = Annotated[Path, typer.Argument(help=say("help.file"))]


@app.callback(help=say("help.liaison"))
def prepare() -> None:
    """Prepare the process for a command: failed output does not end it, and foreign settings are removed."""
    keep_streams()
    forget_foreign_settings(os.environ)


def run() -> None:
    """Run the command line and exit."""
    keep_streams()
    app()


@app.command(help=say("help.up"))
def up(
    data: Data = DEFAULT,
    demo: Annotated[bool, typer.Option("--demo", help=say("help.demo"))] = False,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help=say("help.port"))] = None,
    detach: Annotated[bool, typer.Option("--detach", help=say("help.detach"))] = False,
    isolated: Annotated[bool, typer.Option("--isolated", help=say("help.isolated"))] = False,
) -> None:
    """Start everything on this machine."""
    wanted = Wanted(Folder.at(data), demo, port, isolated)
    with in_words():
        raise typer.Exit((start_detached if detach else stay)(wanted, console))


@app.command(help=say("help.down"))
def down(data: Data = DEFAULT) -> None:
    """Stop the stack of a data folder."""
    with in_words():
        ran = take_down(Folder.at(data))
    console.write_line(say("down.stopped" if ran else "down.nothing", folder=data))


@app.command(help=say("help.status"))
def status(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Print the state of the parts, lag and backlog."""
    now = state(Folder.at(data))
    if as_json:
        print_json(now)
    else:
        show_status(console, now, data)
    raise typer.Exit(0 if now["ready"] else NOT_READY if now["parts"] else NOT_RUNNING)


@app.command(help=say("help.doctor"))
def doctor(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Print the findings of the checks, with a remedy for each problem."""
    findings = examine(Folder.at(data))
    if as_json:
        print_json([asdict(f) for f in findings])
    else:
        show_findings(console, findings)
    raise typer.Exit(1 if any(finding.level == "bad" for finding in findings) else 0)


@dead_letters.command("list", help=say("help.dead_letters.list"))
def list_letters(
    data: Data = DEFAULT,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    settled: Annotated[bool, typer.Option("--all", help=say("help.all"))] = False,
    as_json: AsJson = False,
) -> None:
    """Print the dead letters that wait for an operator."""
    with in_words():
        found = asyncio.run(letters.listed(database(data), limit, settled))
    if as_json:
        print_json(found)
    else:
        show_letters(console, found)


@dead_letters.command("show", help=say("help.dead_letters.show"))
def show_one(letter: UUID, data: Data = DEFAULT) -> None:
    """Print one dead letter with its raw key, value and headers."""
    with in_words():
        show_letter(console, asyncio.run(letters.load_letter(database(data), letter)))


@dead_letters.command("replay", help=say("help.dead_letters.replay"))
def replay(
    ids: Ids,
    data: Data = DEFAULT,
    value: Annotated[Path | None, typer.Option("--with", help=say("help.with"))] = None,
    like: Like = False,
) -> None:
    """Replay dead letters; with `--with`, one of them with a corrected value."""
    url = database(data)
    with in_words():
        if value and (like or len(ids) != 1):
            raise Trouble("letter.one")
        if value:
            asyncio.run(letters.mended(url, ids[0], value.read_bytes()))
    close_letters(url, all_of(url, ids, like), "replay", None)


@dead_letters.command("discard", help=say("help.dead_letters.discard"))
def discard(
    ids: Ids,
    reason: Reason,
    data: Data = DEFAULT,
    like: Like = False,
) -> None:
    """Discard dead letters and record the reason."""
    url = database(data)
    close_letters(url, all_of(url, ids, like), "discard", reason)


@app.command(help=say("help.backup"))
def backup(file: BackupFile, data: Data = DEFAULT) -> None:
    """Write a consistent backup of all services."""
    with reporting() as tell:
        kept = keeping.backed_up(Folder.at(data), file, tell)
    show_backup(console, kept)


@app.command(help=say("help.restore"))
def restore(file: BackupFile, data: Data = DEFAULT) -> None:
    """Restore a backup into an empty stack."""
    with reporting() as tell:
        back = keeping.restored(Folder.at(data), file, tell)
    show_restored(console, back, data)


@app.command("replay", help=say("help.replay"))
def send_again(
    services: Annotated[list[Service] | None, typer.Argument(help=say("help.replay.what"))] = None,
    data: Data = DEFAULT,
    after: Annotated[int, typer.Option(min=0, help=say("help.replay.after"))] = 0,
    lost: Annotated[bool, typer.Option("--kafka-lost", help=say("help.replay.lost"))] = False,
    receipts: Annotated[bool, typer.Option("--receipts", help=say("help.replay.receipts"))] = False,
) -> None:
    """Publish histories to Kafka again."""
    named = tuple(service.value for service in services or RECORDING)
    with reporting() as tell:
        sent = keeping.sent_again(
            Folder.at(data), keeping.Again(named, after, lost, receipts), tell
        )
    show_sent(console, sent)


def all_of(url: str, ids: list[UUID], like: bool) -> list[UUID]:
    """Return the ids of the letters given, with `like` also those of the same topic and fate."""
    with in_words():
        return asyncio.run(letters.alike(url, ids)) if like else ids


def close_letters(url: str, ids: list[UUID], what: str, reason: str | None) -> None:
    with in_words():
        states = asyncio.run(letters.request_and_wait(url, ids, what, operator(), reason))
    show_results(console, states)
    if set(states.values()) & {"failed", "waiting"}:
        raise typer.Exit(1)
