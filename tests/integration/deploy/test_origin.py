"""The origin in front of services in this process and in others, over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
import uvicorn
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route

from deploy.gateway.app import Origin
from deploy.gateway.lifespan import StartFailed, lifespan_of
from deploy.gateway.proxy import remote_target
from deploy.gateway.target import local_target
from deploy.jobs.migrations import SERVICES
from deploy.local.embedded.ports import LOOPBACK, pick

KEY = "key-of-the-tests"
NAMED = ("x-forwarded-for", "x-forwarded-proto", "x-real-ip", "x-liaison-gateway-key")
FIGURES = """# HELP process_open_fds Open files.
# TYPE process_open_fds gauge
process_open_fds 7
# HELP events_total Events.
# TYPE events_total counter
events_total{service="%s"} 3
"""


class Town:
    """A service of the tests; remembers what happened to it."""

    def __init__(self, name: str, ready: bool = True) -> None:
        self.name = name
        self.ready = ready
        self.happened: list[str] = []
        self.streams_closed = asyncio.Event()
        prefix = f"/{name}"
        self.app = Starlette(
            routes=[
                Route("/", self.who),
                Route("/readyz", self.readyz),
                Route("/metrics", self.metrics),
                Route(f"{prefix}/who", self.who),
                Route(f"{prefix}/echo", self.echo, methods=["POST"]),
                Route(f"{prefix}/stream", self.stream),
                Route(f"{prefix}/large", self.large),
            ],
            lifespan=self.lifespan,
        )

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[dict[str, str]]:
        self.happened.append("started")
        yield {"town": self.name}
        self.happened.append("ended")

    async def who(self, request: Request):
        answer = {"name": self.name, "state": request.state.town, "path": request.url.path}
        headers = {name: request.headers[name] for name in NAMED if name in request.headers}
        where = {"client": request.client.host if request.client else "", "headers": headers}
        return JSONResponse(
            answer | where | {"query": request.url.query, "host": request.headers["host"]}
        )

    async def readyz(self, request: Request):
        status = 200 if self.ready else 503
        return JSONResponse({"checks": {"database": self.ready}}, status)

    async def metrics(self, request: Request):
        return PlainTextResponse(FIGURES % self.name)

    async def echo(self, request: Request):
        body = await request.body()
        return PlainTextResponse(body, 201, headers={"x-length": str(len(body))})

    async def stream(self, request: Request):
        async def events():
            try:
                for number in range(1000):
                    yield f"id: {number}\n\n"
                    await asyncio.sleep(0.2)
            finally:
                self.streams_closed.set()

        return StreamingResponse(events(), media_type="text/event-stream")

    async def large(self, request: Request):
        return StreamingResponse(b"x" * 65_536 for _ in range(64))


@asynccontextmanager
async def served(app) -> AsyncIterator[str]:
    """`app` on a real socket."""
    port = pick(None)
    server_options = {"log_config": None, "timeout_graceful_shutdown": 2, "proxy_headers": False}
    config = uvicorn.Config(app, host=LOOPBACK, port=port, **server_options)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        assert not serving.done()
        await asyncio.sleep(0.01)
    yield f"http://{LOOPBACK}:{port}"
    server.should_exit = True
    await serving


def towns() -> list[Town]:
    return [Town(name) for name in SERVICES]


@asynccontextmanager
async def in_one_process(services: list[Town]) -> AsyncIterator[httpx.AsyncClient]:
    origin = Origin([local_target(town.name, town.app) for town in services])
    async with served(origin) as address, httpx.AsyncClient(base_url=address) as client:
        yield client


@asynccontextmanager
async def in_front_of(services: list[Town]) -> AsyncIterator[httpx.AsyncClient]:
    async with AsyncExitStack() as stack:
        targets = []
        for town in services:
            address = await stack.enter_async_context(served(town.app))
            targets.append(remote_target(town.name, address, KEY))
        address = await stack.enter_async_context(served(Origin(targets)))
        yield await stack.enter_async_context(httpx.AsyncClient(base_url=address))


BOTH = pytest.mark.parametrize("arranged", [in_one_process, in_front_of])


@BOTH
async def test_a_path_goes_to_its_service_and_the_rest_to_the_desk(arranged):
    async with arranged(towns()) as client:
        for path, name in (
            ("/intake/who", "intake"),
            ("/routing/who", "routing"),
            ("/followup/who", "followup"),
            ("/desk/who", "desk"),
            ("/", "desk"),
        ):
            answer = (await client.get(path, params={"q": "园 区"})).json()
            assert (answer["name"], answer["state"], answer["path"]) == (name, name, path)
            assert answer["query"] == "q=%E5%9B%AD+%E5%8C%BA"
            assert answer["host"] == client.base_url.netloc.decode()
        assert (await client.get("/intakes/who")).status_code == 404


@BOTH
async def test_case_93_what_a_caller_claims_of_its_address_is_replaced(arranged):
    async with arranged(towns()) as client:
        forged = {**dict.fromkeys(NAMED, "203.0.113.5"), "x-forwarded-proto": "https"}
        answer = (await client.get("/intake/who", headers=forged)).json()
    assert answer["client"] == LOOPBACK
    if arranged is in_front_of:
        assert answer["headers"] == {
            "x-forwarded-for": LOOPBACK,
            "x-forwarded-proto": "http",
            "x-liaison-gateway-key": KEY,
        }


@BOTH
async def test_bodies_and_statuses_pass_whole(arranged):
    async with arranged(towns()) as client:
        body = bytes(range(256)) * 4000
        answer = await client.post("/routing/echo", content=body)
        assert (answer.status_code, answer.headers["x-length"]) == (201, str(len(body)))
        assert answer.content == body
        assert (await client.post("/routing/echo")).content == b""
        large = await client.get("/intake/large")
        assert large.content == b"x" * 65_536 * 64


@BOTH
async def test_events_come_as_they_happen_and_end_with_their_reader(arranged):
    services = towns()
    async with arranged(services) as client:
        async with client.stream("GET", "/routing/stream") as stream:
            lines = stream.aiter_lines()
            began = asyncio.get_running_loop().time()
            seen = [line async for line in first(lines, 4) if line]
            assert seen == ["id: 0", "id: 1"]
            assert asyncio.get_running_loop().time() - began < 2
        await asyncio.wait_for(services[1].streams_closed.wait(), 5)


async def first(lines: AsyncIterator[str], count: int) -> AsyncIterator[str]:
    for _ in range(count):
        yield await anext(lines)


@BOTH
async def test_ready_only_when_all_are(arranged):
    services = towns()
    async with arranged(services) as client:
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["ready"]) == (200, True)
        services[1].ready = False
        answer = await client.get("/readyz")
        parts = answer.json()["parts"]
        assert answer.status_code == 503
        assert {name: part["ready"] for name, part in parts.items()} == {
            "intake": True, "routing": False, "followup": True, "desk": True,
        }  # fmt: skip
        assert parts["routing"]["checks"] == {"database": False}
        assert (await client.get("/healthz")).status_code == 200


async def test_figures_of_all_processes_are_one_valid_exposition():
    async with in_front_of(towns()) as client:
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = list(text_string_to_metric_families(answer.text))
    assert len({family.name for family in families}) == len(families)
    samples = [sample for family in families for sample in family.samples]
    keys = [(sample.name, tuple(sorted(sample.labels.items()))) for sample in samples]
    assert len(set(keys)) == len(keys)
    files = {s.labels["service"] for s in samples if s.name == "process_open_fds"}
    assert files >= set(SERVICES)
    events = {s.labels["service"]: s.value for s in samples if s.name == "events_total"}
    assert events == dict.fromkeys(SERVICES, 3)


async def test_figures_of_one_process_are_told_once():
    async with in_one_process(towns()) as client:
        text = (await client.get("/metrics")).text
    families = [family.name for family in text_string_to_metric_families(text)]
    assert len(set(families)) == len(families)
    assert "process_cpu_seconds" in families


async def test_a_service_that_is_away_is_a_problem_with_what_to_do():
    gone = remote_target("intake", f"http://{LOOPBACK}:{pick(None)}")
    there = Town("desk")
    origin = Origin([gone, local_target("desk", there.app)])
    async with served(origin) as address, httpx.AsyncClient(base_url=address) as client:
        answer = await client.get("/intake/who", headers={"accept-language": "en"})
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"] == "2"
        assert answer.json()["type"] == "urn:liaison:problem:service_away"
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["parts"]["intake"]["ready"]) == (503, False)
        assert (await client.get("/")).json()["name"] == "desk"


async def test_a_connection_that_closes_while_it_opens_is_a_service_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
):
    async def lose_the_socket(*_: object) -> httpx.Response:
        raise AttributeError("'NoneType' object has no attribute 'getpeername'")

    origin = Origin([remote_target("intake", f"http://{LOOPBACK}:1")])
    async with served(origin) as address:
        answers = httpx.AsyncHTTPTransport()
        async with httpx.AsyncClient(base_url=address, transport=answers) as client:
            monkeypatch.setattr(answers, "handle_async_request", answers.handle_async_request)
            monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", lose_the_socket)
            assert (await client.get("/intake/who")).status_code == 503


async def test_a_service_that_dies_with_a_request_leaves_its_outcome_open():
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.close()

    server = await asyncio.start_server(hang_up, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    origin = Origin([remote_target("intake", f"http://{LOOPBACK}:{port}")])
    async with served(origin) as address, httpx.AsyncClient(base_url=address) as client:
        answer = await client.post("/intake/echo", content=b"x")
    server.close()
    assert answer.status_code == 502
    assert json.loads(answer.text)["type"] == "urn:liaison:problem:service_silent"


async def test_services_start_before_the_first_request_and_end_after_the_last():
    services = towns()
    async with in_one_process(services) as client:
        assert [town.happened for town in services] == [["started"]] * len(SERVICES)
        await client.get("/")
    assert [town.happened for town in services] == [["started", "ended"]] * len(SERVICES)


async def test_an_app_that_cannot_start_says_so():
    @asynccontextmanager
    async def failing(app: Starlette) -> AsyncIterator[None]:
        raise RuntimeError("no database")
        yield

    with pytest.raises(StartFailed):
        async with lifespan_of(Starlette(lifespan=failing)):
            pass
