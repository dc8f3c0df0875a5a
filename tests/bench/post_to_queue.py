"""Measures the time from a POST to the offer in its party's event stream, against a running sample town.

.venv/bin/liaison up --demo --detach --data X
.venv/bin/python -m tests.bench.post_to_queue --endpoints X/endpoints.json --rate 100 --seconds 30
"""

import argparse
import asyncio
import json
import statistics
import time
import uuid
from pathlib import Path
from typing import Any

import httpx

STREAM_LIMITS = httpx.Limits(max_connections=200)
DRAIN_SECONDS = 15.0


class Measurement:
    """When each request was posted, and when its offer was seen first."""

    def __init__(self, endpoints: dict[str, Any]) -> None:
        self.web = endpoints["web"]
        self.tokens = endpoints["tokens"]
        self.posted: dict[str, float] = {}
        self.seen: dict[str, float] = {}
        self.answered: list[float] = []
        self.failed = 0

    def headers(self, role: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.tokens[role]}"}

    async def all_of(self, client: httpx.AsyncClient, path: str) -> list[Any]:
        items: list[Any] = []
        cursor = ""
        for _ in range(100):
            page = (await client.get(f"{path}?limit=100{cursor}")).json()
            items += page["items"]
            if not page["next"]:
                break
            cursor = f"&cursor={page['next']}"
        return items

    async def watch(self, client: httpx.AsyncClient, party: str) -> None:
        path = f"{self.web}/routing/queues/{party}/stream"
        async with client.stream("GET", path, headers=self.headers("coordinator")) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data:"):
                    now = time.perf_counter()
                    matter = json.loads(line[5:]).get("matter_id")
                    if matter:
                        self.seen.setdefault(matter, now)

    async def post(self, client: httpx.AsyncClient, enterprise: Any, number: int) -> None:
        submission = {
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
        begun = time.perf_counter()
        answer = await client.post(
            f"{self.web}/intake/requests", json=submission, headers=self.headers("system")
        )
        if answer.status_code == 202:
            self.posted[answer.json()["request_id"]] = begun
            self.answered.append(time.perf_counter() - begun)
        else:
            self.failed += 1

    def result(self, rate: int) -> dict[str, Any]:
        waits = sorted(
            (self.seen[matter] - begun) * 1000
            for matter, begun in self.posted.items()
            if matter in self.seen
        )
        answers = sorted(seconds * 1000 for seconds in self.answered)
        return {
            "rate_per_s": rate,
            "posted": len(self.posted),
            "failed": self.failed,
            "seen": len(waits),
            "post_answer_ms": percentiles(answers),
            "post_to_queue_ms": percentiles(waits),
        }


def percentiles(values: list[float]) -> dict[str, float]:
    """p50, p90, p99 and the largest of sorted values."""
    if len(values) < 2:
        return {}
    cuts = statistics.quantiles(values, n=100)
    found = {"p50": cuts[49], "p90": cuts[89], "p99": cuts[98], "max": values[-1]}
    return {name: round(value, 1) for name, value in found.items()}


async def measure(endpoints: dict[str, Any], rate: int, seconds: int) -> dict[str, Any]:
    """Post `rate` requests a second for `seconds`, each at its own moment, whatever the others do."""
    measurement = Measurement(endpoints)
    async with httpx.AsyncClient(timeout=30, limits=STREAM_LIMITS) as client:
        client.headers.update(measurement.headers("coordinator"))
        enterprises = await measurement.all_of(client, f"{measurement.web}/routing/enterprises")
        parties = ["DESK"]
        for kind in ("liaisons", "departments"):
            found = await measurement.all_of(client, f"{measurement.web}/routing/{kind}")
            parties += [item["id"] for item in found]
        streams = httpx.AsyncClient(timeout=httpx.Timeout(30, read=None), limits=STREAM_LIMITS)
        watchers = [asyncio.create_task(measurement.watch(streams, party)) for party in parties]
        await asyncio.sleep(2)
        begun = time.perf_counter()
        posts = []
        for number in range(rate * seconds):
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            enterprise = enterprises[number % len(enterprises)]
            posts.append(asyncio.create_task(measurement.post(client, enterprise, number)))
        await asyncio.gather(*posts)
        deadline = time.perf_counter() + DRAIN_SECONDS
        while (
            measurement.posted.keys() - measurement.seen.keys() and time.perf_counter() < deadline
        ):
            await asyncio.sleep(0.1)
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
        await streams.aclose()
    return measurement.result(rate)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoints", type=Path, required=True)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=30)
    options = parser.parse_args()
    endpoints = json.loads(options.endpoints.read_text())
    result = asyncio.run(measure(endpoints, options.rate, options.seconds))
    print(json.dumps(result, indent=2))  # noqa: T201 - this is its whole purpose


if __name__ == "__main__":
    main()
