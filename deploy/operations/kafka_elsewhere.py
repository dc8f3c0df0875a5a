"""Other systems' users of an external Kafka, which stores them itself; a password is printed once."""

from typing import Final

from deploy.common.trouble import Trouble
from deploy.jobs.access import ACCESS
from deploy.jobs.kafka_admin import (
    AccessRule,
    Operation,
    Pattern,
    Resource,
    add_rules,
    all_rules,
    give_passwords,
    remove_passwords,
    remove_rules_of,
)
from deploy.local.kafka_users import (
    PUBLISHED,
    KafkaUser,
    admin_of,
    check_name,
    new_password,
    rules_of,
)
from shared.delivery.kafka.address import KafkaAddress

OWN_USERS: Final = frozenset(ACCESS)
"""Users of the stack itself, which no other system may be."""


async def list_there(kafka: KafkaAddress) -> list[KafkaUser]:
    """Return the users that `add_there` created by name, without passwords. Raises KafkaError."""
    async with admin_of(kafka.client()) as admin:
        return _users(await all_rules(admin), kafka)


async def add_there(kafka: KafkaAddress, name: str, reads: tuple[str, ...]) -> str | None:
    """Give a user exactly these rights; return the password of a new user, None for an existing one.

    Raises KafkaError, and Trouble for a name that cannot be.
    """
    check_name(name)
    if name in OWN_USERS:
        raise Trouble("kafka_user.name", name=name)
    async with admin_of(kafka.client()) as admin:
        known = {user.name for user in _users(await all_rules(admin), kafka)}
        password = None if name in known else new_password()
        if password is not None:
            await give_passwords(admin, {name: password})
        await remove_rules_of(admin, [name])
        await add_rules(admin, rules_of(KafkaUser(name, "", reads), kafka))
    return password


async def remove_there(kafka: KafkaAddress, name: str) -> None:
    """Remove a user; its open connections lose all rights.

    Raises KafkaError, and Trouble for an unknown one.
    """
    async with admin_of(kafka.client()) as admin:
        if name not in {user.name for user in _users(await all_rules(admin), kafka)}:
            raise Trouble("kafka_user.unknown", name=name)
        await remove_rules_of(admin, [name])
        await remove_passwords(admin, [name])


def _users(rules: list[AccessRule], kafka: KafkaAddress) -> list[KafkaUser]:
    # Its own name as a group is what no user of the stack has.
    names = sorted(
        rule.user
        for rule in rules
        if rule.resource is Resource.GROUP
        and rule.pattern is Pattern.LITERAL
        and rule.name == rule.user
        and rule.user not in OWN_USERS
    )
    reads = {
        (rule.user, rule.name)
        for rule in rules
        if rule.resource is Resource.TOPIC and rule.operation is Operation.READ
    }
    return [
        KafkaUser(
            name, "", tuple(topic for topic in PUBLISHED if (name, kafka.topic(topic)) in reads)
        )
        for name in names
    ]
