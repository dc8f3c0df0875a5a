"""The three services as processes of their own, to be talked to, killed and started again."""

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from deploy.local.embedded.ports import pick

SERVICES = ("intake", "routing", "followup")
READY_SECONDS = 90.0

SPEAKER = "https://bureau.example"

PARTIES = {
    "system": ("system", "https://one-stop.example"),
    "L001": ("liaison", "L001"),
    "L002": ("liaison", "L002"),
    "D-CON": ("department", "D-CON"),
    "C001": ("coordinator", "C001"),
    "C002": ("coordinator", "C002"),
    "O001": ("operator", "O001"),
    # Strangers to what is the others', one who asks for itself, and a role that comes in by no token.
    "other-system": ("system", "https://other.example"),
    "L003": ("liaison", "L003"),
    "D-FIN": ("department", "D-FIN"),
    "R001": ("requester", "R001"),
    "K001": ("clock", "K001"),
}


def write_tokens(file: Path) -> None:
    """Each party's token is its name."""
    entries = [
        {
            "sha256": hashlib.sha256(name.encode()).hexdigest(),
            "role": role,
            "party": party,
            "sources": [SPEAKER] if name in ("L001", "D-CON") else [],
        }
        for name, (role, party) in PARTIES.items()
    ]
    file.write_text(json.dumps(entries))


@dataclass
class Process:
    """One service in its own process; it keeps its port over restarts."""

    name: str
    environment: Mapping[str, str]
    log: Path
    port: int = field(default_factory=lambda: pick(None))
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = os.environ | dict(self.environment) | {"LIAISON_HTTP_PORT": str(self.port)}
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                [sys.executable, "-m", f"services.{self.name}"],
                env=environment,
                stderr=log,
                stdout=log,
                stdin=subprocess.DEVNULL,
            )

    def kill(self) -> None:
        assert self.running is not None
        self.running.send_signal(signal.SIGKILL)
        self.running.wait(10)

    def stop(self) -> float:
        """Ask it to end; the seconds that it took."""
        assert self.running is not None
        begun = time.monotonic()
        if self.running.poll() is None:
            self.running.terminate()
            try:
                self.running.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        return time.monotonic() - begun

    async def ready(self) -> None:
        async with asyncio.timeout(READY_SECONDS), httpx.AsyncClient() as client:
            while True:
                assert self.running is not None
                assert self.running.poll() is None, self.log.read_text()[-4000:]
                try:
                    answer = await client.get(f"http://127.0.0.1:{self.port}/readyz")
                    if answer.status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.1)


class Stack:
    """All three, and a client that knows which path is whose."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self.processes = {
            name: Process(name, environment, folder / f"{name}.log") for name in SERVICES
        }

    async def start(self) -> None:
        for process in self.processes.values():
            process.start()
        await asyncio.gather(*(process.ready() for process in self.processes.values()))

    def stop(self) -> None:
        for process in self.processes.values():
            process.stop()

    def origin(self, path: str) -> str:
        return f"http://127.0.0.1:{self.processes[path.split('/')[1]].port}"

    def url(self, path: str) -> str:
        return self.origin(path) + path
