"""Calls to other services: the same inside the process and over a socket, and what happens when nobody answers."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.local.embedded.ports import LOOPBACK, pick
from services.desk.clients import transport
from services.desk.clients.transport import (
    InProcess,
    OverHttp,
    ServiceAway,
    ServiceRequest,
    Transport,
)


async def echo(request: Request) -> Response:
    return JSONResponse(
        {
            "method": request.method,
            "path": request.url.path,
            "raw": request.scope["raw_path"].decode(),
            "query": request.url.query,
            "body": (await request.body()).decode(),
            "token": request.headers.get("authorization"),
        },
        status_code=202,
        headers={"ETag": '"7"'},
    )


async def silent(request: Request) -> Response:
    await asyncio.sleep(30)
    return Response()


APP = Starlette(
    routes=[
        Route("/silent", silent),
        Route("/{rest:path}", echo, methods=["GET", "POST"]),
    ]
)


@pytest.fixture(params=["in process", "over http"])
async def other(request: pytest.FixtureRequest) -> AsyncIterator[Transport]:
    if request.param == "in process":
        yield InProcess(APP)
        return
    port = pick(None)
    server = uvicorn.Server(uvicorn.Config(APP, host=LOOPBACK, port=port, log_config=None))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    made = OverHttp(f"http://{LOOPBACK}:{port}", "secret")
    yield made
    await made.close()
    server.should_exit = server.force_exit = True
    await serving


async def test_a_call_arrives_as_it_was_written(other: Transport):
    sent = ServiceRequest(
        "POST",
        "/followup/matters/%E5%8E%82?q=%E8%B7%AF&limit=2",
        {"authorization": "Bearer t"},
        b'{"a":1}',
        "192.0.2.7",
    )
    answer = await other.send(sent)
    assert answer.ok
    assert answer.status == 202
    assert answer.headers["etag"] == '"7"'
    said = answer.json()
    assert said["path"] == "/followup/matters/厂"
    assert said["raw"].partition("?")[0] == "/followup/matters/%E5%8E%82"
    assert said["query"] == "q=%E8%B7%AF&limit=2"
    assert (said["method"], said["body"], said["token"]) == ("POST", '{"a":1}', "Bearer t")


async def test_a_service_that_says_nothing_is_away(
    other: Transport, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(transport, "CALL_SECONDS", 0.2)
    with pytest.raises(ServiceAway):
        await other.send(ServiceRequest("GET", "/silent"))


async def test_an_address_where_nobody_listens_is_away():
    made = OverHttp(f"http://{LOOPBACK}:{pick(None)}")
    with pytest.raises(ServiceAway):
        await made.send(ServiceRequest("GET", "/"))
    await made.close()


async def test_what_is_no_json_is_an_answer_of_nobody_of_ours():
    answer = transport.ServiceResponse(502, {}, b"<html>")
    with pytest.raises(ServiceAway):
        answer.json()
