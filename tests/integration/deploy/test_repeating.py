"""Services that close connections, and others' calls through the origin meanwhile, over real sockets."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from deploy.gateway.app import Origin
from deploy.gateway.proxy import remote_target
from deploy.gateway.repeating import LARGEST_REPEATED
from deploy.local.embedded.ports import LOOPBACK, pick
from shared.http import problems

CALLS = 400
AT_ONCE = 12


class Ledger:
    """A service that notes each write, and does those with a name once."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.app = app = FastAPI()
        problems.install(app)

        @app.get("/intake/list")
        async def read() -> JSONResponse:
            return JSONResponse({"writes": self.done.total()})

        @app.post("/intake/{what}")
        async def write(request: Request) -> JSONResponse:
            body = await request.json()
            named = "idempotency-key" in request.headers or request.url.path == "/intake/requests"
            if not (named and self.done[body["name"]]):
                self.done[body["name"]] += 1
            return JSONResponse({"name": body["name"], "length": len(body["text"])})

        @app.get("/intake/failing")
        async def fail() -> None:
            raise RuntimeError("provoked")

        @app.get("/intake/breaking")
        async def break_off() -> StreamingResponse:
            async def parts() -> AsyncIterator[bytes]:
                yield b"the beginning"
                raise RuntimeError("provoked")

            return StreamingResponse(parts())


def closing_protocol(chance: random.Random, closed: Counter[str]) -> type[HttpToolsProtocol]:
    """Closes a connection that was used before: unread, after the work without an answer, or idle."""

    class Closing(HttpToolsProtocol):
        requests = 0

        def data_received(self, data: bytes) -> None:
            if data.startswith((b"GET", b"POST")):
                self.requests += 1
            if self.requests > 1 and chance.random() < 0.2:
                how = chance.choice(("unread", "unanswered"))
                closed[how] += 1
                if how == "unanswered":
                    super().data_received(data)
                    self.loop.call_later(0.01, self.transport.abort)
                    self.transport.write = lambda data: None
                    return
                self.transport.close()
                return
            super().data_received(data)

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if chance.random() < 0.2:
                closed["idle"] += 1
                self.loop.call_later(chance.random() * 0.005, self.transport.close)

    return Closing


@asynccontextmanager
async def served(app, http: object = "auto") -> AsyncIterator[str]:
    config = uvicorn.Config(
        app,
        host=LOOPBACK,
        port=pick(None),
        http=http,
        log_config=None,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        assert not serving.done()
        await asyncio.sleep(0.01)
    yield f"http://{LOOPBACK}:{config.port}"
    server.should_exit = True
    await serving


@asynccontextmanager
async def behind_the_origin(app, http: object = "auto") -> AsyncIterator[httpx.AsyncClient]:
    async with served(app, http) as service:
        origin = Origin([remote_target("intake", service)])
        async with served(origin) as address, httpx.AsyncClient(base_url=address) as client:
            yield client


def call(client: httpx.AsyncClient, chance: random.Random, number: int):
    if number % 4 == 0:
        return client.get("/intake/list")
    length = chance.choice((1, 1, 1, 20_000, LARGEST_REPEATED * 2))
    body = {"name": f"write-{number}", "text": "x" * length}
    if number % 4 == 1:
        return client.post("/intake/requests", json=body)
    headers = {"idempotency-key": str(uuid4())} if number % 4 == 2 else {}
    return client.post("/intake/steps", json=body, headers=headers)


@pytest.mark.parametrize("seed", range(3))
async def test_case_88_a_service_that_closes_connections_fails_no_call_and_does_no_write_twice(
    seed: int,
):
    chance, closed = random.Random(seed), Counter[str]()  # noqa: S311 - repeatable
    ledger = Ledger()
    gate = asyncio.Semaphore(AT_ONCE)
    async with behind_the_origin(ledger.app, closing_protocol(chance, closed)) as client:

        async def one(number: int) -> int:
            async with gate:
                return (await call(client, chance, number)).status_code

        statuses = Counter(await asyncio.gather(*map(one, range(CALLS))))
    assert min(closed[how] for how in ("unread", "unanswered", "idle")) > 0
    assert statuses == {200: CALLS}
    assert set(ledger.done.values()) == {1}
    assert len(ledger.done) == CALLS * 3 // 4


async def test_case_88_a_route_that_fails_breaks_no_neighbours_call():
    async with behind_the_origin(Ledger().app) as client:
        provoked: Counter[int] = Counter()

        async def provoke() -> None:
            while True:
                provoked[(await client.get("/intake/failing")).status_code] += 1
                with pytest.raises(httpx.RemoteProtocolError):
                    await client.get("/intake/breaking")

        provoking = [asyncio.create_task(provoke()) for _ in range(3)]

        async def calls() -> Counter[int]:
            chance = random.Random(88)  # noqa: S311 - repeatable
            return Counter([(await call(client, chance, each)).status_code for each in range(100)])

        statuses = await asyncio.gather(*(calls() for _ in range(4)))
        for each in provoking:
            each.cancel()
        assert not [each.exception() for each in provoking if each.done()]
    assert sum(statuses, Counter()) == {200: 400}
    assert set(provoked) == {500}


@pytest.mark.parametrize("headers", [{}, {"idempotency-key": "one"}])
async def test_case_88_a_request_is_sent_twice_at_most(headers: dict[str, str]):
    seen = []

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    server = await asyncio.start_server(answer_once, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    origin = Origin([remote_target("intake", f"http://{LOOPBACK}:{port}")])
    async with served(origin) as address, httpx.AsyncClient(base_url=address) as client:
        answer = await client.post("/intake/steps", content=b"x", headers=headers)
    server.close()
    assert answer.status_code == 502
    assert json.loads(answer.text)["type"] == "urn:liaison:problem:service_silent"
    assert len(seen) == 1 + len(headers)
