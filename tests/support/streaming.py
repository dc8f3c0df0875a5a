"""Event streams in tests: who may read is changed in every way there is, and the stream's end is timed."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from deploy.local.embedded.ports import LOOPBACK
from shared.http.server.connections import AbortableProtocol


def _entries(change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Callable[[Path], None]:
    def rewrite(file: Path) -> None:
        changed = [change(entry) for entry in json.loads(file.read_bytes())]
        file.write_text(json.dumps([entry for entry in changed if entry is not None]))

    return rewrite


WAYS: Mapping[str, Callable[[Path], None]] = {
    "revoked": _entries(lambda entry: None),
    "another role": _entries(lambda entry: entry | {"role": "system"}),
    "another party": _entries(lambda entry: entry | {"party": "D-ELSEWHERE"}),
    "another secret": _entries(lambda entry: entry | {"sha256": "0" * 64}),
    "the file is gone": lambda file: file.unlink(),
    "the file cannot be read": lambda file: (file.unlink(), file.mkdir())[0],
}
"""Every way in which a token of the tokens file stops counting, or counts for somebody else."""


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[tuple[str, int]]:
    """`app` as a service serves it, on a port that the system chose; its address."""
    config = uvicorn.Config(
        app, host=LOOPBACK, port=0, http=AbortableProtocol, lifespan="off", log_config=None,
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        assert not running.done()
        await asyncio.sleep(0.01)
    try:
        yield LOOPBACK, server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await running


class Reader:
    """One stream, read byte by byte off a socket of its own."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self.seen = b""

    async def until(self, wanted: bytes, seconds: float = 10.0) -> bytes:
        """Read until `wanted` has come; all that came."""
        async with asyncio.timeout(seconds):
            while wanted not in self.seen:
                some = await self._reader.read(65_536)
                assert some, f"it ended: {self.seen[-300:]!r}"
                self.seen += some
        return self.seen

    async def rest(self, seconds: float) -> bytes:
        """What comes until the server closes the connection. Raises TimeoutError when it does not."""
        rest = b""
        async with asyncio.timeout(seconds):
            while some := await self._reader.read(65_536):
                rest += some
                if rest.endswith(b"0\r\n\r\n"):
                    break
        return rest


@asynccontextmanager
async def reading(
    address: tuple[str, int],
    path: str,
    headers: Mapping[str, str],
    window: int = 0,
    source: str = "",
) -> AsyncIterator[Reader]:
    """Ask for `path` on a connection of its own; with a `window` the kernel takes about so many bytes ahead.

    `source` is the caller's own address, such as 127.0.0.2.
    """
    sock = socket.socket()
    if source:
        sock.bind((source, 0))
    if window:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, address)
    reader, writer = await asyncio.open_connection(sock=sock, limit=max(window, 1024))
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"GET {path} HTTP/1.1\r\nhost: test\r\n{lines}\r\n".encode())
    await writer.drain()
    try:
        yield Reader(reader)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
