"""A direct route answers as any other would: its caller is known, and what goes wrong is a problem document."""

import hashlib
import json
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, Response

from shared.auth.tokens import Principal, require
from shared.contracts.vocabulary import Role
from shared.http.app import MAX_BODY_BYTES, make_app
from shared.http.direct import DirectRoute
from shared.http.responses import as_json
from shared.runtime.errors import Problem
from shared.runtime.supervisor import Health

Desk = Annotated[Principal, Depends(require(Role.LIAISON))]


@asynccontextmanager
async def no_lifespan(app: FastAPI):
    yield


async def echo(request: Request, caller: Desk) -> Response:
    body = await request.body()
    if body == b"no":
        raise Problem(409, "another_content")
    if body == b"fault":
        raise OSError("gone")
    return as_json({"party": caller.party, "bytes": len(body)}, 202)


def app_with(route_class: type, tokens: Path) -> FastAPI:
    router = APIRouter(prefix="/desk", route_class=route_class)
    router.post("/echo", status_code=202)(echo)
    app = make_app("desk", Health("desk", lambda: {}), tokens, no_lifespan)
    app.router.routes[:0] = router.routes
    return app


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    file = tmp_path / "tokens.json"
    listed = [("one", "liaison", "L001"), ("two", "operator", "O001")]
    file.write_text(
        json.dumps(
            [
                {"sha256": hashlib.sha256(name.encode()).hexdigest(), "role": role, "party": party}
                for name, role, party in listed
            ]
        )
    )
    return file


def client(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://desk")


@pytest.mark.parametrize(
    ("method", "headers", "body", "status"),
    [
        ("POST", {"authorization": "Bearer one"}, b"yes", 202),
        ("POST", {"authorization": "bearer  one"}, b"yes", 202),
        ("POST", {}, b"yes", 401),
        ("POST", {"authorization": "Basic one"}, b"yes", 401),
        ("POST", {"authorization": "Bearer three"}, b"yes", 401),
        ("POST", {"authorization": "Bearer two"}, b"yes", 403),
        ("POST", {"authorization": "Bearer one"}, b"no", 409),
        ("POST", {"authorization": "Bearer one"}, b"fault", 503),
        ("POST", {"authorization": "Bearer one"}, b"x" * (MAX_BODY_BYTES + 1), 413),
        ("GET", {"authorization": "Bearer one"}, b"", 405),
    ],
)
async def test_it_answers_as_a_route_of_the_usual_kind_does(
    tokens: Path, method: str, headers: dict[str, str], body: bytes, status: int
):
    answers = []
    for kind in (DirectRoute, APIRouter().route_class):
        async with client(app_with(kind, tokens)) as asking:
            answers.append(
                await asking.request(method, "/desk/echo", headers=headers, content=body)
            )
    direct, usual = answers
    assert direct.status_code == usual.status_code == status
    assert direct.content == usual.content
    assert direct.headers == usual.headers


def test_it_is_described_as_a_route_of_the_usual_kind(tokens: Path):
    direct, usual = (app_with(kind, tokens) for kind in (DirectRoute, APIRouter().route_class))
    assert direct.openapi() == usual.openapi()


async def more(request: Request, caller: Desk, page: int) -> Response:
    return as_json({})


async def nobody(request: Request) -> Response:
    return as_json({})


@pytest.mark.parametrize("endpoint", [more, nobody])
def test_one_that_depends_on_more_than_its_caller_is_refused(endpoint):
    with pytest.raises(TypeError):
        APIRouter(route_class=DirectRoute).post("/")(endpoint)
