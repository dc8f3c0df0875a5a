"""`liaison kafka-users …`: parse the arguments and print the results."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any, TypeVar

import typer
from aiokafka.errors import KafkaError
from typer.core import TyperCommand

from deploy.cli.command import AsJson, Data, console, in_words
from deploy.cli.show import show_kafka_users
from deploy.common.folder import DEFAULT, Folder
from deploy.common.screen import print_json
from deploy.common.trouble import Trouble
from deploy.common.words import say
from deploy.local.kafka_users import (
    ALL,
    PUBLISHED,
    KafkaUser,
    add_user,
    bring_user,
    forget_user,
    remove_user,
    topics_in,
    users_in,
)
from deploy.operations.addresses import Addresses
from deploy.operations.kafka_elsewhere import add_there, list_there, remove_there
from shared.contracts.topics import REPLIES
from shared.delivery.kafka.address import KafkaAddress
from shared.service.settings import ServerSettings, read_settings

app = typer.Typer(help=say("help.kafka_users"), no_args_is_help=True)


class AddCommand(TyperCommand):
    """The `add` command, whose option `--reads` without a value means all published topics."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - click's, vendored by typer
        """Parse the arguments, inserting `all` after a `--reads` without a value."""
        for place, argument in enumerate(args):
            if argument == "--reads" and _stands_alone(args, place):
                args = [*args[: place + 1], ALL, *args[place + 1 :]]
                break
        return super().parse_args(ctx, args)


def _stands_alone(args: list[str], place: int) -> bool:
    following = args[place + 1 : place + 2]
    if not following or following[0].startswith("-"):
        return True
    if any(not argument.startswith("-") for argument in args[:place]):
        return False
    # Before the name: it is the name, or topics.
    try:
        topics_in(following[0])
    except Trouble:
        return True
    return False


@app.command("add", help=say("help.kafka_users.add"), cls=AddCommand)
def add(
    name: str,
    reads: Annotated[
        str | None, typer.Option("--reads", metavar="TOPICS", help=say("help.kafka_users.reads"))
    ] = None,
    data: Data = DEFAULT,
) -> None:
    """Make a user and print its password."""
    with in_words():
        topics = () if reads is None else topics_in(reads)
        if kafka := elsewhere():
            password = ask_there(kafka, add_there(kafka, name, topics))
        else:
            folder = Folder.at(data)
            folder.make()
            user = add_user(folder, name, topics)
            notify_kafka(folder, lambda kafka: bring_user(kafka, user))
            password = user.password
    if password is None:
        console.write_line(say("kafka_users.known", name=name))
    else:
        print(password)


@app.command("list", help=say("help.kafka_users.list"))
def list_all(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Show the users and what each may read, without their passwords."""
    with in_words():
        if kafka := elsewhere():
            found = ask_there(kafka, list_there(kafka))
        else:
            found = list(users_in(Folder.at(data)).values())
    users = [
        {"name": user.name, "reads": bool(set(user.reads) - {REPLIES}), "topics": _readable(user)}
        for user in found
    ]
    if as_json:
        print_json(users)
    else:
        show_kafka_users(console, users)


def _readable(user: KafkaUser) -> list[str]:
    return [topic for topic in PUBLISHED if topic in user.reads or topic == REPLIES]


@app.command("remove", help=say("help.kafka_users.remove"))
def remove(name: str, data: Data = DEFAULT) -> None:
    """Remove a user from Kafka; its connections lose their rights."""
    with in_words():
        if kafka := elsewhere():
            ask_there(kafka, remove_there(kafka, name))
        else:
            folder = Folder.at(data)
            remove_user(folder, name)
            notify_kafka(folder, lambda kafka: forget_user(kafka, name))
    console.write_line(say("kafka_users.removed", name=name))


def elsewhere() -> KafkaAddress | None:
    """Return the address of the Kafka in the settings; None when the stack runs its own."""
    kafka = read_settings(ServerSettings).kafka_address
    return kafka if kafka.bootstrap else None


Answer = TypeVar("Answer")


def ask_there(kafka: KafkaAddress, attempt: Coroutine[None, None, Answer]) -> Answer:
    """Return what an external Kafka answers. Raises Trouble when it is unreachable or refuses."""
    try:
        return asyncio.run(attempt)
    except (KafkaError, OSError) as fault:
        raise Trouble("kafka_user.refused", kafka=kafka.bootstrap, reason=fault) from fault


def notify_kafka(folder: Folder, ask: Callable[[KafkaAddress], Awaitable[None]]) -> None:
    """Apply a changed user to a running embedded Kafka; one that is stopped applies it at its next start."""
    kafka = Addresses.of(folder).kafka
    if not folder.is_held or not kafka.bootstrap:
        return

    async def attempt() -> None:
        await ask(kafka)

    try:
        asyncio.run(attempt())
    except (KafkaError, OSError) as fault:
        raise Trouble("kafka_user.away", kafka=kafka.bootstrap, reason=fault) from fault
