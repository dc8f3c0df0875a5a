"""Wrong receipts: counted for each address, and after too many of them right ones are refused like the others."""

from contextlib import AsyncExitStack

import httpx
import pytest

from services.intake.settings import Settings
from tests.integration.intake.running import intake_with
from tests.integration.intake.samples import submission

BURST = 4
LIMITED = {"wrong_receipts_per_minute": 6 * BURST}
WRONG = "/intake/receipts/AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"
STEPS = (
    ("GET", "", None),
    ("POST", "/messages", {"message": "还在漏"}),
    ("POST", "/withdraw", {}),
    ("POST", "/answer", {"solved": True, "satisfaction": 4}),
)


async def tried(client: httpx.AsyncClient, path: str, step: int = 0) -> int:
    method, name, body = STEPS[step]
    return (await client.request(method, path + name, json=body)).status_code


async def test_whoever_is_wrong_too_often_is_refused_with_the_right_one_too(
    settings: Settings,
) -> None:
    async with intake_with(
        settings.model_copy(update=LIMITED), authorization="Bearer system"
    ) as client:
        right = (await client.post("/intake/requests", json=submission())).json()["status_url"]
        assert [await tried(client, right) for _ in range(3 * BURST)] == [200] * 3 * BURST
        assert [await tried(client, WRONG, step) for step in range(BURST)] == [404] * BURST
        for path in (WRONG, right):
            for step in range(len(STEPS)):
                assert await tried(client, path, step) == 429
        refused = await client.get(right)
        assert 1 <= int(refused.headers["retry-after"]) <= 60 // BURST
        assert refused.json()["type"] == "urn:liaison:problem:too_many_requests"
        assert right.rpartition("/")[2] not in refused.text


@pytest.mark.parametrize(
    ("wrong", "other", "counts_too"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
    ],
)
async def test_an_address_counts_for_itself_and_for_its_network_where_that_is_one_subscriber(
    settings: Settings, wrong: str, other: str, counts_too: bool
) -> None:
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            intake_with(settings.model_copy(update=LIMITED), wrong)
        )
        assert [await tried(client, WRONG) for _ in range(BURST + 1)] == [404] * BURST + [429]
        transport = httpx.ASGITransport(client._transport.app, client=(other, 1))  # type: ignore[attr-defined]
        async with httpx.AsyncClient(transport=transport, base_url="http://intake") as neighbour:
            assert await tried(neighbour, WRONG) == (429 if counts_too else 404)
