"""HTTP as it is written, through the gateway: services in this process and behind real sockets."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from deploy.gateway import proxy
from deploy.gateway.app import Origin
from deploy.gateway.proxy import remote_target
from deploy.gateway.target import local_target
from tests.support.streaming import served
from tests.unit.http.serving import built


async def echo(request: Request):
    return PlainTextResponse(str(len(await request.body())))


async def never(request: Request):
    await request.body()
    await asyncio.Event().wait()


async def endless(request: Request):
    async def chunks():
        while True:
            yield b"x" * 65_536

    return StreamingResponse(chunks())


OWN = Starlette(
    routes=[
        Route("/intake/echo", echo, methods=["POST"]),
        Route("/intake/never", never, methods=["POST"]),
        Route("/intake/endless", endless),
    ]
)


@asynccontextmanager
async def in_one_process(apps: dict[str, ASGIApp]) -> AsyncIterator[httpx.AsyncClient]:
    origin = Origin([local_target(name, app) for name, app in apps.items()])
    async with (
        served(origin) as (host, port),
        httpx.AsyncClient(base_url=f"http://{host}:{port}") as client,
    ):
        yield client


@asynccontextmanager
async def in_front_of(apps: dict[str, ASGIApp]) -> AsyncIterator[httpx.AsyncClient]:
    async with AsyncExitStack() as stack:
        targets = []
        for name, app in apps.items():
            host, port = await stack.enter_async_context(served(app))
            targets.append(remote_target(name, f"http://{host}:{port}"))
            stack.push_async_callback(targets[-1].client.aclose)
        host, port = await stack.enter_async_context(served(Origin(targets)))
        client = httpx.AsyncClient(base_url=f"http://{host}:{port}")
        yield await stack.enter_async_context(client)


BOTH = pytest.mark.parametrize("arranged", [in_one_process, in_front_of])


@BOTH
async def test_case_26_a_final_slash_is_another_path_through_the_gateway(arranged):
    async with arranged(built()) as client:
        for path in ("/openapi.json", "/docs", "/asyncapi", "/intake/healthz", "/followup/matters"):
            answer = await client.get(f"{path}/")
            assert (answer.status_code, answer.headers.get("location")) == (404, None), path
            assert answer.headers["content-type"] == "application/problem+json"


@BOTH
async def test_case_26_an_encoded_slash_is_no_slash_on_any_path_through_the_gateway(arranged):
    apps = built()
    paths = {
        re.sub(r"{[^}]+}", "01a229de-c62a-7172-805d-505dcfeb3d0f", path)
        for app in apps.values()
        for path in app.openapi()["paths"]
    }
    assert len(paths) > 40
    async with arranged(apps) as client:
        for path in sorted(paths):
            segments = path.strip("/").split("/")
            for cut in range(1, len(segments)):
                joined = "/".join(segments[:cut]) + "%2F%2f"[: 3 * (1 + cut % 2)]
                odd = f"/{joined}{'/'.join(segments[cut:])}"
                answer = await client.get(odd)
                assert answer.status_code == 404, odd
                assert answer.json()["type"] == "urn:liaison:problem:no_such_address", odd
        assert (await client.get("/openapi.json?of=a%2Fb")).status_code != 404


@BOTH
async def test_case_26_head_is_get_without_its_body_through_the_gateway(arranged):
    async with arranged(built()) as client:
        for path in ("/openapi.json", "/docs", "/followup/matters", "/intake/nowhere"):
            got = await client.get(path)
            head = await client.head(path)
            assert head.content == b""
            assert head.status_code == got.status_code, path
            assert head.headers["content-type"] == got.headers["content-type"], path
        # The connection is as it was: what follows is an answer of its own.
        assert (await client.get("/openapi.json")).json()["openapi"]


async def test_case_93_the_time_for_an_answer_begins_when_the_body_has_come(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(proxy, "ANSWER_SECONDS", 1.0)

    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"a" * 5000
            await asyncio.sleep(0.1)

    async with in_front_of({"intake": OWN}) as client:
        answer = await client.post("/intake/echo", content=slowly(), timeout=20)
        assert (answer.status_code, answer.text) == (200, "100000")
        answer = await client.post("/intake/never", content=b"a", timeout=20)
        assert answer.status_code == 502


async def test_case_93_a_caller_that_reads_nothing_is_cut_by_the_gateway(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(proxy, "SEND_SECONDS", 0.5)
    async with in_front_of({"intake": OWN}) as client:
        reader, writer = await asyncio.open_connection(
            client.base_url.host, client.base_url.port, limit=1000
        )
        writer.write(b"GET /intake/endless HTTP/1.1\r\nhost: a\r\n\r\n")
        await asyncio.sleep(2)
        async with asyncio.timeout(10):
            assert (await client.post("/intake/echo", content=b"abc")).text == "3"
            with suppress(ConnectionResetError):
                while await reader.read(1_000_000):
                    pass
        writer.close()
