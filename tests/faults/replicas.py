"""The services as replicas in processes of their own, started again when they die; it knows no rule of theirs."""

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx
import psutil

from deploy.gateway.transport import Transport
from deploy.local.embedded.ports import pick
from deploy.local.embedded.process import wrapped
from tests.faults.cluster import SERVICES

READY_SECONDS = 120.0
STOP_SECONDS = 40.0
WATCH_SECONDS = 0.2
RESTART_SECONDS = 0.5

PARTIES = {
    "system": ("system", "https://load.example"),
    "C001": ("coordinator", "C001"),
    "C002": ("coordinator", "C002"),
    "O001": ("operator", "O001"),
}


def token_entries(parties: Mapping[str, tuple[str, str]] = PARTIES) -> list[dict[str, str]]:
    """What a tokens file says of these roles and parties, by their tokens; here each token is its party's name."""
    return [
        {"sha256": hashlib.sha256(token.encode()).hexdigest(), "role": role, "party": party}
        for token, (role, party) in parties.items()
    ]


def write_tokens(file: Path) -> None:
    """Each party's token is its name."""
    entries = token_entries()
    file.write_text(json.dumps(entries))


@dataclass(slots=True)
class Replica:
    """One process of a service; it keeps its port over restarts. `wanted` is False when nobody shall restart it."""

    service: str
    number: int
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    port: int
    child: subprocess.Popen[bytes] | None = None
    wanted: bool = False
    died: int = 0

    @property
    def name(self) -> str:
        return f"{self.service}-{self.number}"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def start(self) -> None:
        self.wanted = True
        self.log.parent.mkdir(parents=True, exist_ok=True)
        environment = os.environ | dict(self.environment) | {"LIAISON_HTTP_PORT": str(self.port)}
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                wrapped(self.command, signal.SIGKILL),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def send(self, number: signal.Signals) -> None:
        if self.child is not None and self.child.poll() is None:
            self.child.send_signal(number)

    async def stop(self) -> float:
        """Ask it to end, and not to be started again; the seconds that it took. Killed after 40 s."""
        self.wanted = False
        if self.child is None:
            return 0.0
        begun = asyncio.get_running_loop().time()
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        try:
            await asyncio.to_thread(self.child.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            await asyncio.to_thread(self.child.wait, 10)
        return asyncio.get_running_loop().time() - begun

    def ports_in_use(self) -> set[int]:
        """The local ports of its connections."""
        if not self.alive or self.child is None:
            return set()
        try:
            connections = psutil.Process(self.child.pid).net_connections("tcp")
        except psutil.Error:
            return set()
        return {connection.laddr.port for connection in connections}


@dataclass(slots=True)
class Launch:
    """How a service is started: the program before its arguments, and what it is told. Broken builds differ here."""

    folder: Path
    environment: Mapping[str, Mapping[str, str]]
    launcher: Sequence[str] = ("-m",)

    def replica(
        self, service: str, number: int, port: int, launcher: Sequence[str] | None = None
    ) -> Replica:
        command = (sys.executable, "-P", *(launcher or self.launcher), f"services.{service}")
        log = self.folder / "logs" / f"{service}-{number}.log"
        return Replica(service, number, command, self.environment[service], log, port)


@dataclass(slots=True)
class Replicas:
    """All processes of the three services, and whoever starts them again."""

    launch: Launch
    each: int = 2
    all: list[Replica] = field(default_factory=list)
    watch: "asyncio.Task[None] | None" = None

    async def __aenter__(self) -> Self:
        try:
            for service in SERVICES:
                for number in range(1, self.each + 1):
                    self.add(service, number).start()
            self.watch = asyncio.create_task(self._restart())
            await self.ready()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def add(self, service: str, number: int, launcher: Sequence[str] | None = None) -> Replica:
        """One more, not started, perhaps of another build."""
        port = pick(None, [replica.port for replica in self.all])
        replica = self.launch.replica(service, number, port, launcher)
        self.all.append(replica)
        return replica

    def of(self, service: str) -> list[Replica]:
        return [replica for replica in self.all if replica.service == service]

    async def ready(self, *, within: float = READY_SECONDS) -> None:
        """Wait until each that is wanted says that it can work."""
        if unready := await self.unready(within=within):
            raise TimeoutError(f"not ready within {within:.0f} s: {unready}")

    async def unready(self, *, within: float = READY_SECONDS) -> list[str]:
        """What each says that is wanted and could not work by then, as soon as all can or the time is over."""
        late = asyncio.get_running_loop().time() + within
        async with httpx.AsyncClient(timeout=5, transport=Transport()) as client:
            while True:
                waiting = [
                    f"{each.name}: {said}"
                    for each in self.all
                    if each.wanted and (said := await _hindrance(client, each)) is not None
                ]
                if not waiting or asyncio.get_running_loop().time() > late:
                    return waiting
                await asyncio.sleep(0.1)

    async def say_ready(self) -> list[str]:
        """The names of those that say now that they can work."""
        async with httpx.AsyncClient(timeout=5, transport=Transport()) as client:
            return [each.name for each in self.all if await _hindrance(client, each) is None]

    async def stop(self) -> None:
        if self.watch is not None:
            self.watch.cancel()
            await asyncio.gather(self.watch, return_exceptions=True)
        await asyncio.gather(*(replica.stop() for replica in self.all))

    async def _restart(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for replica in self.all:
                if replica.wanted and not replica.alive:
                    replica.died += 1
                    await asyncio.sleep(RESTART_SECONDS)
                    if replica.wanted:
                        replica.start()


async def _hindrance(client: httpx.AsyncClient, replica: Replica) -> str | None:
    """What it says of why it cannot work; None when it can."""
    try:
        answer = await client.get(f"{replica.address}/readyz")
    except httpx.HTTPError as fault:
        return type(fault).__name__
    return None if answer.is_success else answer.text
