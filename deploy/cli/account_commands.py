"""`liaison accounts …`: reads arguments and shows answers."""

import asyncio
import sys
from typing import Annotated

import typer

from deploy.cli.command import AsJson, Data, console, database, errors, in_words
from deploy.cli.show import show_accounts
from deploy.common.folder import DEFAULT
from deploy.common.screen import print_json
from deploy.common.words import say
from deploy.operations import accounts
from shared.contracts.vocabulary import Role

app = typer.Typer(help=say("help.accounts"), no_args_is_help=True)

LONGEST_LINE = 1_000

Login = Annotated[str, typer.Argument(metavar="LOGIN", help=say("help.accounts.login"))]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help=say("help.accounts.password_stdin"))
]


@app.command("add", help=say("help.accounts.add"))
def add(
    login: Login,
    role: Annotated[Role, typer.Option(help=say("help.accounts.role"))],
    party: Annotated[str, typer.Option(help=say("help.accounts.party"))],
    name: Annotated[str, typer.Option(help=say("help.accounts.name"))],
    password_stdin: FromStdin = False,
    data: Data = DEFAULT,
) -> None:
    """Add an account and print its password, unless it is given."""
    url = database(data)
    with in_words():
        given = read_password() if password_stdin else None
        made = asyncio.run(accounts.added(url, login, name, role, party, given))
    show_password(say("accounts.added", login=login), made)


@app.command("reset", help=say("help.accounts.reset"))
def reset(
    login: Login,
    password_stdin: FromStdin = False,
    totp: Annotated[bool, typer.Option("--totp", help=say("help.accounts.totp"))] = False,
    data: Data = DEFAULT,
) -> None:
    """Set a new password, and end the account's sessions and its pause."""
    url = database(data)
    with in_words():
        given = read_password() if password_stdin else None
        made = asyncio.run(accounts.reset(url, login, given, totp=totp))
    show_password(say("accounts.reset", login=login), made)


@app.command("disable", help=say("help.accounts.disable"))
def disable(login: Login, data: Data = DEFAULT) -> None:
    """Let an account sign in no more."""
    with in_words():
        asyncio.run(accounts.disabled(database(data), login))
    console.write_line(say("accounts.disabled", login=login))


@app.command("enable", help=say("help.accounts.enable"))
def enable(login: Login, data: Data = DEFAULT) -> None:
    """Let an account sign in again."""
    with in_words():
        asyncio.run(accounts.enabled(database(data), login))
    console.write_line(say("accounts.enabled", login=login))


@app.command("list", help=say("help.accounts.list"))
def list_all(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Show the accounts, without their secrets."""
    with in_words():
        found = asyncio.run(accounts.listed(database(data)))
    if as_json:
        print_json(found)
    else:
        show_accounts(console, found)


def read_password() -> str:
    """The first line of the standard input, without its end."""
    return sys.stdin.readline(LONGEST_LINE).rstrip("\r\n")


def show_password(words: str, made: str | None) -> None:
    """What was done for a person, and the password alone where programs read."""
    errors.write_line(words)
    if made is not None:
        errors.write_line(say("accounts.once"))
        print(made)
