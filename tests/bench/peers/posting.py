"""Posts as fast as the answers come, over a number of kept connections; as little of a client as can be."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

ANSWER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Posted:
    """How many were answered with 2xx, how many otherwise, and in how long."""

    accepted: int
    refused: int
    seconds: float

    def noted(self) -> dict[str, float]:
        return {
            "accepted": self.accepted,
            "refused": self.refused,
            "seconds": round(self.seconds, 2),
        }


async def post_for(
    url: str, headers: Mapping[str, str], bodies: Sequence[bytes], connections: int, seconds: float
) -> Posted:
    """Post `bodies` in turn for `seconds`, each connection one at a time; fewer seconds when they run out."""
    begun = time.perf_counter()
    waiting = iter(bodies)
    counts = await asyncio.gather(
        *(_post(url, headers, waiting, begun + seconds) for _ in range(connections))
    )
    accepted = sum(count[0] for count in counts)
    refused = sum(count[1] for count in counts)
    return Posted(accepted, refused, time.perf_counter() - begun)


async def _post(
    url: str, headers: Mapping[str, str], bodies: Iterator[bytes], until: float
) -> tuple[int, int]:
    parts = urlsplit(url)
    head = [
        f"POST {parts.path} HTTP/1.1",
        f"host: {parts.netloc}",
        "content-type: application/json",
    ]
    head += [f"{name}: {value}" for name, value in headers.items()]
    start = "\r\n".join(head).encode()
    accepted = refused = 0
    reader = writer = None
    for body in bodies:
        if time.perf_counter() >= until:
            break
        if reader is None or writer is None:
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(start + b"\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        async with asyncio.timeout(ANSWER_SECONDS):
            status, keeps = await _answer(reader)
        if 200 <= status < 300:
            accepted += 1
        else:
            refused += 1
        if not keeps:
            writer.close()
            reader = writer = None
    if writer is not None:
        writer.close()
    return accepted, refused


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """The status of an answer, which is read whole, and whether the connection is kept."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    fields = dict(line.split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
    if b"content-length" in fields:
        await reader.readexactly(int(fields[b"content-length"]))
    keeps = b"close" not in fields.get(b"connection", b"")
    if b"content-length" not in fields and not keeps:
        await reader.read()
    return int(head.split(b" ", 2)[1]), keeps
