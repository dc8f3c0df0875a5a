"""Streams of one party, and of one stranger, through the gateway: how many, whose, and when one is given back."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network

import pytest
from fastapi import FastAPI, Request
from sse_starlette import ServerSentEvent
from starlette.types import ASGIApp

from deploy.gateway.app import Origin
from deploy.gateway.proxy import remote_target
from deploy.gateway.target import local_target
from shared.auth.brute_force import place_of
from shared.auth.tokens import Principal
from shared.contracts.vocabulary import Role
from shared.http.middleware.proxies import ForwardedMiddleware, TrustedProxies
from shared.http.problems import install
from shared.http.streams.guard import (
    ADDRESS_STREAMS,
    MOST_STREAMS,
    PARTY_STREAMS,
    GuardedStream,
    Holder,
    OpenStreams,
)
from tests.support.drawing import SEED
from tests.support.streaming import Reader, reading, served

KEY = "key-of-the-tests"
PATH = "/routing/stream"


def service_of(streams: OpenStreams) -> FastAPI:
    """A service with one stream, for whomever the header x-party names, else for a stranger's address."""
    app = FastAPI()
    install(app)
    app.state.streams, app.state.service = streams, "routing"

    async def events() -> AsyncIterator[ServerSentEvent]:
        await asyncio.Event().wait()
        yield ServerSentEvent("never")

    async def may_read() -> bool:
        return True

    @app.get(PATH)
    async def stream(request: Request) -> GuardedStream:
        party = request.headers.get("x-party")
        principal = Principal(Role.LIAISON, party) if party else None
        holder = Holder.of(principal, place_of(request))
        return GuardedStream(
            events(), request, holder, may_read, heartbeat_seconds=0.2, send_seconds=5
        )

    @app.get("/routing/ordinary")
    async def ordinary() -> dict[str, bool]:
        return {"ok": True}

    return app


@asynccontextmanager
async def in_one_process(app: ASGIApp) -> AsyncIterator[tuple[str, int]]:
    async with served(Origin([local_target("routing", app)])) as address:
        yield address


@asynccontextmanager
async def in_front_of(app: ASGIApp) -> AsyncIterator[tuple[str, int]]:
    trusting = ForwardedMiddleware(app, TrustedProxies([ip_network("127.0.0.1/32")], KEY))
    async with served(trusting) as (host, port):
        target = remote_target("routing", f"http://{host}:{port}", KEY)
        async with served(Origin([target])) as address:
            yield address
        await target.client.aclose()


BOTH = pytest.mark.parametrize("arranged", [in_one_process, in_front_of])


@dataclass
class Callers:
    """Whoever reads streams through the gateway; each stream is an exit stack, so that it can be given back."""

    address: tuple[str, int]
    open_: list[tuple[str, AsyncExitStack]] = field(default_factory=list)

    async def ask(self, who: str, headers: Mapping[str, str] | None = None) -> int:
        """Ask for a stream, as a party or (by 127.…) as a stranger; the status. What is open stays open."""
        stack = AsyncExitStack()
        stranger = who if who.startswith("127.") else ""
        named = dict(headers or {}) if stranger else {"x-party": who}
        reader = await stack.enter_async_context(
            reading(self.address, PATH, named, source=stranger)
        )
        status = int((await reader.until(b"\r\n\r\n")).split(b" ")[1])
        if status == 200:
            await reader.until(b"retry: 3000")
            self.open_.append((who, stack))
        else:
            await self._refused(reader)
            await stack.aclose()
        return status

    @staticmethod
    async def _refused(reader: Reader) -> None:
        assert b"connection: close" in reader.seen.lower()
        assert b"retry-after: 60" in reader.seen.lower()
        whole = reader.seen + await reader.rest(5)
        assert b"urn:liaison:problem:too_many_streams" in whole

    async def leave(self, number: int) -> str:
        who, stack = self.open_.pop(number)
        await stack.aclose()
        return who

    async def leave_all(self) -> None:
        while self.open_:
            await self.leave(-1)


@asynccontextmanager
async def calling(arranged, streams: OpenStreams) -> AsyncIterator[Callers]:
    async with arranged(service_of(streams)) as address:
        callers = Callers(address)
        try:
            yield callers
        finally:
            await callers.leave_all()
        await counted(streams, 0)


async def counted(streams: OpenStreams, count: int) -> None:
    async with asyncio.timeout(10):
        while streams.count != count:
            await asyncio.sleep(0.01)


@BOTH
async def test_case_28_a_party_reads_64_streams_through_the_gateway_and_no_more(arranged):
    streams = OpenStreams(MOST_STREAMS)
    async with calling(arranged, streams) as callers:
        assert [await callers.ask("L001") for _ in range(PARTY_STREAMS)] == [200] * PARTY_STREAMS
        assert [await callers.ask("L001") for _ in range(3)] == [429] * 3
        assert [await callers.ask(who) for who in ("L002", "127.0.0.2")] == [200, 200]
        async with reading(callers.address, "/routing/ordinary", {"x-party": "L001"}) as call:
            assert b'{"ok":true}' in await call.until(b"}")
        await callers.leave(0)
        await counted(streams, PARTY_STREAMS + 1)
        assert await callers.ask("L001") == 200
        assert await callers.ask("L001") == 429


@BOTH
async def test_case_93_a_stranger_reads_32_streams_whatever_address_it_claims(arranged):
    streams = OpenStreams(MOST_STREAMS)
    async with calling(arranged, streams) as callers:
        asked = [await callers.ask("127.0.0.2") for _ in range(ADDRESS_STREAMS)]
        assert asked == [200] * ADDRESS_STREAMS
        for name in ("x-forwarded-for", "forwarded", "x-real-ip"):
            claim = {name: "for=203.0.113.9" if name == "forwarded" else "203.0.113.9"}
            assert await callers.ask("127.0.0.2", claim) == 429, name
        assert [await callers.ask(who) for who in ("127.0.0.3", "L001")] == [200, 200]


@BOTH
async def test_case_28_whoever_comes_and_goes_each_has_what_nobody_else_takes(arranged):
    chance = random.Random(SEED)  # noqa: S311 - no secret
    streams = OpenStreams(32)
    most = {"L001": 4, "L002": 4, "127.0.0.2": 2, "127.0.0.3": 2}
    held: Counter[str] = Counter()
    async with calling(arranged, streams) as callers:
        for _ in range(60):
            if callers.open_ and chance.random() < 0.3:
                held[await callers.leave(chance.randrange(len(callers.open_)))] -= 1
                await counted(streams, held.total())
                continue
            who = chance.choice(sorted(most))
            assert await callers.ask(who) == (200 if held[who] < most[who] else 429), (who, held)
            held[who] = min(held[who] + 1, most[who])
