"""Limits of an HTTP/1.1 connection: headers by time and size, bodies by rate, responses by progress."""

import asyncio
from enum import Enum, auto
from itertools import chain
from typing import Any, ClassVar, Final

import structlog
from starlette.requests import Request
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from uvicorn.server import ServerState

from shared.auth.brute_force import network_of
from shared.http.middleware.proxies import TrustedProxies, parse_address
from shared.http.problems import MEDIA_TYPE, as_response, language
from shared.http.server.unfinished import Unfinished
from shared.http.server.upgrades import UpgradeIgnoringProtocol
from shared.messages.catalogue import LANGUAGES
from shared.runtime.errors import Problem

log = structlog.get_logger()

HEAD_SECONDS: Final = 10.0
"""From the first byte of a request, or from the beginning of a connection, to the end of the headers."""
BODY_SECONDS: Final = 10.0
"""A window of a body. Two in a row with less than `BODY_BYTES` each end the request."""
BODY_BYTES: Final = 40 * 1024
MAX_HEAD_BYTES: Final = 32 * 1024
"""Request line and headers. At most one chunk of 256 KiB is read beyond it."""
SEND_SECONDS: Final = 60.0
"""A caller that takes nothing of an answer for so long is cut off."""
LINGER_SECONDS: Final = 2.0
"""After a refusal: a close with unread bytes is a reset, which discards the answer on its way."""
GRACE_SECONDS: Final = 0.05
"""After a limit, for what has arrived while this process was held up."""


class RequestPart(Enum):
    """The part of a request that a connection is reading."""

    NOTHING = auto()
    HEAD = auto()
    BODY = auto()


class BoundedHttpProtocol(UpgradeIgnoringProtocol):
    """uvicorn's protocol, which by itself waits for a half-sent request for ever and keeps headers of any size.

    A request that comes in one chunk sets no timer.
    """

    head_seconds: ClassVar[float] = HEAD_SECONDS
    body_seconds: ClassVar[float] = BODY_SECONDS
    body_bytes: ClassVar[int] = BODY_BYTES
    send_seconds: ClassVar[float] = SEND_SECONDS
    unfinished: ClassVar[Unfinished] = Unfinished()
    trusted: ClassVar[TrustedProxies] = TrustedProxies()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limit: asyncio.TimerHandle | None = None
        self._limited: RequestPart | None = None
        self._sending: asyncio.TimerHandle | None = None
        self._address = ""
        self._part = RequestPart.NOTHING
        self._head_bytes = 0
        self._body_bytes = 0
        self._window_began_at = 0
        self._slow_windows = 0
        self._bytes_besides = 0
        self._is_refused = False

    def most_unfinished(self) -> int:
        """How many unfinished requests one address may have."""
        return 512

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        # What comes by a proxy comes from many.
        if self.client and not self.trusted.contains(parse_address(self.client[0])):
            self._address = network_of(self.client[0])
        self._wait(RequestPart.NOTHING)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the limits."""
        self._rest()
        self._stop_watching()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, as long as the connection is not refused."""
        if self._is_refused:
            return
        before, body_bytes = self._part, self._body_bytes
        super().data_received(data)
        if self._is_refused or self.transport.is_closing():
            return
        if self._part is RequestPart.HEAD:
            # The chunk that a request begins in may hold much of the one before.
            self._head_bytes += len(data) if before is RequestPart.HEAD else 0
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(431, "headers_too_large")
                return
        elif before is self._part is RequestPart.BODY and self._body_bytes == body_bytes:
            # Trailers, and what is said of chunks.
            self._bytes_besides += len(data)
            if self._bytes_besides > MAX_HEAD_BYTES:
                self._refuse(431, "headers_too_large")
                return
        self._limit_part()

    def _limit_part(self) -> None:
        if self._part is RequestPart.NOTHING and not self._is_idle:
            self._rest()
        elif self._limited is not self._part:
            self._rest()
            self._wait(self._part)

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._part, self._head_bytes = RequestPart.HEAD, 0

    def on_headers_complete(self) -> None:
        """Answer the request, or refuse it for its headers."""
        if self._is_refused:
            return
        if len(self.url) + sum(map(len, chain.from_iterable(self.headers))) > MAX_HEAD_BYTES:
            self._refuse(431, "headers_too_large")
            return
        self._part, self._body_bytes, self._bytes_besides = RequestPart.BODY, 0, 0
        self._window_began_at = self._slow_windows = 0
        super().on_headers_complete()
        # What comes now are trailers, which are no headers of the request that was judged.
        self.headers = []

    def on_body(self, body: bytes) -> None:
        """Hand a part of the body on."""
        if not self._is_refused:
            self._body_bytes += len(body)
            self._bytes_besides = 0
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request; the next one has its own limits."""
        if not self._is_refused:
            self._part = RequestPart.NOTHING
            self._rest()
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP/1.1, in a problem document."""
        if self._part is RequestPart.NOTHING:
            self._part = RequestPart.HEAD
        self._refuse(400, "malformed_http")

    def pause_writing(self) -> None:
        """Start the timer for a caller that does not read its response."""
        super().pause_writing()
        if self._sending is None:
            self._watch_sending(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Stop the timer: the caller has read the response."""
        self._stop_watching()
        super().resume_writing()

    def cut(self) -> None:
        """End the connection at once."""
        self.transport.abort()

    def _watch_sending(self, left: int) -> None:
        self._sending = self.loop.call_later(self.send_seconds, self._check_sending, left)

    def _check_sending(self, before: int) -> None:
        left = self.transport.get_write_buffer_size()
        if left < before:
            self._watch_sending(left)
        else:
            log.info("connection.not_read", left=left)
            self.cut()

    def _stop_watching(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None

    def _wait(self, part: RequestPart) -> None:
        """Restart the timer of a part."""
        seconds = self.body_seconds if part is RequestPart.BODY else self.head_seconds
        self._limited = part
        self._limit = self.loop.call_later(seconds, self._expire, GRACE_SECONDS)
        if self._address and (part is RequestPart.BODY or self._is_idle):
            self.unfinished.add(self._address, self, self.most_unfinished())

    def _rest(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = self._limited = None
            self.unfinished.discard(self._address, self)

    def _expire(self, grace: float) -> None:
        if grace:
            self._limit = self.loop.call_later(grace, self._expire, 0)
        elif self._part is RequestPart.BODY:
            self._end_window()
        elif not self._is_idle:
            # A request that came before is being answered: only what follows it is slow.
            self._wait(self._part)
        else:
            self._refuse(408, "request_too_slow")

    def _end_window(self) -> None:
        is_slow = self._body_bytes - self._window_began_at < self.body_bytes
        self._window_began_at = self._body_bytes
        if self.cycle.response_complete:
            self._refuse(408, "request_too_slow")
        elif not is_slow or self._awaits_us:
            self._slow_windows = 0
            self._wait(RequestPart.BODY)
        elif self._slow_windows:
            self._refuse(408, "request_too_slow")
        else:
            self._slow_windows = 1
            self._limit = self.loop.call_later(self.body_seconds, self._expire, GRACE_SECONDS)

    @property
    def _awaits_us(self) -> bool:
        """Return whether this side has paused reading."""
        return bool(self.pipeline or self.flow.read_paused or self.cycle.waiting_for_100_continue)

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _refuse(self, status: int, code: str) -> None:
        """Close the connection, with a response unless it could be taken for another request's."""
        self._rest()
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        if self._part is RequestPart.BODY:
            may_answer = not self.pipeline and not self.cycle.response_started
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        else:
            may_answer = self._part is RequestPart.HEAD and self._is_idle
        if not may_answer:
            self.transport.close()
            return
        self.transport.write(_answer(status, code, self._language))
        self.transport.write_eof()
        self._limit = self.loop.call_later(LINGER_SECONDS, self.cut)

    @property
    def _language(self) -> str:
        return language(Request(self.scope)) if self._part is RequestPart.BODY else LANGUAGES[0]  # type: ignore[arg-type]


def _answer(status: int, code: str, lang: str) -> bytes:
    body = bytes(as_response(Problem(status, code), lang).body)
    head = (
        b"content-type: " + MEDIA_TYPE.encode() + b"\r\n"
        b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body)
    )
    return STATUS_LINE[status] + head + body
