"""Creates Kafka's users with passwords and access rules; a job: `python -m deploy.jobs.users FOLDER`.

It needs the extra `kafka-users`: aiokafka can make neither users nor rights.
"""

import argparse
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from deploy.jobs.access import ACCESS, Access
from deploy.jobs.passwords import WeakPassword, passwords_in
from shared.delivery.kafka.address import KafkaAddress
from shared.service.settings import ServerSettings, read_settings

ITERATIONS: Final = 4096
"""Kafka's least number of rounds."""
ANSWER_SECONDS: Final = 60.0


def ensure_users(kafka: KafkaAddress, passwords: Mapping[str, str]) -> None:
    """Set each user's password and the rights of `ACCESS`. Idempotent.

    `kafka` must be a listener whose users may do everything; the broker needs an authorizer.
    Raises KafkaException when Kafka is away or refuses.
    """
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    how = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
    made = admin.alter_user_scram_credentials(
        [
            UserScramCredentialUpsertion(user, how, password.encode())
            for user, password in passwords.items()
        ],
        request_timeout=ANSWER_SECONDS,
    )
    _done(made.values())
    rights = [right for user in passwords for right in rights_of(user, ACCESS[user], kafka)]
    _done(admin.create_acls(rights, request_timeout=ANSWER_SECONDS).values())


def rights_of(user: str, access: Access, kafka: KafkaAddress) -> list[AclBinding]:
    """Return the access rules of one user."""
    topics = [(name, AclOperation.READ) for name in access.reads]
    topics += [(name, AclOperation.WRITE) for name in access.writes]
    return [
        _right(user, ResourceType.TOPIC, kafka.topic(name), ResourcePatternType.LITERAL, operation)
        for name, operation in topics
    ] + [
        _right(
            user,
            ResourceType.GROUP,
            kafka.topic(access.group),
            ResourcePatternType.PREFIXED,
            AclOperation.READ,
        )
    ]


def _right(
    user: str, kind: ResourceType, name: str, pattern: ResourcePatternType, operation: AclOperation
) -> AclBinding:
    allow = AclPermissionType.ALLOW
    return AclBinding(kind, name, pattern, f"User:{user}", "*", operation, allow)


def _done(answers: Iterable["Future[Any]"]) -> None:
    for answer in answers:
        answer.result(ANSWER_SECONDS)


def main() -> None:
    """Read the address from the settings and the passwords from a folder, and create the users."""
    parser = argparse.ArgumentParser(prog="python -m deploy.jobs.users")
    parser.add_argument("folder", type=Path, help="where the password of each is, in kafka_<user>")
    asked = parser.parse_args()
    try:
        passwords = passwords_in(asked.folder, "kafka", tuple(ACCESS))
        ensure_users(read_settings(ServerSettings).kafka_address, passwords)
    except (WeakPassword, OSError, KafkaException) as fault:
        parser.error(str(fault))


if __name__ == "__main__":
    main()
