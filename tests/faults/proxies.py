"""Starts the network that can fail, and gives it its orders."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploy.local.embedded.process import wrapped

ANSWER_SECONDS = 10.0


@dataclass(slots=True)
class Proxies:
    """The running network; `order` is answered when it has been carried out."""

    process: asyncio.subprocess.Process
    turn: asyncio.Lock

    @classmethod
    async def start(cls, routes: Mapping[str, tuple[int, int]]) -> "Proxies":
        """Listen on the first port of each route and connect to the second."""
        command = [sys.executable, "-m", "tests.faults.network", json.dumps(dict(routes))]
        process = await asyncio.create_subprocess_exec(
            *wrapped(command, signal.SIGTERM), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        proxies = cls(process, asyncio.Lock())
        await proxies._answer()
        return proxies

    async def order(self, do: str, *names: str, seconds: float = 0.0) -> Any:
        """`delay`, `swallow`, `half`, `die`, `cut`, `refuse` or `clear` what goes to `names` (to all without any)."""
        async with self.turn:
            assert self.process.stdin is not None
            order = {"do": do, "names": names, "seconds": seconds}
            self.process.stdin.write(json.dumps(order).encode() + b"\n")
            return await self._answer()

    async def callers(self, *names: str) -> dict[int, int]:
        """The port of the program that called, by the port that the server sees."""
        found = await self.order("callers", *names)
        return {int(seen): real for seen, real in found.items()}

    async def stop(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), ANSWER_SECONDS)
        assert line, "the network has ended"
        return json.loads(line)
