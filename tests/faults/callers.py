"""How the load calls the services: any replica, again after a fault, and counted so that it can be brought to rest."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from deploy.gateway.transport import Transport
from tests.faults.replicas import Replicas

TIMEOUT = httpx.Timeout(10.0, connect=2.0)
LIMITS = httpx.Limits(max_connections=200, max_keepalive_connections=60)
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0
REST_SECONDS = 180.0


@dataclass(slots=True)
class Gate:
    """Lets work begin or not; `rest` waits for what has begun."""

    going: asyncio.Event = field(default_factory=asyncio.Event)
    active: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    @contextlib.asynccontextmanager
    async def work(self) -> AsyncIterator[None]:
        await self.going.wait()
        self.active += 1
        self.idle.clear()
        try:
            yield
        finally:
            self.active -= 1
            if not self.active:
                self.idle.set()

    async def rest(self) -> None:
        """Let nothing begin, and wait for what has begun. Raises TimeoutError after 180 s."""
        self.going.clear()
        if self.active:
            await asyncio.wait_for(self.idle.wait(), REST_SECONDS)

    def go(self) -> None:
        self.going.set()


@dataclass(slots=True)
class Callers:
    """The HTTP calls of senders and staff. A call without an answer is None: it may have been taken or not."""

    replicas: Replicas
    chance: random.Random
    client: httpx.AsyncClient = field(
        default_factory=lambda: httpx.AsyncClient(
            timeout=TIMEOUT, transport=Transport(limits=LIMITS)
        )
    )

    async def once(
        self, who: str, method: str, path: str, headers: dict[str, str], **content: Any
    ) -> httpx.Response | None:
        """One call to any replica of the service that the path names; None for no answer, and for one that says so."""
        replica = self.chance.choice(
            [each for each in self.replicas.of(path.split("/")[1]) if each.wanted]
        )
        try:
            answer = await self.client.request(
                method,
                f"{replica.address}{path}",
                headers={"authorization": f"Bearer {who}", **headers},
                **content,
            )
        except httpx.HTTPError:
            return None
        return None if answer.status_code >= 500 else answer

    async def patiently(
        self,
        who: str,
        method: str,
        path: str,
        headers: dict[str, str],
        tries: int,
        **content: Any,
    ) -> httpx.Response | None:
        """The same call until it is answered, `tries` times at most."""
        pause = FIRST_PAUSE
        for _ in range(tries):
            answer = await self.once(who, method, path, headers, **content)
            if answer is not None:
                return answer
            await asyncio.sleep(pause * self.chance.uniform(0.5, 1.5))
            pause = min(LONGEST_PAUSE, pause * 2)
        return None

    async def close(self) -> None:
        await self.client.aclose()
