"""Every error is a problem document that says what to do, in the reader's language, without the values sent."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import asyncpg
import httpx
import pytest
from fastapi import Body, FastAPI, Query
from pydantic import BaseModel, Field

from shared.auth.tokens import Principal, require
from shared.contracts.vocabulary import Urgency
from shared.http.app import MAX_BODY_BYTES, make_app
from shared.runtime.errors import FieldError, Problem, busy
from shared.runtime.supervisor import Health


class Sent(BaseModel):
    name: Annotated[str, Field(min_length=2, max_length=5)]
    urgency: Urgency = Urgency.NORMAL
    parts: list[dict[str, int]] = Field(default_factory=list)


class Lifespan:
    def __init__(self, app: FastAPI) -> None:
        self.app = app

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *fault: object) -> None:
        return None


FAULTS = {
    "problem": lambda: Problem(
        409, "too_large", params={"limit": 1}, members={"allowed": ["a"]}, headers={"x-a": "b"}
    ),
    "errors": lambda: Problem(422, "invalid", errors=[FieldError("/a", "missing", "add it")]),
    "busy": lambda: busy(7),
    "database away": lambda: asyncpg.CannotConnectNowError("starting"),
    "pool closed": lambda: asyncpg.InterfaceError("pool is closed"),
    "no connection": lambda: ConnectionRefusedError("refused"),
    "too long": lambda: TimeoutError(),
    "row quoted": lambda: asyncpg.CheckViolationError("Failing row contains (13800138000)"),
    "mistake": lambda: KeyError("13800138000"),
}


@pytest.fixture
def app() -> FastAPI:
    app = make_app("test", Health("test", lambda: {}), None, Lifespan)

    @app.post("/sent")
    async def sent(body: Sent, limit: Annotated[int, Query(ge=1)] = 1) -> dict[str, str]:
        return {"name": body.name}

    @app.post("/raw")
    async def raw(body: Annotated[dict[str, object], Body()]) -> dict[str, int]:
        return {"fields": len(body)}

    @app.get("/fault")
    async def fault(kind: str) -> None:
        raise FAULTS[kind]()

    @app.get("/receipts/{receipt}/of/{matter_id}")
    async def of_a_matter(receipt: str, matter_id: str) -> None:
        raise FAULTS["mistake"]()

    @app.get("/secret")
    async def secret(principal: Annotated[Principal, require()]) -> None:
        return None

    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


def is_problem(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["type"] == f"urn:liaison:problem:{code}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body


async def test_a_problem_has_its_members_and_headers(client: httpx.AsyncClient):
    answer = await client.get("/fault", params={"kind": "problem"})
    body = is_problem(answer, 409, "too_large")
    assert body["allowed"] == ["a"]
    assert answer.headers["x-a"] == "b"
    assert "errors" not in body


async def test_a_problem_lists_its_errors(client: httpx.AsyncClient):
    body = is_problem(await client.get("/fault", params={"kind": "errors"}), 422, "invalid")
    assert body["errors"] == [{"pointer": "/a", "code": "missing", "detail": "add it"}]


@pytest.mark.parametrize("kind", ["database away", "pool closed", "no connection", "too long"])
async def test_what_is_away_for_a_moment_asks_to_come_again(client: httpx.AsyncClient, kind: str):
    answer = await client.get("/fault", params={"kind": kind})
    is_problem(answer, 503, "busy")
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize("kind", ["row quoted", "mistake"])
async def test_an_error_inside_tells_no_values(
    client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str], kind: str
):
    answer = await client.get("/fault", params={"kind": kind})
    is_problem(answer, 500, "internal")
    assert "13800138000" not in answer.text
    logged = capsys.readouterr()
    assert "request.failed" in logged.out + logged.err
    assert "13800138000" not in logged.out + logged.err


async def test_a_failed_request_is_told_by_its_matter_and_not_by_its_receipt(
    client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
):
    await client.get("/receipts/unguessable/of/m-17")
    logged = "".join(capsys.readouterr())
    assert "/receipts/{receipt}/of/{matter_id}" in logged
    assert "m-17" in logged
    assert "unguessable" not in logged


async def test_busy_says_when(client: httpx.AsyncClient):
    answer = await client.get("/fault", params={"kind": "busy"})
    assert "7" in str(is_problem(answer, 503, "busy")["detail"])
    assert answer.headers["retry-after"] == "7"


async def test_each_field_at_fault_is_named(client: httpx.AsyncClient):
    answer = await client.post(
        "/sent?limit=0",
        json={"name": "张", "urgency": "13800138000", "parts": [{"a/b~": "x"}]},
        headers={"accept-language": "en"},
    )
    body = is_problem(answer, 422, "invalid")
    errors = {error["pointer"]: error for error in body["errors"]}
    assert set(errors) == {"/query/limit", "/body/name", "/body/urgency", "/body/parts/0/a~1b~0"}
    assert errors["/body/name"]["detail"] == "Must have at least 2 characters."
    assert "normal" in errors["/body/urgency"]["detail"]
    assert "13800138000" not in answer.text


async def test_what_is_no_json_is_a_problem(client: httpx.AsyncClient):
    wrong = {b"{": "invalid", b"": "invalid", b"[1]": "invalid"}
    wrong |= {b"\xff": "unreadable_body", b"[" * 100_000: "unreadable_body"}
    for content, code in wrong.items():
        answer = await client.post(
            "/sent", content=content, headers={"content-type": "application/json"}
        )
        body = is_problem(answer, 422 if code == "invalid" else 400, code)
        for error in body.get("errors", ()):
            assert error["pointer"] == "/body"


async def test_addresses_and_methods_that_are_none(client: httpx.AsyncClient):
    is_problem(await client.get("/nowhere"), 404, "no_such_address")
    answer = await client.get("/sent")
    is_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "OPTIONS, POST"


async def test_the_reader_s_language(client: httpx.AsyncClient):
    chinese = (await client.get("/nowhere")).json()
    english = (await client.get("/nowhere", headers={"accept-language": "en"})).json()
    assert chinese["title"] == "没有这个地址"
    assert english["title"] == "No such address"
    asked = await client.get("/nowhere?lang=en", headers={"accept-language": "zh"})
    assert asked.json() == english


async def test_a_body_that_says_that_it_is_too_large(client: httpx.AsyncClient):
    answer = await client.post(
        "/sent", content=b"x" * (MAX_BODY_BYTES + 1), headers={"accept-language": "en"}
    )
    assert is_problem(answer, 413, "too_large")["title"] == "The content is too large"


async def test_a_body_that_turns_out_too_large(client: httpx.AsyncClient):
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * 1024 * 1024

    for path in ("/sent", "/raw"):
        answer = await client.post(
            path, content=endless(), headers={"content-type": "application/json"}
        )
        is_problem(answer, 413, "too_large")


async def test_a_large_body_within_the_limit_is_read(client: httpx.AsyncClient):
    content = b'{"a": "' + b"x" * (MAX_BODY_BYTES - 100) + b'"}'
    answer = await client.post(
        "/raw", content=content, headers={"content-type": "application/json"}
    )
    assert answer.json() == {"fields": 1}


async def test_health_and_readiness(client: httpx.AsyncClient, app: FastAPI):
    assert (await client.get("/healthz")).json() == {"status": "alive"}
    answer = await client.get("/readyz")
    assert answer.status_code == 503, "nothing has been measured yet"
    assert answer.json()["checks"] == {"database": False, "kafka": True, "outbox": True}
    assert "liaison_http_request_duration_seconds" in (await client.get("/metrics")).text


async def test_a_caller_who_goes_away_is_no_error_inside(
    app: FastAPI, capsys: pytest.CaptureFixture[str]
):
    sent = iter(
        [{"type": "http.request", "body": b'{"a"', "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive() -> dict[str, object]:
        await asyncio.sleep(0)
        return next(sent)

    async def send(message: dict[str, object]) -> None:
        return

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/raw",
        "raw_path": b"/raw",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "scheme": "http",
        "server": ("test", 80),
        "client": ("test", 1),
        "http_version": "1.1",
        "root_path": "",
    }
    await app(scope, receive, send)
    assert "request.failed" not in capsys.readouterr().out
