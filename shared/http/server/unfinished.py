"""Counts connections with incomplete requests by address, and chooses which to close."""

import time
from typing import Final, Protocol

SETTLED_SECONDS: Final = 1.0
"""Age below which no connection is cut for its address: many callers may begin at the same moment."""


class Cuttable(Protocol):
    """A connection that can be closed at once."""

    def cut(self) -> None: ...


class Unfinished:
    """Waiting connections by address, those longest without progress first."""

    def __init__(self) -> None:
        self._by_address: dict[str, dict[Cuttable, float]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_address.values()))

    def add(self, address: str, connection: Cuttable, most: int) -> None:
        """Count `connection` as the newest of `address`; above `most`, cut its oldest that wait for 1 s."""
        waiting = self._by_address.setdefault(address, {})
        waiting.pop(connection, None)
        now = time.monotonic()
        waiting[connection] = now
        while len(waiting) > most:
            oldest, since = next(iter(waiting.items()))
            if now - since < SETTLED_SECONDS:
                break
            del waiting[oldest]
            oldest.cut()

    def discard(self, address: str, connection: Cuttable) -> None:
        """Count `connection` no longer."""
        waiting = self._by_address.get(address)
        if waiting is not None:
            waiting.pop(connection, None)
            if not waiting:
                del self._by_address[address]

    def cut_one(self) -> bool:
        """Cut the oldest of the address that has most; False when none waits."""
        if not self._by_address:
            return False
        address = max(self._by_address, key=lambda each: len(self._by_address[each]))
        oldest = next(iter(self._by_address[address]))
        self.discard(address, oldest)
        oldest.cut()
        return True
