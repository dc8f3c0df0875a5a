"""Connection limit of a process, which connections are closed first, and aborting a response."""

import resource
import time
from asyncio import Transport
from typing import Any, ClassVar, Final

import structlog

from shared.http.server.limits import BoundedHttpProtocol
from shared.http.streams.guard import ABORT, QUIET_SECONDS

log = structlog.get_logger()

SPARE_FILES: Final = 192
"""Open files that no connection of a caller takes: PostgreSQL, Kafka, and those of the program."""


def most_connections(open_files: int, files_each: int = 1) -> int | None:
    """Return how many client connections fit a limit of open files, `files_each` per connection; None without a
    limit.
    """
    if open_files <= 0:
        return None
    return max(16, (open_files - SPARE_FILES) // files_each)


MOST_UNFINISHED: Final = 512


class AbortableProtocol(BoundedHttpProtocol):
    """Adds `ABORT` to the scope's extensions, and limits the number of connections.

    A server that closes a connection first sends what is in its buffer, for as long as the peer takes nothing. One
    that has no file left can neither ask its database nor tell anybody.
    """

    files_each: ClassVar[int] = 1
    _logged_at: ClassVar[float] = -QUIET_SECONDS
    _refused: ClassVar[int] = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Above the limit, close a connection with an unfinished request, else this one; logged once in 10 s."""
        most = self._most()
        if most is not None and len(self.connections) >= most:
            self._count_refused(most)
            if not self.unfinished.cut_one():
                self.transport = transport
                transport.abort()
                return
        super().connection_made(transport)

    def most_unfinished(self) -> int:
        """A quarter of the connections that the process takes, 512 at most."""
        most = self._most()
        return MOST_UNFINISHED if most is None else min(MOST_UNFINISHED, max(4, most // 4))

    def _most(self) -> int | None:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return most_connections(soft, self.files_each)

    @classmethod
    def _count_refused(cls, most: int) -> None:
        cls._refused += 1
        if time.monotonic() - cls._logged_at >= QUIET_SECONDS:
            log.warning("connections.refused", refused=cls._refused, most=most)
            cls._logged_at, cls._refused = time.monotonic(), 0

    def on_message_begin(self) -> None:
        """Begin a scope, and put into it how its connection is cut."""
        super().on_message_begin()
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope["extensions"] = {ABORT: self.transport.abort}


class RelayingProtocol(AbortableProtocol):
    """The same protocol for a gateway, whose connections each need another one behind them."""

    files_each = 2
