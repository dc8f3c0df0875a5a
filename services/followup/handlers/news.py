"""Wakes calls that wait for a matter's or directory entry's event from Kafka, within this process."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

MOST_WAITING: Final = 200
"""Calls that wait at once in one process; each holds memory, and neither a connection nor a transaction."""

MOST_REMEMBERED: Final = 4096
"""Matters whose latest news is remembered for those who were looking while it came."""


VAIN_SECONDS: Final = 60.0
MOST_IN_VAIN: Final = 1000


class WaitedInVain:
    """Subjects that a call waited for without success; no call waits for them again for a minute.

    Commands are processed one after the other: each one with a wrong id would delay the others by 2 s.
    """

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def note(self, subject: str, now: float) -> None:
        """Record that a call waited for `subject` without success until `now` (seconds, monotonic)."""
        if len(self._until) >= MOST_IN_VAIN:
            self._until.clear()
        self._until[subject] = now + VAIN_SECONDS

    def holds(self, subject: str, now: float) -> bool:
        """Return whether a call waited for `subject` without success within the last minute."""
        return self._until.get(subject, now) > now


class MatterNews:
    """Notifies waiting calls which matters and directory entries a committed batch was about."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._most_waiting = most_waiting
        self._waiting = 0
        self._applied: set[str] = set()
        self._latest: dict[str, int] = {}
        self._awaited: dict[str, set[asyncio.Future[None]]] = {}
        self.in_vain = WaitedInVain()
        self.count = 0
        """How often something was published so far."""

    def note(self, subjects: Iterable[str]) -> None:
        """Record subjects whose events are applied and not committed yet."""
        self._applied.update(subjects)

    def publish(self) -> None:
        """Wake the calls that wait for a recorded subject; called after the batch's commit."""
        self.count += 1
        for subject in self._applied:
            self._latest.pop(subject, None)
            self._latest[subject] = self.count
            for awaited in self._awaited.pop(subject, ()):
                if not awaited.done():
                    awaited.set_result(None)
        self._applied.clear()
        while len(self._latest) > MOST_REMEMBERED:
            del self._latest[next(iter(self._latest))]

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Reserve a place among the waiting calls during the block; yield False when all are taken."""
        if self._waiting >= self._most_waiting:
            yield False
            return
        self._waiting += 1
        try:
            yield True
        finally:
            self._waiting -= 1

    async def wait(self, subject: str, since: int, seconds: float) -> bool:
        """Wait up to `seconds`; return whether an event of `subject` was published after `since`, a former `count`."""
        if self._latest.get(subject, 0) > since:
            return True
        awaited = asyncio.get_running_loop().create_future()
        waiters = self._awaited.setdefault(subject, set())
        waiters.add(awaited)
        try:
            done, _ = await asyncio.wait((awaited,), timeout=max(seconds, 0))
            return bool(done)
        finally:
            waiters.discard(awaited)
            if not waiters and self._awaited.get(subject) is waiters:
                del self._awaited[subject]
