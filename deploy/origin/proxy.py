"""Passes one HTTP request on to a service elsewhere and its answer back as it comes; keeps nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import httpx
import structlog
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from deploy.origin.target import Target
from deploy.origin.transport import Transport
from shared.kit.problems import Problem, language

log = structlog.get_logger()

CONNECT_SECONDS = 2.0
# Longer than any limit of a service itself, so that its own words arrive.
ANSWER_SECONDS = 60.0
# Shorter than the services keep an idle connection, lest one closes while it is chosen.
IDLE_SECONDS = 3.0
HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding "
    b"upgrade".split()
)


def remote_target(name: str, address: str) -> Target:
    """A service at `address`, such as http://127.0.0.1:8001."""
    client = httpx.AsyncClient(
        base_url=address,
        # Reading is timed below, since a stream may be silent for as long as it likes.
        timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS, read=None),
        transport=Transport(
            limits=httpx.Limits(
                max_connections=2000, max_keepalive_connections=100, keepalive_expiry=IDLE_SECONDS
            ),
            trust_env=False,
        ),
    )
    return Target(name, Proxy(client), client, shares_process=False)


class Proxy:
    """An ASGI app that is somewhere else."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

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
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await self._client.send(self._outgoing(incoming, scope), stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as fault:
            await refuse(scope, send, 503, "service_away", fault)
            return
        except (httpx.HTTPError, TimeoutError) as fault:
            await refuse(scope, send, 502, "service_silent", fault)
            return
        try:
            await send_start(answer, send)
            async for chunk in chunks(answer):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await answer.aclose()

    def _outgoing(self, incoming: "Incoming", scope: Scope) -> httpx.Request:
        target = scope.get("raw_path") or scope["path"].encode()
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        headers = [(k, v) for k, v in end_to_end(scope["headers"]) if k != b"x-forwarded-for"]
        if client := scope.get("client"):
            headers.append((b"x-forwarded-for", client[0].encode()))
        return httpx.Request(
            scope["method"],
            self._client.base_url.copy_with(raw_path=target),
            headers=headers,
            content=incoming.body() if incoming.has_body else None,
            extensions={"timeout": self._client.timeout.as_dict()},
        )


class Incoming:
    """The caller's side of a request: first its body, then whether it is still there."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        headers = Headers(scope=scope)
        self.has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        self._receive = receive
        self._read = asyncio.Event()
        if not self.has_body:
            self._read.set()

    async def body(self) -> AsyncIterator[bytes]:
        """The body as it comes; ends early when the caller leaves."""
        message: Message = {"more_body": True}
        while message.get("more_body", False):
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise httpx.WriteError("the caller left")
            yield message.get("body", b"")
        self._read.set()

    async def left(self) -> None:
        """Returns when the caller has gone, or has all of its answer."""
        await self._read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers that are not for the next station only."""
    return [(name, value) for name, value in headers if name.lower() not in HOP_BY_HOP]


async def send_start(answer: httpx.Response, send: Send) -> None:
    headers = [(name.lower(), value) for name, value in end_to_end(answer.headers.raw)]
    await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})


async def chunks(answer: httpx.Response) -> AsyncIterator[bytes]:
    """What comes, as it comes. Only a stream of events may pause for long."""
    is_stream = answer.headers.get("content-type", "").startswith("text/event-stream")
    coming = answer.aiter_raw()
    while True:
        async with asyncio.timeout(None if is_stream else ANSWER_SECONDS):
            chunk = await anext(coming, None)
        if chunk is None:
            return
        yield chunk


async def refuse(scope: Scope, send: Send, status: int, code: str, fault: Exception) -> None:
    # What follows in a path may be a receipt's code.
    place = "/".join(scope["path"].split("/")[:3])
    log.warning("origin.refused", place=place, fault=f"{type(fault).__name__}: {fault}")
    problem = Problem(status, code, headers={"retry-after": "2"})

    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    await problem.response(language(Request(scope)))(scope, nothing, send)
