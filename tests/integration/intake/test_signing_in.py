"""Intake with an issuer of signed tokens that is really there, changes its keys, and goes away."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from deploy.local.embedded.ports import pick
from services.intake.settings import Settings
from shared.auth import jwks
from tests.browser.stack import serving
from tests.integration.intake.running import intake_with
from tests.integration.intake.samples import submission
from tests.support.issuing import AUDIENCE, Issuing


def answers_of(issuing: Issuing) -> Starlette:
    """What an issuer answers."""

    async def discovery(request: Request) -> JSONResponse:
        return JSONResponse(issuing.discovery())

    async def keys(request: Request) -> JSONResponse:
        return JSONResponse(issuing.published())

    return Starlette(
        routes=[Route("/.well-known/openid-configuration", discovery), Route("/keys", keys)]
    )


async def post(intake: httpx.AsyncClient, token: str) -> httpx.Response:
    return await intake.post(
        "/intake/requests", json=submission(), headers={"authorization": f"Bearer {token}"}
    )


def signed(issuing: Issuing, **changes) -> str:
    return issuing.token(datetime.now(UTC).timestamp(), **changes)


@contextmanager
def asked_at_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jwks, "PAUSE_SECONDS", 0.0)
        yield


async def test_a_system_signs_in_by_an_issuer(settings: Settings):
    port = pick(None)
    issuing = Issuing(f"http://127.0.0.1:{port}")
    known = settings.model_copy(
        update={"oidc_issuer": issuing.name, "oidc_audience": AUDIENCE, "pool_size": 4}
    )
    async with intake_with(known) as intake:
        with asked_at_once():
            async with serving(answers_of(issuing), port):
                assert (await post(intake, signed(issuing))).status_code == 202
                assert (await post(intake, "system")).status_code == 202
                before = signed(issuing)
                issuing.add("second")
                assert (await post(intake, signed(issuing))).status_code == 202
                assert (await post(intake, before)).status_code == 202
                stranger = Issuing(issuing.name)
                assert (await post(intake, signed(stranger))).status_code == 401
                assert (await post(intake, signed(issuing, aud="another"))).status_code == 401
                mayor = await post(intake, signed(issuing, liaison_role="mayor"))
                assert mayor.status_code == 403
                assert "liaison_role" in mayor.json()["detail"]
        issuing.add("third")
        unknown = await post(intake, signed(issuing))
        assert unknown.status_code == 401
        assert "unknown key" in unknown.headers["www-authenticate"]
        assert (await post(intake, before)).status_code == 202, "its key is known"
        figures = (await intake.get("/metrics")).text
        assert 'liaison_issuer_keys{service="intake"} 2.0' in figures
        assert 'liaison_signed_tokens_total{result="signature",service="intake"}' in figures


async def test_an_issuer_that_is_not_there_keeps_nobody_else_out(settings: Settings):
    issuing = Issuing(f"http://127.0.0.1:{pick(None)}")
    known = settings.model_copy(update={"oidc_issuer": issuing.name, "oidc_audience": AUDIENCE})
    async with intake_with(known) as intake:
        refused = await post(intake, signed(issuing))
        assert refused.status_code == 401
        assert (await post(intake, "system")).status_code == 202
        checks = (await intake.get("/readyz")).json()["checks"]
        assert checks.keys() == {"database", "kafka", "outbox"}


async def test_a_party_that_asks_too_often_is_sent_away_for_a_while(settings: Settings):
    async with intake_with(settings.model_copy(update={"requests_per_minute": 1})) as intake:
        assert (await post(intake, "system")).status_code == 202
        refused = await post(intake, "system")
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 60
        assert (await post(intake, "coordinator")).status_code == 202, "another party"
