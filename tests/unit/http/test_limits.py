"""A connection has limits of its own, over real sockets: half-sent requests and large headers are not held for ever."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from shared.http.server.limits import MAX_HEAD_BYTES, BoundedHttpProtocol
from shared.http.server.unfinished import Unfinished

pytestmark = pytest.mark.thorough
"""Connections in real time."""


class Quick(BoundedHttpProtocol):
    """The same with limits that a test can wait for."""

    head_seconds = 0.4
    body_seconds = 0.4
    body_bytes = 1000
    send_seconds = 0.4
    unfinished = Unfinished()


async def echo(request: Request) -> Response:
    try:
        return PlainTextResponse(str(len(await request.body())))
    except ClientDisconnect:
        return Response(status_code=400)


async def names(request: Request) -> Response:
    await request.body()
    return PlainTextResponse(",".join(request.headers))


async def large(request: Request) -> Response:
    return PlainTextResponse(b"x" * 8_000_000)


async def slow(request: Request) -> Response:
    await asyncio.sleep(1.2)
    return PlainTextResponse("slow")


@asynccontextmanager
async def served() -> AsyncIterator[tuple[str, int]]:
    app = Starlette(
        routes=[
            Route("/", echo, methods=["GET", "POST"]),
            Route("/slow", slow),
            Route("/large", large),
            Route("/names", names, methods=["POST"]),
        ]
    )
    config = uvicorn.Config(app, port=0, http=Quick, ws="none", log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()
    server.should_exit = True
    await serving


@pytest.fixture
async def address() -> AsyncIterator[tuple[str, int]]:
    async with served() as found:
        yield found


async def exchanged(address: tuple[str, int], *parts: bytes, pause: float = 0.0) -> bytes:
    """All that comes back until the server closes."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        async with asyncio.timeout(10):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def problem(answer: bytes, status: int) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    assert json.loads(body)["status"] == status


HALVES = [b"GET / HT", b"GET / HTTP/1.1\r\nhost: a\r\n", b"GET / HTTP/1.1\r\nhost: a\r\nx-a: b"]


@pytest.mark.parametrize("half", HALVES)
async def test_case_93_half_sent_headers_end_in_time(address: tuple[str, int], half: bytes):
    begun = time.monotonic()
    problem(await exchanged(address, half), 408)
    assert time.monotonic() - begun < 3


async def test_case_93_headers_by_drops_have_one_limit(address: tuple[str, int]):
    drops = [bytes([byte]) for byte in b"GET / HTTP/1.1\r\nhost: a\r\nx-long: aaaaaaaaaaaaa"]
    begun = time.monotonic()
    assert b"408" in await exchanged(address, *drops[:20], pause=0.05)
    assert time.monotonic() - begun < 4


async def test_a_connection_that_says_nothing_ends_without_words(address: tuple[str, int]):
    assert await exchanged(address) == b""


async def test_case_93_a_half_sent_body_ends_in_time(address: tuple[str, int]):
    half = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nabc"
    problem(await exchanged(address, half), 408)


async def test_case_93_a_second_request_has_the_same_limits(address: tuple[str, int]):
    whole = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    answer = await exchanged(address, whole, b"GET / HT", pause=0.1)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in answer


async def test_case_93_a_header_of_megabytes_is_refused(address: tuple[str, int]):
    large = b"GET / HTTP/1.1\r\nhost: a\r\nx-large: " + b"a" * 5 * 1024 * 1024
    begun = time.monotonic()
    for answer in await asyncio.gather(*(exchanged(address, large) for _ in range(3))):
        problem(answer, 431)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "head",
    [
        b"x-a: " + b"a" * MAX_HEAD_BYTES,
        b"\r\n".join(b"x-%d: %s" % (number, b"a" * 1000) for number in range(40)),
    ],
    ids=["one", "many"],
)
async def test_headers_that_are_too_large_are_431(address: tuple[str, int], head: bytes):
    problem(await exchanged(address, b"GET / HTTP/1.1\r\nhost: a\r\n" + head + b"\r\n\r\n"), 431)


async def test_a_large_body_is_no_large_header(address: tuple[str, int]):
    body = b"a" * 300_000
    request = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    last = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    answer = await exchanged(address, request, request + request, last, pause=0.1)
    assert answer.count(b"HTTP/1.1 200 ") == 4, answer
    assert answer.count(b"300000") == 3


async def test_an_answer_may_take_longer_than_the_limits(address: tuple[str, int]):
    first = b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n"
    answer = await exchanged(address, first, b"GET / HT", pause=0.05)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"slow" in answer


async def test_case_93_many_half_sent_requests_leave_others_their_turn(address: tuple[str, int]):
    halves = [asyncio.create_task(exchanged(address, HALVES[1])) for _ in range(300)]
    await asyncio.sleep(0.2)
    request = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    assert (await exchanged(address, request)).startswith(b"HTTP/1.1 200 ")
    for answer in await asyncio.gather(*halves):
        problem(answer, 408)


WHOLE = [
    b"GET /?a=b HTTP/1.1\r\nhost: a\r\naccept: */*\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 12\r\n\r\nhello, world",
    b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-a: b\r\n\r\n",
]


@pytest.mark.parametrize("whole", WHOLE, ids=["headers", "length", "chunks"])
async def test_case_93_a_request_cut_at_any_byte_ends_in_time(
    address: tuple[str, int], whole: bytes
):
    begun = time.monotonic()
    answers = await asyncio.gather(*(exchanged(address, whole[:end]) for end in range(len(whole))))
    assert time.monotonic() - begun < 8
    assert answers[0] == b""
    for answer in answers[1:]:
        problem(answer, 408)
    whole = whole.replace(b"host: a", b"host: a\r\nconnection: close")
    assert (await exchanged(address, whole)).startswith(b"HTTP/1.1 200 ")


POST = b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"


async def test_case_93_a_body_by_single_bytes_ends_in_time(address: tuple[str, int]):
    begun = time.monotonic()
    answer = await exchanged(address, POST % 100, *[b"a"] * 40, pause=0.05)
    problem(answer, 408)
    assert time.monotonic() - begun < 4


async def test_case_93_a_slow_but_honest_upload_goes_on(address: tuple[str, int]):
    """It takes six times as long as a window, at more than its least rate."""
    parts = [b"a" * 400] * 48
    answer = await exchanged(address, POST % 19_200, *parts, pause=0.05)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"19200")


async def test_an_app_that_reads_late_costs_the_caller_nothing(address: tuple[str, int]):
    """The caller waits for 100 Continue, for as long as the app does not ask for the body."""
    head = b"GET /slow HTTP/1.1\r\nhost: a\r\nconnection: close\r\nexpect: 100-continue\r\n"
    answer = await exchanged(address, head + b"content-length: 5\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")


CHUNKED = (
    b"POST /names HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
)


async def test_trailers_are_no_headers(address: tuple[str, int]):
    answer = await exchanged(address, CHUNKED + b"1\r\na\r\n0\r\nauthorization: b\r\n\r\n")
    assert answer.endswith(b"host,connection,transfer-encoding")


@pytest.mark.parametrize("kind", [b"0\r\nx-a: ", b"1;x="], ids=["trailer", "extension"])
async def test_case_93_what_goes_with_a_body_is_bounded_too(address: tuple[str, int], kind: bytes):
    answer = await exchanged(address, CHUNKED + kind, *[b"a" * 20_000] * 40, pause=0.01)
    problem(answer, 431)


async def test_case_93_a_caller_that_reads_nothing_is_cut(address: tuple[str, int]):
    reader, writer = await asyncio.open_connection(*address, limit=1000)
    writer.write(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n")
    await asyncio.sleep(2)
    length = 0
    with suppress(ConnectionResetError):
        while part := await reader.read(100_000):
            length += len(part)
    assert 0 < length < 8_000_000
    writer.close()


async def test_a_caller_that_reads_slowly_gets_all(address: tuple[str, int]):
    reader, writer = await asyncio.open_connection(*address, limit=1000)
    writer.write(b"GET /large HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
    length = 0
    while part := await reader.read(400_000):
        length += len(part)
        await asyncio.sleep(0.002)
    assert length > 8_000_000
    writer.close()


async def test_case_93_one_address_has_so_many_unfinished_requests(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Quick, "head_seconds", 30.0)
    monkeypatch.setattr(Quick, "most_unfinished", lambda _: 20)
    halves = [asyncio.create_task(exchanged(address, HALVES[1])) for _ in range(40)]
    await asyncio.sleep(1.3)
    whole = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    for _ in range(3):
        assert (await exchanged(address, whole)).startswith(b"HTTP/1.1 200 ")
    await asyncio.sleep(0.1)
    assert len(Quick.unfinished) == 20 - 1
    assert sum(half.done() for half in halves) == 21
    for half in halves:
        half.cancel()
    await asyncio.gather(*halves, return_exceptions=True)
    await asyncio.sleep(0.1)
    assert len(Quick.unfinished) == 0
