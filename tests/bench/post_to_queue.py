"""Posts requests at a steady rate and sees each in its party's event stream: how long that took. A process of its own.

Against a running sample town:

.venv/bin/liaison up --demo --detach --data X
.venv/bin/python -m tests.bench.post_to_queue --endpoints X/endpoints.json --rate 100 --seconds 30
"""

import argparse
import asyncio
import json
import sys
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import uvloop

from tests.bench.figures import percentiles

SETTLE_SECONDS = 2.0
WARM_SECONDS = 3.0
"""Posts in them go all the way and are not counted: what runs in a JVM is slow at first."""
DRAIN_SECONDS = 15.0
ANSWER_SECONDS = 30.0
LONGEST_LINE = 1024 * 1024
MATTER = b'"matter_id":"'


class Stack:
    """Where the services are and who may speak to them: `endpoints.json`, with `intake` and `routing` beside `web`."""

    def __init__(self, endpoints: dict[str, Any]) -> None:
        self.intake = endpoints.get("intake", endpoints.get("web"))
        self.routing = endpoints.get("routing", endpoints.get("web"))
        self._tokens = endpoints["tokens"]

    def head(self, method: str, url: str, role: str) -> str:
        """A request up to its own headers."""
        parts = urlsplit(url)
        return (
            f"{method} {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\n"
            f"authorization: Bearer {self._tokens[role]}\r\n"
        )

    async def all_of(self, name: str) -> list[Any]:
        """A whole list of routing's directory."""
        items: list[Any] = []
        query: dict[str, str] = {"limit": "100"}
        headers = {"authorization": f"Bearer {self._tokens['coordinator']}"}
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS, headers=headers) as client:
            while True:
                answer = await client.get(f"{self.routing}/routing/{name}", params=query)
                page = answer.raise_for_status().json()
                items += page["items"]
                if not page["next"]:
                    return items
                query["cursor"] = page["next"]


async def open_at(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port, limit=LONGEST_LINE)


class Poster:
    """Posts over as many connections as are needed at once, each kept for the next."""

    def __init__(self, stack: Stack) -> None:
        self._url = f"{stack.intake}/intake/requests"
        self._head = stack.head("POST", self._url, "system")
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.posted: dict[bytes, float] = {}
        self.answered: list[float] = []
        self.failed = 0

    async def post(self, enterprise: Any, number: int) -> None:
        body = json.dumps(submission(enterprise, number), ensure_ascii=False).encode()
        head = f"{self._head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        begun = time.perf_counter()
        reader, writer = self._kept() or await open_at(self._url)
        writer.write(head.encode() + body)
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await reader.readuntil(b"\r\n\r\n")
            at = answer.lower().index(b"content-length: ") + 16
            content = await reader.readexactly(int(answer[at : answer.index(b"\r", at)]))
        now = time.perf_counter()
        self._idle.append((reader, writer))
        if answer[9:12] == b"202":
            self.posted[json.loads(content)["request_id"].encode()] = begun
            self.answered.append(now - begun)
        else:
            self.failed += 1

    def _kept(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return None

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()


def submission(enterprise: Any, number: int) -> dict[str, Any]:
    return {
        "source": "https://bench.example",
        "source_ref": f"{uuid.uuid4()}",
        "channel": "system",
        "kind": "ask",
        "requester": {
            "kind": "enterprise",
            "id": enterprise["uscc"],
            "name": enterprise["name"],
        },
        "summary": f"人才补贴怎么申请 {number}",
        "detail": "请告知人才补贴的申请条件与材料。",
    }


async def watch(stack: Stack, party: str, seen: dict[bytes, float]) -> None:
    """Note when each matter is told first in a queue's stream, for ever."""
    url = f"{stack.routing}/routing/queues/{party}/stream"
    reader, writer = await open_at(url)
    try:
        writer.write((stack.head("GET", url, "coordinator") + "\r\n").encode())
        while line := await reader.readline():
            at = line.find(MATTER) if line.startswith(b"data:") else -1
            if at >= 0:
                at += len(MATTER)
                seen.setdefault(line[at : at + 36], time.perf_counter())
    finally:
        writer.close()


async def measure(endpoints: dict[str, Any], rate: float, seconds: float) -> dict[str, Any]:
    """Post `rate` requests a second for `seconds`, each at its own moment, whatever the others do."""
    stack, seen = Stack(endpoints), dict[bytes, float]()
    poster = Poster(stack)
    enterprises = await stack.all_of("enterprises")
    parties = ["DESK"]
    for kind in ("liaisons", "departments"):
        parties += [item["id"] for item in await stack.all_of(kind)]
    watchers = [asyncio.create_task(watch(stack, party, seen)) for party in parties]
    await asyncio.sleep(SETTLE_SECONDS)
    await drive(poster, enterprises, rate, WARM_SECONDS)
    poster.posted.clear()
    poster.answered.clear()
    await drive(poster, enterprises, rate, seconds)
    until = time.perf_counter() + DRAIN_SECONDS
    while poster.posted.keys() - seen.keys() and time.perf_counter() < until:
        await asyncio.sleep(0.1)
    for watcher in watchers:
        watcher.cancel()
    await asyncio.gather(*watchers, return_exceptions=True)
    poster.close()
    return result(rate, len(parties), poster, seen)


async def drive(poster: Poster, enterprises: list[Any], rate: float, seconds: float) -> None:
    """Post on time; returns when all are answered."""
    begun = time.perf_counter()
    posts = []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
        enterprise = enterprises[number % len(enterprises)]
        posts.append(asyncio.create_task(poster.post(enterprise, number)))
    await asyncio.gather(*posts)


def result(rate: float, streams: int, poster: Poster, seen: dict[bytes, float]) -> dict[str, Any]:
    waits = [
        (seen[matter] - begun) * 1000 for matter, begun in poster.posted.items() if matter in seen
    ]
    return {
        "rate_per_s": rate,
        "streams": streams,
        "posted": len(poster.posted),
        "failed": poster.failed,
        "seen": len(waits),
        "post_answer_ms": percentiles(wait * 1000 for wait in poster.answered),
        "post_to_queue_ms": percentiles(waits),
        "generator_cpu": round(time.process_time(), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.post_to_queue")
    parser.add_argument("--endpoints", type=Path, required=True)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    endpoints = json.loads(options.endpoints.read_text())
    found = uvloop.run(measure(endpoints, options.rate, options.seconds))
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
