"""The topics and who writes them; their number of partitions is fixed when they are made."""

from dataclasses import dataclass
from typing import Final

SUBMISSIONS: Final = "liaison.submissions"
REQUESTS: Final = "liaison.requests"
ASSIGNMENTS: Final = "liaison.assignments"
MATTERS: Final = "liaison.matters"
COMMANDS: Final = "liaison.commands"
REPLIES: Final = "liaison.replies"
DEAD_LETTERS: Final = "liaison.dead-letters"

PARTITIONS: Final = 12
"""The default number of partitions; a group never has more consumers than this."""

MAX_MESSAGE_BYTES: Final = 2 * 1024 * 1024
"""The topics' `max.message.bytes`. Producers stay well below it: a refused record jams an idempotent producer."""

DAY_MS: Final = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is made. `retention_ms` must outlast the longest outage of any reader."""

    name: str
    written_by: str
    retention_ms: int = 30 * DAY_MS


TOPICS: Final = (
    Topic(SUBMISSIONS, "other systems"),
    Topic(REQUESTS, "intake"),
    Topic(ASSIGNMENTS, "routing"),
    Topic(MATTERS, "followup"),
    Topic(COMMANDS, "department and liaison systems"),
    Topic(REPLIES, "routing and followup"),
    Topic(DEAD_LETTERS, "each service"),
)
