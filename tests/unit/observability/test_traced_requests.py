"""Which requests are told, by which names, and what is kept of a path."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, Request

from shared.http.app import make_app
from shared.http.middleware.tracing import trace_in, trace_requests
from shared.observability.tracing import Tracer
from shared.runtime.supervisor import Health
from tests.unit.observability.conftest import GIVEN, Kept
from tests.unit.observability.test_tracing import UNSAMPLED


@asynccontextmanager
async def no_lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield


def desk(tracer: Tracer | None) -> FastAPI:
    app = make_app("desk", Health("desk", lambda: {}), None, no_lifespan)

    @app.api_route("/desk/{receipt}", methods=["GET", "POST"])
    async def answer(request: Request, receipt: str) -> dict[str, str]:
        if receipt == "broken":
            raise RuntimeError("no")
        return {"trace": trace_in(request)}

    trace_requests(app, tracer)
    return app


async def ask(app: FastAPI, method: str, path: str, given: str | None = None) -> httpx.Response:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        headers = {} if given is None else {"traceparent": given}
        return await client.request(method, path, headers=headers)


async def test_a_request_is_told_by_its_routes_template(kept: Kept):
    answer = await ask(desk(Tracer(0.0, kept)), "POST", "/desk/ABC123?q=secret", GIVEN)
    [told] = kept.spans
    assert (told.name, told.kind, told.failed) == ("POST /desk/{receipt}", "server", False)
    assert (told.context, told.parent) == (answer.json()["trace"], GIVEN)
    assert told.said == {
        "http.request.method": "POST",
        "http.route": "/desk/{receipt}",
        "http.response.status_code": 200,
        "url.scheme": "http",
    }


async def test_a_request_that_fails_is_told_as_failed(kept: Kept):
    await ask(desk(Tracer(0.0, kept)), "POST", "/desk/broken", GIVEN)
    [told] = kept.spans
    assert told.failed
    assert told.said["http.response.status_code"] == 500


async def test_a_path_that_is_no_route_is_not_repeated(kept: Kept):
    await ask(desk(Tracer(0.0, kept)), "POST", "/somewhere/ABC123", GIVEN)
    [told] = kept.spans
    assert told.name == "POST"
    assert "ABC123" not in str(told)


async def test_what_only_reads_begins_no_trace_but_goes_on_with_one(kept: Kept):
    app = desk(Tracer(1.0, kept))
    await ask(app, "GET", "/desk/1")
    await ask(app, "GET", "/healthz")
    assert kept.spans == []
    await ask(app, "POST", "/desk/1")
    await ask(app, "GET", "/desk/1", GIVEN)
    assert [(told.name, told.parent) for told in kept.spans] == [
        ("POST /desk/{receipt}", ""),
        ("GET /desk/{receipt}", GIVEN),
    ]


async def test_an_unsampled_request_goes_on_as_it_came(kept: Kept):
    answer = await ask(desk(Tracer(1.0, kept)), "POST", "/desk/1", UNSAMPLED)
    assert answer.json()["trace"] == UNSAMPLED
    assert (await ask(desk(None), "POST", "/desk/1", GIVEN)).json()["trace"] == GIVEN
    assert kept.spans == []


async def test_the_tracer_ends_with_its_app(kept: Kept):
    app = desk(Tracer(1.0, kept))
    async with app.router.lifespan_context(app):
        assert not kept.stopped
    assert kept.stopped
