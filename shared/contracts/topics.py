"""The topics and who writes them; their number of partitions is fixed when they are made."""

from dataclasses import dataclass
from typing import Final

SUBMISSIONS: Final = "liaison.submissions"
REQUESTS: Final = "liaison.requests"
ASSIGNMENTS: Final = "liaison.assignments"
MATTERS: Final = "liaison.matters"
DIRECTORY: Final = "liaison.directory"
COMMANDS: Final = "liaison.commands"
REPLIES: Final = "liaison.replies"
DEAD_LETTERS: Final = "liaison.dead-letters"

PARTITIONS: Final = 12
"""The default number of partitions; a group never has more consumers than this."""

MAX_MESSAGE_BYTES: Final = 2 * 1024 * 1024
"""The topics' `max.message.bytes`. Producers stay well below it: a refused record jams an idempotent producer."""

DAY_MS: Final = 24 * 60 * 60 * 1000
FOR_EVER: Final = -1


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is made. `retention_ms` must outlast the longest outage of any reader.

    Retention counts from a record's time. Strangers' clocks may be wrong by years, so the broker says the time
    (`broker_time`) where they write. A `compacted` topic keeps the newest record of each key for ever, and its
    readers meet versions with gaps between them.
    """

    name: str
    written_by: str
    retention_ms: int = 30 * DAY_MS
    broker_time: bool = False
    compacted: bool = False

    @property
    def upheld(self) -> dict[str, str]:
        """The settings that an existing topic is brought up to; whatever else an operator set stays."""
        times = {"message.timestamp.type": "LogAppendTime"} if self.broker_time else {}
        return times | ({"cleanup.policy": "compact"} if self.compacted else {})

    @property
    def settings(self) -> dict[str, str]:
        """All the settings that a new topic is made with."""
        kept = {"retention.ms": str(self.retention_ms), "max.message.bytes": str(MAX_MESSAGE_BYTES)}
        return kept | self.upheld


TOPICS: Final = (
    Topic(SUBMISSIONS, "other systems", broker_time=True),
    Topic(REQUESTS, "intake"),
    Topic(ASSIGNMENTS, "routing"),
    Topic(MATTERS, "followup"),
    Topic(DIRECTORY, "routing", retention_ms=FOR_EVER, compacted=True),
    Topic(COMMANDS, "department and liaison systems", broker_time=True),
    Topic(REPLIES, "routing and followup"),
    Topic(DEAD_LETTERS, "each service"),
)

COMPACTED: Final = frozenset(topic.name for topic in TOPICS if topic.compacted)


def key_of(topic: str, subject: str) -> str:
    """The key of a subject's records: the subject, or on the directory's topic the id in `<kind>/<id>`."""
    return subject.partition("/")[2] if topic == DIRECTORY else subject
