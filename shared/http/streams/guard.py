"""Guard of event streams (SSE): limits per party, address and process; re-authorised while open."""

import asyncio
import resource
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, TypeAlias, get_args

import structlog
from fastapi import Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.types import Receive, Scope, Send

from shared.auth.jwt import TokenVerifier
from shared.auth.tokens import Principal, Tokens
from shared.observability.metrics import STREAMS_ENDED, STREAMS_OPEN, STREAMS_REFUSED
from shared.runtime.errors import Problem, busy

log = structlog.get_logger()

MOST_STREAMS: Final = 2000
PARTY_STREAMS: Final = 64
ADDRESS_STREAMS: Final = 32
RESERVED_FILES: Final = 384
"""Open files of a process that no stream takes: ordinary calls, PostgreSQL, Kafka and the files of the program."""
RETRY_SECONDS: Final = 60
RETRY_MS: Final = 3000
ABORT_SECONDS: Final = 0.05
QUIET_SECONDS: Final = 10.0
"""Refusals are logged once in this time, with their number."""

ABORT: Final = "liaison.abort"
"""The extension of an ASGI scope that cuts the connection, with what the peer has not read."""

Reason: TypeAlias = Literal["party", "address", "process"]
ENDS: Final = ("slow", "right_lost")
"""Why the service ends a stream: the reader took nothing, or may not read any more."""
MayRead: TypeAlias = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Holder:
    """Holder of a stream: a party by its token, or an anonymous client by its address."""

    kind: Literal["party", "address"]
    name: str

    @classmethod
    def of(cls, principal: Principal | None, address: str) -> "Holder":
        """Return the holder of a request's stream; `principal` is None for an anonymous client."""
        if principal is None:
            return cls("address", address)
        return cls("party", f"{principal.role}:{principal.party}")


class OpenStreams:
    """Open streams of one process by holder. `most` limits their total."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._limits: Final = {
            "party": max(2, min(PARTY_STREAMS, most // 8)),
            "address": max(2, min(ADDRESS_STREAMS, most // 16)),
        }
        self._held: Counter[Holder] = Counter()
        self._count = 0
        self._refused: Counter[Reason] = Counter()
        self._logged_at = -QUIET_SECONDS

    @property
    def count(self) -> int:
        """How many are open."""
        return self._count

    @contextmanager
    def hold(self, service: str, holder: Holder | None = None) -> Iterator[None]:
        """Count one stream while the block runs. Without a holder the process's limit alone counts.

        Raises Problem 429 above the holder's own limit, 503 above the process's; both have the connection closed, so
        that what was refused holds no file.
        """
        if holder is not None and self._held[holder] >= self._limits[holder.kind]:
            raise self._refusal(service, holder.kind)
        if self._count >= self.most:
            raise self._refusal(service, "process")
        self._count += 1
        if holder is not None:
            self._held[holder] += 1
        gauge = STREAMS_OPEN.labels(service)
        gauge.inc()
        try:
            yield
        finally:
            gauge.dec()
            self._count -= 1
            if holder is not None:
                self._held[holder] -= 1
                if not self._held[holder]:
                    del self._held[holder]

    def _refusal(self, service: str, reason: Reason) -> Problem:
        STREAMS_REFUSED.labels(service, reason).inc()
        self._refused[reason] += 1
        if time.monotonic() - self._logged_at >= QUIET_SECONDS:
            self._logged_at = time.monotonic()
            log.warning(
                "streams.refused", service=service, open=self._count, most=self.most,
                refused=dict(self._refused),
            )  # fmt: skip
            self._refused.clear()
        headers = {"retry-after": str(RETRY_SECONDS), "connection": "close"}
        if reason == "process":
            return busy(RETRY_SECONDS, headers)
        params = {"limit": self._limits[reason], "seconds": RETRY_SECONDS}
        return Problem(429, "too_many_streams", params=params, headers=headers)


def most_streams(open_files: int, files_each: int = 1) -> int:
    """Return how many streams a process with this limit of open files may hold, `files_each` per stream."""
    if open_files <= 0:
        return MOST_STREAMS
    room = max(open_files - RESERVED_FILES, open_files // 4)
    return max(4, min(MOST_STREAMS, room // files_each))


@cache
def process_streams(files_each: int = 1) -> OpenStreams:
    """Return the streams of this process, shared by the services in it."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return OpenStreams(most_streams(soft, files_each))


def streams_of(service: str) -> OpenStreams:
    """Return this process's streams for one service, with its metrics initialised to 0.

    Prometheus sees no increase to the first value of a series.
    """
    STREAMS_OPEN.labels(service)
    for reason in get_args(Reason):
        STREAMS_REFUSED.labels(service, reason)
    for end in ENDS:
        STREAMS_ENDED.labels(service, end)
    return process_streams()


async def current_principal(request: Request, token: str | None) -> Principal | None:
    """Return the token's present principal; None when it is revoked, expired or unverifiable."""
    if not token:
        return None
    tokens: Tokens = request.app.state.tokens
    signed: TokenVerifier | None = request.app.state.signed
    found = tokens.principal(token)
    if found is not None or signed is None or token.count(".") != 2:
        return found
    try:
        return await signed.principal(token)
    except Problem:
        return None


class GuardedStream(EventSourceResponse):
    """A stream whose reader is re-authorised at each heartbeat and before each event.

    It ends without a word once `may_read` is false, and is cut after `send_seconds` with a reader that takes nothing.
    `heartbeat_seconds` pass at most between two signs of life.
    """

    def __init__(
        self,
        events: AsyncIterator[ServerSentEvent],
        request: Request,
        holder: Holder,
        may_read: MayRead,
        *,
        heartbeat_seconds: float,
        send_seconds: float,
    ) -> None:
        super().__init__(
            _guarded(events, may_read, heartbeat_seconds, self._lose),
            ping=0,
            send_timeout=send_seconds,
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )
        self._streams: OpenStreams = request.app.state.streams
        self._service: str = request.app.state.service
        self._holder = holder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises Problem 429 or 503, with nothing sent, where one stream more is one too many."""
        with self._streams.hold(self._service, self._holder):
            try:
                await super().__call__(scope, receive, send)
            except SendTimeoutError:
                STREAMS_ENDED.labels(self._service, "slow").inc()
                log.info("stream.cut", service=self._service)
                await abort(scope)

    def _lose(self) -> None:
        STREAMS_ENDED.labels(self._service, "right_lost").inc()
        log.info("stream.right_lost", service=self._service)


async def abort(scope: Scope) -> None:
    """Abort a request's connection if the server can; a close would wait until its buffers are read."""
    cut = scope.get("extensions", {}).get(ABORT)
    if cut is not None:
        cut()
        # The server notices in its own time that nothing of the answer is owed any more.
        await asyncio.sleep(ABORT_SECONDS)


async def _guarded(
    events: AsyncIterator[ServerSentEvent],
    may_read: MayRead,
    heartbeat_seconds: float,
    lose: Callable[[], None],
) -> AsyncIterator[ServerSentEvent]:
    coming: asyncio.Future[ServerSentEvent | None] | None = None
    try:
        # The reconnection time (WHATWG HTML, 9.2) is no event: nothing is dispatched for it.
        yield ServerSentEvent(retry=RETRY_MS, comment="open")
        while True:
            coming = coming or asyncio.ensure_future(_next(events))
            await asyncio.wait((coming,), timeout=heartbeat_seconds)
            if not await may_read():
                lose()
                return
            if not coming.done():
                yield ServerSentEvent(comment="heartbeat")
                continue
            event, coming = coming.result(), None
            if event is None:
                return
            yield event
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.wait((coming,))
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()


async def _next(events: AsyncIterator[ServerSentEvent]) -> ServerSentEvent | None:
    return await anext(events, None)
