"""Administers Kafka's users and access rules: the requests that aiokafka's admin client lacks.

Each function takes a started client of a user who may do everything, and raises KafkaError where Kafka refuses.
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import (
    CreateAclsRequest_v1,
    DeleteAclsRequest_v1,
    DescribeAclsRequest_v1,
)
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactBytes,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

ITERATIONS: Final = 4096
"""Kafka's least number of rounds."""
SCRAM_SHA_512: Final = 2
ANY: Final = 1
DUPLICATE_OR_ABSENT: Final = frozenset({0, 91})
"""No error, and RESOURCE_NOT_FOUND: a user that is deleted may be gone already."""


class Resource(IntEnum):
    """Resource types of an access rule, by Kafka's numbers."""

    TOPIC = 2
    GROUP = 3
    TRANSACTIONAL_ID = 5


class Pattern(IntEnum):
    """Pattern types of an access rule's name."""

    LITERAL = 3
    PREFIXED = 4


class Operation(IntEnum):
    """Operations of an access rule; READ and WRITE imply DESCRIBE."""

    ALL = 2
    READ = 3
    WRITE = 4


class Permission(IntEnum):
    """Permission types; a denial overrides an allowance."""

    DENY = 2
    ALLOW = 3


@dataclass(frozen=True, slots=True)
class AccessRule:
    """One access rule (ACL) of Kafka, for connections from any host."""

    user: str
    resource: Resource
    name: str
    operation: Operation
    pattern: Pattern = Pattern.LITERAL
    permission: Permission = Permission.ALLOW

    @property
    def principal(self) -> str:
        return f"User:{self.user}"


class AlterUserScramCredentialsResponse_v0(Response):  # type: ignore[misc]
    API_KEY = 51
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", CompactString("utf-8")),
                ("error_code", Int16),
                ("error_message", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class AlterUserScramCredentialsRequest_v0(RequestStruct):  # type: ignore[misc]
    API_KEY = 51
    API_VERSION = 0
    RESPONSE_TYPE = AlterUserScramCredentialsResponse_v0
    FLEXIBLE_VERSION = True
    SCHEMA = Schema(
        (
            "deletions",
            CompactArray(
                ("name", CompactString("utf-8")), ("mechanism", Int8), ("tags", TaggedFields)
            ),
        ),
        (
            "upsertions",
            CompactArray(
                ("name", CompactString("utf-8")),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _AsBuilt(Request[RequestStruct]):  # type: ignore[misc]
    """A request that is built already, of one version."""

    API_KEY = -1

    def __init__(self, struct: RequestStruct) -> None:
        self.API_KEY = struct.API_KEY
        self._struct = struct

    def prepare(self, versions: dict[int, tuple[int, int]]) -> RequestStruct:
        return self._struct

    def build(self, request_struct_class: type[RequestStruct]) -> RequestStruct:
        return self._struct


async def give_passwords(admin: AIOKafkaAdminClient, passwords: dict[str, str]) -> None:
    """Set the SCRAM-SHA-512 password of each user, creating missing users."""
    upsertions = [_credential(user, password) for user, password in passwords.items()]
    await _alter(admin, [], upsertions)


async def remove_passwords(admin: AIOKafkaAdminClient, users: Sequence[str]) -> None:
    """Delete these users' credentials; unknown users are ignored."""
    await _alter(admin, [(user, SCRAM_SHA_512, {}) for user in users], [])


async def add_rules(admin: AIOKafkaAdminClient, rules: Iterable[AccessRule]) -> None:
    """Add access rules; existing ones stay."""
    lines = [
        (r.resource, r.name, r.pattern, r.principal, "*", r.operation, r.permission) for r in rules
    ]
    answer = await _send(admin, CreateAclsRequest_v1(lines))
    for code, reason in answer.creation_responses:
        _raise_for(code, reason)


async def all_rules(admin: AIOKafkaAdminClient) -> list[AccessRule]:
    """Return every access rule for users, topics, groups and transactions."""
    answer = await _send(admin, DescribeAclsRequest_v1(ANY, None, ANY, None, None, ANY, ANY))
    _raise_for(answer.error_code, answer.error_message)
    return [
        AccessRule(
            principal.removeprefix("User:"),
            Resource(resource),
            name,
            Operation(operation),
            Pattern(pattern),
            Permission(permission),
        )
        for resource, name, pattern, lines in answer.resources
        for principal, _, operation, permission in lines
        if resource in iter(Resource) and operation in iter(Operation)
    ]


async def remove_rules_of(admin: AIOKafkaAdminClient, users: Iterable[str]) -> None:
    """Remove every access rule of these users."""
    filters = [(ANY, None, ANY, f"User:{user}", None, ANY, ANY) for user in users]
    answer = await _send(admin, DeleteAclsRequest_v1(filters))
    for code, reason, _ in answer.filter_responses:
        _raise_for(code, reason)


def _credential(user: str, password: str) -> tuple[object, ...]:
    salt = os.urandom(32)
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return (user, SCRAM_SHA_512, ITERATIONS, salt, salted, {})


async def _alter(
    admin: AIOKafkaAdminClient, deletions: Sequence[object], upsertions: Sequence[object]
) -> None:
    answer = await _send(admin, AlterUserScramCredentialsRequest_v0(deletions, upsertions, {}))
    for user, code, reason, _ in answer.results:
        if code not in DUPLICATE_OR_ABSENT or (code and upsertions):
            _raise_for(code, f"{user}: {reason}")


async def _send(admin: AIOKafkaAdminClient, struct: RequestStruct) -> Any:  # noqa: ANN401
    return await admin._send_request(_AsBuilt(struct))


def _raise_for(code: int, reason: str | None) -> None:
    if code:
        error: KafkaError = for_code(code)(reason or "")
        raise error
