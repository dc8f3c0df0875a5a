"""Reverse proxy: streams one request to a remote service and its response back, without storing either."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractContextManager, nullcontext

import httpx
import structlog
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from deploy.common.loopback import loopback_client
from deploy.gateway.repeating import RepeatingTransport, is_small
from deploy.gateway.target import Target
from shared.http.middleware.proxies import replaced_claims
from shared.http.problems import as_response, language
from shared.http.streams.guard import abort, process_streams
from shared.runtime.errors import Problem

log = structlog.get_logger()

CONNECT_SECONDS = 2.0
# Longer than any limit of a service itself, so that its own words arrive.
ANSWER_SECONDS = 60.0
# Shorter than the services keep an idle connection, lest one closes while it is chosen.
IDLE_SECONDS = 3.0
# A caller that takes nothing for so long is cut off; the service behind would wait for as long as it likes.
SEND_SECONDS = 30.0
# A stream takes one file on the caller's side and one on the service's.
FILES_EACH = 2
HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding "
    b"upgrade".split()
)


def remote_target(name: str, address: str, key: str = "") -> Target:
    """Return a target at `address`, such as http://127.0.0.1:8001, that trusts the gateway by `key`."""
    client = loopback_client(
        address,
        # Reading is timed below, since a stream may be silent for as long as it likes.
        timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS, read=None),
        transport=RepeatingTransport(IDLE_SECONDS),
    )
    return Target(name, Proxy(client, key), client, shares_process=False)


class Proxy:
    """An ASGI app that forwards to a remote service."""

    def __init__(self, client: httpx.AsyncClient, key: str = "") -> None:
        self._client = client
        self._key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        incoming = Incoming(scope, receive)
        passing = asyncio.create_task(self._pass(incoming, scope, send))
        leaving = asyncio.create_task(incoming.left())
        try:
            await asyncio.wait((passing, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            passing.cancel()
            leaving.cancel()
            await asyncio.wait((passing, leaving))
        if not passing.cancelled():
            passing.result()

    async def _pass(self, incoming: "Incoming", scope: Scope, send: Send) -> None:
        try:
            async with incoming.answer_limit():
                answer = await self._client.send(self._outgoing(incoming, scope), stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as fault:
            await refuse(scope, send, 503, "service_away", fault)
            return
        except (httpx.HTTPError, TimeoutError) as fault:
            await refuse(scope, send, 502, "service_silent", fault)
            return
        try:
            with streaming(answer):
                await deliver(answer, scope, send)
        except Problem as problem:
            await respond(scope, send, problem)
        finally:
            await answer.aclose()

    def _outgoing(self, incoming: "Incoming", scope: Scope) -> httpx.Request:
        target = scope.get("raw_path") or scope["path"].encode()
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        return httpx.Request(
            scope["method"],
            self._client.base_url.copy_with(raw_path=target),
            headers=end_to_end(replaced_claims(scope, self._key)),
            content=incoming if incoming.has_body else None,
            extensions={"timeout": self._client.timeout.as_dict()},
        )


class Incoming:
    """The caller's side of a request: its body first, then its disconnect.

    Iterating gives the body as it comes, and from its beginning again where it is small enough to be repeated.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        headers = Headers(scope=scope)
        self.has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        self._receive = receive
        self._repeatable = "transfer-encoding" not in headers and is_small(
            headers.get("content-length", "")
        )
        self._chunks: list[bytes] = []
        self._read = asyncio.Event()
        self._limit = asyncio.timeout(None if self.has_body else ANSWER_SECONDS)
        if not self.has_body:
            self._read.set()

    def answer_limit(self) -> asyncio.Timeout:
        """Return the timeout of the response, which starts after the body: the body has limits of its own."""
        return self._limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the body. Raises httpx.WriteError when the caller disconnects before its end."""
        for chunk in self._chunks:
            yield chunk
        while not self._read.is_set():
            chunk = await self._next()
            yield chunk

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise httpx.WriteError("the caller left")
        chunk: bytes = message.get("body", b"")
        if self._repeatable:
            self._chunks.append(chunk)
        if not message.get("more_body", False):
            self._read.set()
            self._limit.reschedule(asyncio.get_running_loop().time() + ANSWER_SECONDS)
        return chunk

    async def left(self) -> None:
        """Wait until the caller has disconnected or has the whole response."""
        await self._read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers without the hop-by-hop ones."""
    return [(name, value) for name, value in headers if name.lower() not in HOP_BY_HOP]


async def send_start(answer: httpx.Response, send: Send) -> None:
    headers = [(name.lower(), value) for name, value in end_to_end(answer.headers.raw)]
    # A service that refuses wants no file held for it, here no more than there.
    if answer.is_error and answer.headers.get("connection") == "close":
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})


def is_stream(answer: httpx.Response) -> bool:
    return str(answer.headers.get("content-type", "")).startswith("text/event-stream")


def streaming(answer: httpx.Response) -> AbstractContextManager[None]:
    """Count a streaming response during the block. Raises Problem 503 above the limit of streams."""
    return process_streams(FILES_EACH).hold("origin") if is_stream(answer) else nullcontext()


async def deliver(answer: httpx.Response, scope: Scope, send: Send) -> None:
    """Forward a response in chunks. The connection of a caller that reads nothing for 30 s is closed."""
    await send_start(answer, send)
    async for chunk in chunks(answer):
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except TimeoutError:
            log.info("origin.cut", place=place_in(scope))
            await abort(scope)
            return
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def chunks(answer: httpx.Response) -> AsyncIterator[bytes]:
    """Yield the chunks of a response as they arrive. Only an event stream may pause for long."""
    coming = answer.aiter_raw()
    while True:
        async with asyncio.timeout(None if is_stream(answer) else ANSWER_SECONDS):
            chunk = await anext(coming, None)
        if chunk is None:
            return
        yield chunk


def place_in(scope: Scope) -> str:
    # What follows in a path may be a receipt's code.
    return "/".join(scope["path"].split("/")[:3])


async def refuse(scope: Scope, send: Send, status: int, code: str, fault: Exception) -> None:
    log.warning("origin.refused", place=place_in(scope), fault=f"{type(fault).__name__}: {fault}")
    await respond(scope, send, Problem(status, code, headers={"retry-after": "2"}))


async def respond(scope: Scope, send: Send, problem: Problem) -> None:
    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    await as_response(problem, language(Request(scope)))(scope, nothing, send)
