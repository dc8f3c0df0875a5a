"""Access rules of the stack's Kafka users: which topics each may read and write."""

from dataclasses import dataclass
from typing import Final

from shared.contracts.topics import (
    ASSIGNMENTS,
    COMMANDS,
    DEAD_LETTERS,
    DIRECTORY,
    MATTERS,
    REPLIES,
    REQUESTS,
    SUBMISSIONS,
)

SENDERS: Final = "senders"
"""What other systems come in as."""


@dataclass(frozen=True, slots=True)
class Access:
    """Rights of one Kafka user. Its consumer groups begin with `group`."""

    reads: tuple[str, ...]
    writes: tuple[str, ...]
    group: str


ACCESS: Final = {
    "intake": Access((SUBMISSIONS, MATTERS), (REQUESTS, DEAD_LETTERS), "liaison.intake"),
    "routing": Access(
        (REQUESTS, MATTERS, COMMANDS),
        (ASSIGNMENTS, DIRECTORY, REPLIES, DEAD_LETTERS),
        "liaison.routing",
    ),
    "followup": Access(
        (REQUESTS, ASSIGNMENTS, DIRECTORY, COMMANDS),
        (MATTERS, REPLIES, DEAD_LETTERS),
        "liaison.followup",
    ),
    "desk": Access((MATTERS, ASSIGNMENTS), (DEAD_LETTERS,), "liaison.desk"),
    SENDERS: Access((REPLIES,), (SUBMISSIONS, COMMANDS), "senders."),
}
"""Each user by name; what is not here, nobody may."""
