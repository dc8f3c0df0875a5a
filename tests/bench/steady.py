"""Posts at a steady rate, each counted from when it was due, so that a stall counts for all that fell into it."""

import argparse
import asyncio
import json
import re
import sys
import time
from collections import Counter
from typing import Any

import uvloop

from tests.bench.figures import percentiles
from tests.bench.load import HOST, maker

CONNECTIONS = 64
DRAIN_SECONDS = 30.0
LENGTH = re.compile(rb"content-length: (\d+)")


class Posts:
    """Requests in the order in which they are due, for whichever connection is free."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        self.waits: list[float] = []
        self.statuses: Counter[str] = Counter()

    async def send(self) -> None:
        """Post what is due on one connection, one after another."""
        reader, writer = await asyncio.open_connection(HOST, self._port)
        try:
            while True:
                due, request = await self.due.get()
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                length = LENGTH.search(head)
                await reader.readexactly(int(length[1]) if length else 0)
                self.waits.append((time.perf_counter() - due) * 1000)
                self.statuses[head[9:12].decode()] += 1
                self.due.task_done()
        finally:
            writer.close()


async def run(asked: argparse.Namespace) -> dict[str, Any]:
    """Post as `asked`. Raises TimeoutError when the last answers do not come within 30 s."""
    posts, make = Posts(asked.port), maker(asked.port, 1, asked.run)
    async with asyncio.TaskGroup() as tasks:
        senders = [tasks.create_task(posts.send()) for _ in range(CONNECTIONS)]
        begun = time.perf_counter()
        for number in range(int(asked.rate * asked.seconds)):
            due = begun + number / asked.rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            posts.due.put_nowait((due, make()))
        async with asyncio.timeout(DRAIN_SECONDS):
            await posts.due.join()
        for sender in senders:
            sender.cancel()
    return {"ms": percentiles(posts.waits), "statuses": dict(posts.statuses)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    sys.stdout.write(json.dumps(uvloop.run(run(parser.parse_args()))))


if __name__ == "__main__":
    main()
