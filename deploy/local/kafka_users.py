"""Users of the embedded Kafka: stored in the data folder, applied to Kafka at each start and each change.

kafka-users.json    {name: {"password": ..., "reads": true or topics}}, of other systems; no password: taken away
kafka/*.password    of the broker itself, and of the services with the operator's commands
"""

import re
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient

from deploy.common.folder import Folder, read_json, write_json, write_private
from deploy.common.trouble import Trouble
from deploy.jobs.access import ACCESS, SENDERS
from deploy.jobs.kafka_admin import (
    AccessRule,
    Operation,
    Pattern,
    Permission,
    Resource,
    add_rules,
    give_passwords,
    remove_passwords,
    remove_rules_of,
)
from deploy.local.embedded.guard import BROKER, SERVICES, STRANGER, Guard
from shared.contracts.topics import COMMANDS, DEAD_LETTERS, SUBMISSIONS, TOPICS
from shared.delivery.kafka.address import KafkaAddress, Login

ASK_MS: Final = 20_000
PASSWORD_BYTES: Final = 24
PUBLISHED: Final = tuple(
    topic.name for topic in TOPICS if topic.name not in (SUBMISSIONS, COMMANDS, DEAD_LETTERS)
)
"""What the services write for others to read."""
ALL: Final = "all"
_PREFIX: Final = "liaison."
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RESERVED: Final = re.compile(rf"(?i:{BROKER}|{STRANGER}|{SERVICES}.*)")


@dataclass(frozen=True, slots=True)
class KafkaUser:
    """Another system's user. `reads` are the published topics it may read; they name firms and people."""

    name: str
    password: str = field(repr=False)
    reads: tuple[str, ...] = ()


def topics_in(text: str) -> tuple[str, ...]:
    """Parse `requests,matters` or `all` into published topics. Raises Trouble naming unknown ones."""
    given = [name.strip() for name in text.split(",") if name.strip()]
    if given == [ALL]:
        return PUBLISHED
    known = {name.removeprefix(_PREFIX): name for name in PUBLISHED}
    unknown = [name for name in given if name.removeprefix(_PREFIX) not in known]
    if unknown or not given:
        raise Trouble(
            "kafka_user.topics", topics=", ".join(unknown) or text, known=", ".join(known)
        )
    asked = {known[name.removeprefix(_PREFIX)] for name in given}
    return tuple(name for name in PUBLISHED if name in asked)


def users_in(folder: Folder) -> dict[str, KafkaUser]:
    """Return the users in a data folder by name."""
    return {
        name: KafkaUser(name, entry["password"], _retained_topics(entry["reads"]))
        for name, entry in _entries(folder).items()
        if entry["password"]
    }


def _retained_topics(reads: bool | list[str]) -> tuple[str, ...]:
    # Earlier versions knew all or nothing.
    if isinstance(reads, bool):
        return PUBLISHED if reads else ()
    return tuple(name for name in PUBLISHED if name in reads)


def _entries(folder: Folder) -> dict[str, dict[str, Any]]:
    kept: dict[str, dict[str, Any]] = read_json(folder.kafka_users) or {}
    return kept


def check_name(name: str) -> None:
    """Raises Trouble for a name that another system's user cannot have."""
    if not _NAME.fullmatch(name) or _RESERVED.fullmatch(name):
        raise Trouble("kafka_user.name", name=name)


def new_password() -> str:
    """Return a random password of 192 bits."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def add_user(folder: Folder, name: str, reads: tuple[str, ...] = ()) -> KafkaUser:
    """Keep a user, with the password that it has already or a new one. Raises Trouble for a name that cannot be."""
    check_name(name)
    entries, known = _entries(folder), users_in(folder).get(name)
    password = known.password if known else new_password()
    # A program of an earlier version understands `true` alone.
    entries[name] = {"password": password, "reads": reads == PUBLISHED or list(reads)}
    write_json(folder.kafka_users, entries)
    return KafkaUser(name, password, reads)


def remove_user(folder: Folder, name: str) -> None:
    """Remove a user from the folder; a stopped Kafka removes it at its next start. Raises Trouble for an unknown
    name.
    """
    if name not in users_in(folder):
        raise Trouble("kafka_user.unknown", name=name)
    write_json(folder.kafka_users, {**_entries(folder), name: {"password": None, "reads": False}})


def own_login(folder: Folder) -> Login:
    """Return the login of the services and of the operator's commands."""
    return Login(SERVICES, secret_in(folder.kafka_password(SERVICES)))


def broker_secret(folder: Folder) -> str:
    """Return the password of the broker's superuser, which the launcher uses too."""
    return secret_in(folder.kafka_password(BROKER))


def secret_in(file: Path) -> str:
    """Return the password in a file, creating it with mode 0600 if it is missing."""
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(file, new_password())
    return file.read_text(encoding="utf-8").strip()


async def bring_users(folder: Folder, guard: Guard, kafka: KafkaAddress) -> None:
    """Apply the users of the folder and of the services, with their rights, to Kafka. Raises KafkaError.

    `kafka` has the prefix of the topics. Safe to run again.
    """
    users = users_in(folder)
    own = own_login(folder)
    passwords = {own.user: own.password, **{user.name: user.password for user in users.values()}}
    rules = [rule for user in users.values() for rule in rules_of(user, kafka)]
    if guard.open_port is not None:
        rules += rules_of_strangers(kafka)
    gone = [name for name in _entries(folder) if name not in users]
    async with admin_of(guard.client()) as admin:
        await give_passwords(admin, passwords)
        await add_rules(admin, rules)
        if gone:
            await remove_rules_of(admin, gone)
            await remove_passwords(admin, gone)


async def bring_user(kafka: KafkaAddress, user: KafkaUser) -> None:
    """Create or update one user in Kafka with exactly these rights. Raises KafkaError."""
    async with admin_of(kafka.client()) as admin:
        await remove_rules_of(admin, [user.name])
        await add_rules(admin, rules_of(user, kafka))
        await give_passwords(admin, {user.name: user.password})


async def forget_user(kafka: KafkaAddress, name: str) -> None:
    """Remove one user from Kafka; its open connections lose all rights. Raises KafkaError."""
    async with admin_of(kafka.client()) as admin:
        await remove_rules_of(admin, [name])
        await remove_passwords(admin, [name])


def rules_of(user: KafkaUser, kafka: KafkaAddress) -> list[AccessRule]:
    """Return another system's rights: those of `senders` in compose, with groups and transactions of its own."""
    common = ACCESS[SENDERS]
    topics = {*common.reads, *user.reads}
    own = [
        AccessRule(user.name, resource, name, operation, pattern)
        for resource, operation in (
            (Resource.GROUP, Operation.READ),
            (Resource.TRANSACTIONAL_ID, Operation.WRITE),
        )
        for name, pattern in ((user.name, Pattern.LITERAL), (f"{user.name}.", Pattern.PREFIXED))
    ]
    groups = AccessRule(
        user.name,
        Resource.GROUP,
        kafka.topic(common.group),
        Operation.READ,
        Pattern.PREFIXED,
    )
    return [*_topics(user.name, topics, common.writes, kafka), groups, *own]


def rules_of_strangers(kafka: KafkaAddress) -> list[AccessRule]:
    """Return the rights of clients without a password: write as other systems do, and read all published topics.

    In any group but those of the services, whose records it would take away.
    """
    ours = AccessRule(
        STRANGER,
        Resource.GROUP,
        kafka.topic("liaison."),
        Operation.ALL,
        Pattern.PREFIXED,
        Permission.DENY,
    )
    return [
        *_topics(STRANGER, PUBLISHED, ACCESS[SENDERS].writes, kafka),
        AccessRule(STRANGER, Resource.GROUP, "*", Operation.READ),
        AccessRule(STRANGER, Resource.TRANSACTIONAL_ID, "*", Operation.WRITE),
        ours,
    ]


def _topics(
    user: str, reads: Iterable[str], writes: Iterable[str], kafka: KafkaAddress
) -> list[AccessRule]:
    return [
        AccessRule(user, Resource.TOPIC, kafka.topic(name), operation)
        for names, operation in ((reads, Operation.READ), (writes, Operation.WRITE))
        for name in names
    ]


@asynccontextmanager
async def admin_of(arguments: Mapping[str, Any]) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**arguments, request_timeout_ms=ASK_MS)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()
