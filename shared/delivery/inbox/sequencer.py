"""Sequencer: in-order processing per (subject, topic): apply the next version, drop duplicates, park messages behind a
gap.

On a compacted topic the newest version of a subject says all, and versions before it may be gone: a newer version is
applied at once, an older one is passed over.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import structlog

from shared.contracts.events.event import Event
from shared.contracts.topics import COMPACTED
from shared.delivery.cloudevents import Message
from shared.delivery.inbox import store
from shared.delivery.inbox.retention import known_since
from shared.delivery.inbox.store import Seen
from shared.runtime.database import Connection
from shared.runtime.ids import made_at

log = structlog.get_logger()

Apply: TypeAlias = Callable[[Connection, Sequence[Message]], Awaitable[Sequence[Message]]]
"""Applies messages inside the open transaction and returns those whose subject is not known here yet.

Of a subject it returns a message of, it applies none that comes after it in the batch: they are given again.
"""

Place: TypeAlias = tuple[str, str]
"""A subject and a topic: what has an order of its own."""

Discarded: TypeAlias = frozenset[tuple[str, str, int]]


@dataclass(frozen=True, slots=True)
class ParkedMessage:
    """A message whose turn has not come (parked): `early` or `gap`, and why."""

    message: Message
    fate: str
    reason: str


@dataclass(slots=True)
class SubjectProgress:
    """The last applied version of each subject, with the changes of one attempt at a batch."""

    seen: dict[Place, Seen]
    changed: dict[Place, Seen] = field(default_factory=dict)
    waiting: list[ParkedMessage] = field(default_factory=list)
    advanced: set[str] = field(default_factory=set)
    conflicts: list[Message] = field(default_factory=list)
    """Messages of a version that was applied before from another event: one of the two is forged."""

    def at(self, place: Place) -> Seen:
        """Return the progress of a (subject, topic)."""
        return self.changed.get(place) or self.seen.get(place) or Seen(0, held=False)

    def advance(self, message: Message) -> None:
        """Record that the message was applied."""
        place = place_of(message)
        self.changed[place] = Seen(message.sequence, self.at(place).held)
        self.advanced.add(message.subject)

    def park(self, place: Place) -> None:
        """Record that a letter of this (subject, topic) waits."""
        self.changed[place] = Seen(self.at(place).version, held=True)

    def hold(self, message: Message, fate: str, reason: str) -> None:
        """Record that the message must wait."""
        self.park(place_of(message))
        self.waiting.append(ParkedMessage(message, fate, reason))

    def advanced_with_letters(self) -> list[str]:
        """Return the subjects that advanced and have waiting letters on any topic."""
        known = self.seen | self.changed
        held = {subject for (subject, _), state in known.items() if state.held}
        return sorted(held & self.advanced)


def place_of(message: Message) -> Place:
    """Return the (subject, topic) within which a message is ordered."""
    return message.subject, message.raw.topic


async def load_progress(conn: Connection, subjects: Iterable[str]) -> SubjectProgress:
    """Load the progress of these subjects, locked until the transaction ends."""
    wanted = sorted(set(subjects))
    return SubjectProgress(await store.load_seen(conn, wanted) if wanted else {})


@dataclass(frozen=True, slots=True)
class Sequencer:
    """In-order processing of a service's events: `applies` by topic, in order, and the types it can read."""

    service: str
    applies: Mapping[str, Apply]
    events: Mapping[str, type[Event]]

    async def follow(
        self, conn: Connection, progress: SubjectProgress, messages: Sequence[Message]
    ) -> None:
        """Apply the messages that are due, in order per subject, and record the outcome of each in `progress`.

        Raises what an apply raises, KeyError for a topic that has none.
        """
        plan = _planned(progress, messages, frozenset())
        if plan.gaps:
            subjects = sorted({message.subject for message, _ in plan.gaps})
            if discarded := await store.load_discarded(conn, subjects):
                plan = _planned(progress, messages, discarded)
        if plan.stale:
            progress.conflicts += await _conflicts(conn, plan.stale)
        for message, missing in plan.gaps:
            progress.hold(message, "gap", f"version {missing} has not been applied")
        for topic in (*self.applies, *(plan.due.keys() - self.applies.keys())):
            if due := plan.due.get(topic):
                _note(progress, due, await self.applies[topic](conn, due))


@dataclass(slots=True)
class _Plan:
    due: dict[str, list[Message]] = field(default_factory=dict)
    gaps: list[tuple[Message, int]] = field(default_factory=list)
    stale: list[Message] = field(default_factory=list)


def _planned(progress: SubjectProgress, messages: Sequence[Message], discarded: Discarded) -> _Plan:
    plan = _Plan()
    expected: dict[Place, int] = {}
    for message in messages:
        place = place_of(message)
        next_version = expected.get(place, progress.at(place).version + 1)
        newest_only = message.raw.topic in COMPACTED
        if message.sequence < next_version:
            log.warning("event.stale", subject=message.subject, version=message.sequence)
            if not newest_only or message.sequence == next_version - 1:
                plan.stale.append(message)
        elif newest_only or _all_discarded(discarded, place, range(next_version, message.sequence)):
            plan.due.setdefault(message.raw.topic, []).append(message)
            expected[place] = message.sequence + 1
        else:
            plan.gaps.append((message, next_version))
    return plan


async def _conflicts(conn: Connection, stale: Sequence[Message]) -> list[Message]:
    """Return the messages whose version was applied before from another event (conflicts).

    An event that comes again is known by its id, where ids of its age are kept: an older one is only dropped.
    """
    since = await known_since(conn)
    return [message for message in stale if (made := made_at(message.id)) is None or made >= since]


def _all_discarded(discarded: Discarded, place: Place, between: range) -> bool:
    # The length is compared first: a sequence is a stranger's number and may be far away.
    return len(between) <= len(discarded) and all(
        (*place, version) in discarded for version in between
    )


def _note(progress: SubjectProgress, due: Sequence[Message], early: Sequence[Message]) -> None:
    waiting = {message.id for message in early}
    blocked: set[str] = set()
    for message in due:
        if message.id in waiting or message.subject in blocked:
            blocked.add(message.subject)
            progress.hold(message, "early", "its subject is not known here yet")
        else:
            progress.advance(message)
