"""A request that offers another protocol is the request that it would be without the offer, over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
import uvicorn
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from shared.http.server.limits import BoundedHttpProtocol
from tests.support.drawing import drawn

pytestmark = pytest.mark.thorough
"""Connections in real time."""

OFFERS: Final = (
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
    b"Upgrade: websocket\r\nconnection: keep-alive, upgrade\r\n",
    b"upgrade: TLS/1.2, h2c\r\nConnection: upgrade\r\n",
)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    body = (await request.body()).decode("latin-1")
    headers = [(name.decode(), value.decode()) for name, value in scope["headers"]]
    kept = [pair for pair in headers if pair[0] not in ("connection", "upgrade", "http2-settings")]
    answer = JSONResponse(
        [scope["method"], scope["path"], scope["query_string"].decode(), kept, body]
    )
    await answer(scope, receive, send)


@asynccontextmanager
async def served() -> AsyncIterator[tuple[str, int]]:
    config = uvicorn.Config(
        echo, port=0, http=BoundedHttpProtocol, ws="none", log_config=None, lifespan="off"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()
    server.should_exit = True
    await serving


async def answers(address: tuple[str, int], *requests: bytes, cuts: Iterable[int] = ()) -> bytes:
    """All that comes back for requests on one connection, which are sent in pieces."""
    reader, writer = await asyncio.open_connection(*address)
    whole = b"".join(requests) + b"GET /last HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    begin = 0
    for end in (*sorted(cut % len(whole) for cut in cuts), len(whole)):
        writer.write(whole[begin:end])
        await writer.drain()
        await asyncio.sleep(0.001)
        begin = end
    async with asyncio.timeout(10):
        found = await reader.read()
    writer.close()
    return b"\r\n".join(line for line in found.split(b"\r\n") if not line.startswith(b"date:"))


def written(method: str, path: str, body: bytes, is_chunked: bool, offer: bytes) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: a\r\nX-Words: {path}\r\n".encode() + offer
    if is_chunked:
        half = len(body) // 2
        parts = [part for part in (body[:half], body[half:]) if part]
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


REQUESTS: Final = st.lists(
    st.tuples(
        st.sampled_from(["POST", "PUT", "GET", "DELETE", "OPTIONS"]),
        st.sampled_from(["/", "/a?b=c%20d", "/%E5%BA%97"]),
        st.binary(max_size=60) | st.sampled_from([b"POST /x HTTP/1.1\r\n\r\n", b"x" * 100_000]),
        st.booleans(),
        st.sampled_from(OFFERS),
    ),
    min_size=1,
    max_size=3,
)


def test_generated_requests_are_the_same_with_an_offer_and_without() -> None:
    cases: list[Any] = drawn(st.tuples(REQUESTS, st.lists(st.integers(0, 600), max_size=4)), 100)

    async def compare() -> None:
        async with served() as address:
            for requests, cuts in cases:
                offering = [written(*request) for request in requests]
                plain = [written(*request[:-1], b"") for request in requests]
                found = await answers(address, *offering, cuts=cuts)
                assert found == await answers(address, *plain), offering
                assert found.count(b"HTTP/1.1 200") == len(requests) + 1

    asyncio.run(compare())


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\nupgrade: h2c\r\nconnection: upgrade\r\ncontent-length: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_refused_in_a_problem_document(garbage: bytes) -> None:
    async with served() as address:
        found = await answers(address, garbage)
    assert found.startswith(b"HTTP/1.1 400 "), found[:200]
    assert b"urn:liaison:problem:malformed_http" in found
    assert found.count(b"HTTP/1.1 400") == found.count(b"HTTP/1.1 4") == 1
