"""Pages of named origins call the interface from a browser, through the gateway too; nobody else's may."""

from pathlib import Path

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from shared.service.settings import ServiceSettings
from tests.integration.deploy.test_gateway import BOTH
from tests.unit.http.serving import NOWHERE, built, written_tokens

DESK = "https://desk.example"
OTHERS = (
    "https://desk.example.evil.example",
    "http://desk.example",
    "https://desk.example:8443",
    "null",
)
ASKED = "authorization, content-type, idempotency-key, if-match, last-event-id"


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIAISON_CORS_ORIGINS", f"{DESK}, http://localhost:5173")


def preflight(origin: str, method: str = "POST", headers: str = ASKED) -> dict[str, str]:
    return {
        "origin": origin,
        "access-control-request-method": method,
        "access-control-request-headers": headers,
    }


async def ask(client: httpx.AsyncClient, path: str, headers: dict[str, str]) -> httpx.Response:
    return await client.options(path, headers=headers)


@BOTH
async def test_case_105_a_page_of_a_named_origin_may_make_every_call(
    arranged, named: None, tmp_path: Path
) -> None:
    apps = built(written_tokens(tmp_path))
    operations = {
        (method, context.path)
        for app in apps.values()
        for context in iter_route_contexts(app.routes)
        if getattr(context.original_route, "include_in_schema", False)
        for method in context.methods or ()
    }
    assert len(operations) > 40
    async with arranged(apps) as client:
        for method, path in sorted(operations):
            answer = await ask(
                client, path.replace("{", "").replace("}", ""), preflight(DESK, method)
            )
            assert answer.status_code == 200, (method, path)
            assert answer.headers["access-control-allow-origin"] == DESK
            assert method in answer.headers["access-control-allow-methods"]
            assert "access-control-allow-credentials" not in answer.headers
        # What comes afterwards is readable, its errors and their headers too.
        answer = await client.get("/intake/feed", headers={"origin": DESK})
        assert answer.status_code == 401
        assert answer.json()["type"] == "urn:liaison:problem:not_signed_in"
        assert answer.headers["access-control-allow-origin"] == DESK
        assert "retry-after" in answer.headers["access-control-expose-headers"]
        assert "Origin" in answer.headers["vary"]


@BOTH
async def test_case_105_a_page_of_another_origin_may_make_none(arranged, named: None) -> None:
    async with arranged(built()) as client:
        for origin in OTHERS:
            answer = await ask(client, "/intake/requests", preflight(origin))
            assert "access-control-allow-origin" not in answer.headers, origin
            answer = await client.get("/intake/feed", headers={"origin": origin})
            assert "access-control-allow-origin" not in answer.headers, origin
            assert "Origin" in answer.headers["vary"]
        for refused in (preflight(DESK, "DELETE"), preflight(DESK, headers="cookie")):
            assert (await ask(client, "/intake/requests", refused)).status_code == 400
        answer = await ask(client, "/intake/requests", {})
        assert (answer.status_code, "POST" in answer.headers["allow"]) == (204, True)


@BOTH
async def test_case_105_nobody_is_named_by_default(arranged) -> None:
    async with arranged(built()) as client:
        for origin in (DESK, *OTHERS):
            for answer in (
                await ask(client, "/intake/requests", preflight(origin)),
                await client.get("/intake/feed", headers={"origin": origin}),
            ):
                assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_case_105_a_wrong_origin_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIAISON_CORS_ORIGINS", "*")
    with pytest.raises(ValueError, match="is no origin"):
        ServiceSettings(**NOWHERE)


def test_case_105_the_compose_stack_hands_the_setting_on() -> None:
    root = Path(__file__).parents[3]
    assert (
        "LIAISON_CORS_ORIGINS: ${LIAISON_CORS_ORIGINS:-}"
        in (root / "docker-compose.yml").read_text()
    )
    assert "#LIAISON_CORS_ORIGINS=" in (root / ".env.example").read_text()
