"""A server of ours as a process with few open files: half-sent requests and large headers shut nobody out."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from deploy.common.loopback import answers_well
from deploy.local.embedded.ports import LOOPBACK, pick

OPEN_FILES = 1024
PROGRAM = """
import resource
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from shared.http.server.connections import RelayingProtocol
from shared.service.serve import serve
from shared.service.settings import ServiceSettings, read_settings

async def echo(request):
    try:
        return PlainTextResponse(str(len(await request.body())))
    except ClientDisconnect:
        return PlainTextResponse("nobody reads this")

resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {files}))
app = Starlette(routes=[Route("/", echo, methods=["GET", "POST"])])
serve(app, read_settings(ServiceSettings), RelayingProtocol)
"""
HALVES = {
    "nothing": b"",
    "line": b"GET / HT",
    "headers": b"GET / HTTP/1.1\r\nhost: a\r\nx-a: b\r\n",
    "body": b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nabc",
}
MANY = 1500
BOUND_SECONDS = 30.0


@contextmanager
def server(program: Path, log: Path) -> Iterator[tuple[int, psutil.Process]]:
    port = pick(None)
    env = {
        "PYTHONPATH": ":".join(sys.path),
        "LIAISON_DATABASE_URL": "postgresql://nowhere/liaison",
        "LIAISON_KAFKA": "nowhere:9092",
        "LIAISON_HTTP_PORT": str(port),
    }
    program.write_text(PROGRAM.format(files=OPEN_FILES))
    with log.open("w") as out:
        process = psutil.Popen([sys.executable, str(program)], env=env, stdout=out, stderr=out)
    try:
        until = time.monotonic() + 30
        while not answers_well(f"http://{LOOPBACK}:{port}/", 5):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until
            time.sleep(0.1)
        yield port, process
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, psutil.Process]]:
    folder = tmp_path_factory.mktemp("edge")
    with server(folder / "program.py", folder / "log") as running:
        yield running


@asynccontextmanager
async def opened(port: int, sent: bytes, count: int) -> AsyncIterator[list[asyncio.StreamReader]]:
    """`count` connections on which `sent` was sent."""
    pairs = []
    for _ in range(count):
        pairs.append(await asyncio.open_connection(LOOPBACK, port))
        with suppress(ConnectionError):
            pairs[-1][1].write(sent)
    try:
        yield [reader for reader, _ in pairs]
    finally:
        for _, writer in pairs:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in pairs), return_exceptions=True)


async def ended(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""


@pytest.mark.timeout(150)
@pytest.mark.parametrize("kind", HALVES)
async def test_case_93_half_sent_requests_of_one_address_shut_nobody_out(edge, kind: str):
    port, _ = edge
    async with (
        opened(port, HALVES[kind], MANY) as readers,
        httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}", timeout=5) as client,
    ):
        begun = time.monotonic()
        for _ in range(10):
            assert (await client.post("/", content=b"abc")).text == "3"
            client.headers["connection"] = "close"
        assert time.monotonic() - begun < 5
        async with asyncio.timeout(BOUND_SECONDS):
            answers = await asyncio.gather(*map(ended, readers))
    told = [answer for answer in answers if answer]
    assert len(told) > 50 or not HALVES[kind]
    assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in told)


@pytest.mark.timeout(120)
async def test_case_93_large_headers_are_refused_with_little_memory(edge):
    port, process = edge
    before = process.memory_info().rss
    head = b"GET / HTTP/1.1\r\nhost: a\r\nx-large: "
    begun = time.monotonic()
    async with opened(port, head + b"a" * 5 * 1024 * 1024, 20) as readers:
        async with asyncio.timeout(20):
            answers = await asyncio.gather(*map(ended, readers))
    assert all(answer.startswith(b"HTTP/1.1 431 ") for answer in answers)
    assert time.monotonic() - begun < 15
    assert process.memory_info().rss - before < 32 * 1024 * 1024


@pytest.mark.timeout(120)
async def test_case_93_a_slow_upload_goes_on_where_a_slower_one_ends(edge):
    """50 KB a second for 30 s, which is longer than two windows of a body; and a byte a second beside it."""
    port, _ = edge

    async def upload(part: bytes, seconds: float, count: int) -> bytes:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        head = b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        writer.write(head % (len(part) * count))
        reading = asyncio.create_task(ended(reader))
        for _ in range(count):
            if not reading.done():
                writer.write(part)
                await asyncio.wait((reading,), timeout=seconds)
        try:
            return await reading
        finally:
            writer.close()

    honest, slow = await asyncio.gather(upload(b"a" * 10_000, 0.2, 150), upload(b"a", 1, 27))
    assert honest.startswith(b"HTTP/1.1 200 ")
    assert honest.endswith(b"1500000")
    assert slow.startswith(b"HTTP/1.1 408 ")
