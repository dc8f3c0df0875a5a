"""Posts as fast as it is answered, over a number of connections with one request on each; a process of its own.

Written for one thing alone, so that it is never what a measurement waits for: the bytes are made beforehand, and of an
answer it reads the status and the length.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import uvloop

from shared.contracts.cloudevents import SUBMITTED_TYPE
from tests.bench.figures import percentiles

HOST = "127.0.0.1"
SOURCE = "https://load.example"
DRAIN_SECONDS = 10.0
MARK = "@" * 24
"""Stands in a template where each request has a name of its own, of the same length."""


def submission(name: str) -> dict[str, Any]:
    """A request as a one-stop office sends it, of the usual length."""
    return {
        "source": SOURCE,
        "source_ref": name,
        "channel": "hotline",
        "kind": "help",
        "category": "公共设施/道路",
        "requester": {
            "kind": "enterprise",
            "id": "91310117MA10000012",
            "name": "松江示例精密机械有限公司",
            "contact": {"name": "王小二", "phone": "021-5555 0101"},
        },
        "summary": "园区北门道路积水",
        "detail": "雨后积水约二十厘米,货车无法进出。" * 4,
        "location": "科技园北门",
    }


def envelope(name: str) -> dict[str, Any]:
    """The same as a CloudEvent."""
    return {
        "specversion": "1.0",
        "id": name,
        "source": SOURCE,
        "type": SUBMITTED_TYPE,
        "datacontenttype": "application/json",
        "data": submission(name),
    }


def request(port: int, content_type: str, body: bytes) -> bytes:
    """A whole POST."""
    head = (
        f"POST /intake/requests HTTP/1.1\r\nhost: {HOST}:{port}\r\nauthorization: Bearer system\r\n"
        f"content-type: {content_type}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def maker(port: int, batch: int, run: str) -> Callable[[], bytes]:
    """Gives request after request, none of them like another; `run` keeps those of two processes apart."""
    numbers = iter(range(10**12))

    def name() -> bytes:
        return f"{run:>11}-{next(numbers):012d}".encode()

    if batch == 1:
        body = json.dumps(submission(MARK), ensure_ascii=False).encode()
        before, after = request(port, "application/json", body).split(MARK.encode())
        return lambda: before + name() + after
    one = json.dumps(envelope(MARK), ensure_ascii=False).encode()
    first, middle, last = one.split(MARK.encode())
    length = batch * (len(one) + 1) + 1
    whole = request(port, "application/cloudevents-batch+json", b"x" * length)
    head = whole[: len(whole) - length]

    def batched() -> bytes:
        names = [name() for _ in range(batch)]
        return head + b"[" + b",".join(first + n + middle + n + last for n in names) + b"]"

    return batched


class Connection(asyncio.Protocol):
    """One request at a time, the next one as soon as the one before is answered."""

    def __init__(self, tally: "Tally", make: Callable[[], bytes]) -> None:
        self._tally = tally
        self._make = make
        self._begun = 0.0
        self._answer = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._begun = time.perf_counter()
        self._transport.write(self._make())

    def data_received(self, data: bytes) -> None:
        self._answer += data
        end = self._answer.find(b"\r\n\r\n")
        if end < 0:
            return
        at = self._answer.index(b"content-length: ") + 16
        length = int(self._answer[at : self._answer.index(b"\r", at)])
        if len(self._answer) < end + 4 + length:
            return
        self._tally.answered(self._answer, end + 4, self._begun)
        self._answer = b""
        if self._tally.over:
            self._transport.close()
        else:
            self._send()

    def connection_lost(self, fault: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


class Tally:
    """What was answered between the end of the warming-up and the end of the time."""

    def __init__(self, warm: float, seconds: float) -> None:
        self._from = time.perf_counter() + warm
        self.until = self._from + seconds
        self.statuses: Counter[str] = Counter()
        self.waits: list[float] = []
        self.sample = ""

    @property
    def over(self) -> bool:
        return time.perf_counter() >= self.until

    def answered(self, answer: bytes, body: int, begun: float) -> None:
        now = time.perf_counter()
        if self._from <= now < self.until:
            self.statuses[answer[9:12].decode()] += 1
            self.waits.append(now - begun)
            self.sample = self.sample or answer[body : body + 300].decode(errors="replace")


async def drive(port: int, connections: int, make: Callable[[], bytes], tally: Tally) -> None:
    """Post until the time is over and the last answers are there. Raises TimeoutError when they do not come."""
    loop = asyncio.get_running_loop()
    pairs = await asyncio.gather(
        *(
            loop.create_connection(lambda: Connection(tally, make), HOST, port)
            for _ in range(connections)
        )
    )
    ends = [protocol.done for _, protocol in pairs]
    until = tally.until - time.perf_counter() + DRAIN_SECONDS
    _, late = await asyncio.wait(ends, timeout=until)
    if late:
        raise TimeoutError(f"{len(late)} connections were not answered")


async def run(asked: argparse.Namespace) -> dict[str, Any]:
    """Post as `asked`; how much was answered how, and how long an answer took."""
    tally = Tally(asked.warm, asked.seconds)
    await drive(asked.port, asked.connections, maker(asked.port, asked.batch, asked.run), tally)
    return {
        "per_second": len(tally.waits) * asked.batch / asked.seconds,
        "statuses": tally.statuses,
        "ms": percentiles([wait * 1000 for wait in tally.waits]),
        "cpu": time.process_time() / (asked.warm + asked.seconds),
        "sample": tally.sample,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.load", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--run", default="load", help="at most 11 characters")
    parser.add_argument("--warm", type=float, default=1.0, help="seconds that do not count")
    parser.add_argument("--seconds", type=float, default=5.0)
    sys.stdout.write(json.dumps(uvloop.run(run(parser.parse_args())), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
