"""`liaison tokens …`: parse the arguments and print the results."""

from typing import Annotated

import typer

from deploy.cli.command import AsJson, Data, console, in_words
from deploy.cli.show import show_tokens
from deploy.common import tokens
from deploy.common.folder import DEFAULT, Folder
from deploy.common.screen import print_json
from deploy.common.words import say
from shared.contracts.vocabulary import Role

app = typer.Typer(help=say("help.tokens"), no_args_is_help=True)


@app.command("add", help=say("help.tokens.add"))
def add(
    role: Role,
    party: str,
    sources: Annotated[list[str] | None, typer.Option("--source", help=say("help.source"))] = None,
    data: Data = DEFAULT,
) -> None:
    """Create a token and print it; only its hash is stored."""
    folder = Folder.at(data)
    with in_words():
        folder.make()
        [token] = tokens.add(folder, [(role, party)], sources or ())
    print(token)


@app.command("list", help=say("help.tokens.list"))
def list_all(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Print role and party of each token with the first characters of its hash."""
    found = tokens.entries(Folder.at(data))
    if as_json:
        print_json(found)
    else:
        show_tokens(console, found)


@app.command("revoke", help=say("help.tokens.revoke"))
def revoke(
    hashes: Annotated[list[str], typer.Argument(help=say("help.hashes"))], data: Data = DEFAULT
) -> None:
    """Revoke tokens; the services refuse them from their next call on."""
    folder = Folder.at(data)
    with in_words():
        folder.make()
        for entry in tokens.revoke(folder, hashes):
            said = say("tokens.revoked", role=entry["role"], party=entry["party"])
            console.write_line(said)
