"""Who calls is known by a token of the file or a signed one alike, and may ask as often as the town allows."""

import hashlib
import json
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from starlette.types import ASGIApp

from shared.auth.jwt import MAX_SIGNED_LENGTH, SignedTokens
from shared.auth.rate_limiter import RateLimiter
from shared.auth.tokens import PRINCIPAL, SIGNED, Principal, require
from shared.contracts.vocabulary import Role
from shared.http.app import make_app
from shared.http.direct import DirectRoute
from shared.http.responses import as_json
from shared.runtime.supervisor import Health
from tests.unit.auth.issuers import Signing
from tests.unit.auth.moments import Moments

Sender = Annotated[Principal, Depends(require(Role.SYSTEM, Role.LIAISON))]
DOTTED = "one.of.those"


@asynccontextmanager
async def no_lifespan(app: FastAPI):
    yield


async def whose(request: Request, caller: Sender) -> Response:
    return as_json({"role": caller.role, "party": caller.party})


def make(tokens: Path, signed: SignedTokens | None = None, per_minute: int | None = None):
    app = make_app("desk", Health("desk", lambda: {}), tokens, no_lifespan, signed, per_minute)
    direct = APIRouter(route_class=DirectRoute)
    direct.get("/direct")(whose)
    app.router.routes[:0] = direct.routes
    app.get("/usual")(whose)
    return app


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    listed = [("one", "liaison", "L001"), ("two", "operator", "O001"), (DOTTED, "liaison", "L002")]
    file = tmp_path / "tokens.json"
    file.write_text(
        json.dumps(
            [
                {"sha256": hashlib.sha256(name.encode()).hexdigest(), "role": role, "party": party}
                for name, role, party in listed
            ]
        )
    )
    return file


@pytest.fixture
def signing() -> Signing:
    return Signing()


async def ask(app: ASGIApp, path: str, token: str | None = None) -> httpx.Response:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://desk"
    ) as client:
        return await client.get(path, headers=headers)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


@pytest.mark.parametrize("path", ["/direct", "/usual"])
async def test_a_signed_token_is_as_good_as_one_of_the_file(
    tokens: Path, signing: Signing, path: str
):
    app = make(tokens, signing.tokens)
    assert (await ask(app, path, "one")).json() == {"role": "liaison", "party": "L001"}
    answer = await ask(app, path, signing.token())
    assert answer.json() == {"role": "system", "party": "https://one-stop.example"}
    assert code(await ask(app, path, signing.token(liaison_role="operator"))) == (
        403,
        "not_for_this_role",
    )
    assert code(await ask(app, path, signing.token(liaison_role="mayor"))) == (
        403,
        "no_role_or_party",
    )


async def test_why_a_signed_token_does_not_count_is_said(tokens: Path, signing: Signing):
    answer = await ask(make(tokens, signing.tokens), "/direct", signing.token(exp=1))
    assert code(answer) == (401, "not_signed_in")
    assert answer.headers["www-authenticate"] == (
        'Bearer error="invalid_token", error_description="expired"'
    )


async def test_a_token_of_the_file_counts_whatever_it_looks_like(tokens: Path, signing: Signing):
    app = make(tokens, signing.tokens)
    assert (await ask(app, "/direct", DOTTED)).json()["party"] == "L002"
    assert (await ask(make(tokens), "/direct", DOTTED)).json()["party"] == "L002"


async def test_without_an_issuer_no_signed_token_counts(tokens: Path, signing: Signing):
    answer = await ask(make(tokens), "/direct", signing.token())
    assert code(answer) == (401, "not_signed_in")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_token_that_is_too_long_is_not_looked_at(tokens: Path, signing: Signing):
    app = make(tokens, signing.tokens)
    room = MAX_SIGNED_LENGTH - len(signing.token(more=""))
    longest = signing.token(more="x" * (room * 3 // 4))
    assert MAX_SIGNED_LENGTH - 4 <= len(longest) <= MAX_SIGNED_LENGTH
    assert (await ask(app, "/direct", longest)).status_code == 200
    answer = await ask(app, "/direct", signing.token(more="x" * room))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_where_no_token_is_needed_a_bad_one_does_no_harm(tokens: Path, signing: Signing):
    app = make(tokens, signing.tokens)
    for token in (signing.token(exp=1), signing.token(liaison_role="mayor"), "a.b.c"):
        assert (await ask(app, "/healthz", token)).status_code == 200


@pytest.mark.parametrize("scheme", ["Basic", ""])
async def test_only_a_bearer_shows_a_token(tokens: Path, signing: Signing, scheme: str):
    app = make(tokens, signing.tokens)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://desk"
    ) as client:
        shown = {"authorization": f"{scheme} {signing.token()}".strip()}
        assert (await client.get("/direct", headers=shown)).status_code == 401


async def test_nothing_from_outside_says_who_calls(tokens: Path, signing: Signing):
    app = make(tokens, signing.tokens)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://desk"
    ) as client:
        for name in (PRINCIPAL, SIGNED):
            answer = await client.get("/direct", params={name: "x"}, headers={name: "x"})
            assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/direct", "/usual"])
async def test_who_asks_too_often_is_told_when_to_come_again(
    tokens: Path, signing: Signing, path: str
):
    app, moments = make(tokens, signing.tokens), Moments()
    app.state.rate_limiter = RateLimiter(12, moments.nanoseconds)
    for token in ("one", signing.token()):
        assert [(await ask(app, path, token)).status_code for _ in range(3)] == [200, 200, 429]
    answer = await ask(app, path, "one")
    assert code(answer) == (429, "too_many_requests")
    assert answer.headers["retry-after"] == "5"
    assert (await ask(app, path, DOTTED)).status_code == 200
    moments.go_on(5)
    assert (await ask(app, path, "one")).status_code == 200


async def test_who_may_not_is_counted_too(tokens: Path):
    app = make(tokens, per_minute=1)
    assert [(await ask(app, "/direct", "two")).status_code for _ in range(2)] == [403, 429]


async def test_who_is_not_known_is_not_counted(tokens: Path):
    app = make(tokens, per_minute=1)
    assert {(await ask(app, "/direct", "nobody")).status_code for _ in range(3)} == {401}
    assert (await ask(app, "/direct", "one")).status_code == 200


async def test_without_a_limit_nobody_is_counted(tokens: Path):
    app = make(tokens)
    assert {(await ask(app, "/direct", "one")).status_code for _ in range(50)} == {200}


async def test_what_is_asked_inside_the_process_is_not_counted(tokens: Path):
    app = make(tokens, per_minute=1)

    async def inside(scope, receive, send):
        await app({**scope, PRINCIPAL: Principal(Role.LIAISON, "L001")}, receive, send)

    for _ in range(3):
        assert (await ask(inside, "/usual")).status_code == 200
    assert (await ask(app, "/usual", "one")).status_code == 200
