"""A page in a browser follows a queue by a ticket: once, for that queue, and as long as the token behind it counts."""

from datetime import timedelta
from pathlib import Path

import httpx
import orjson

from deploy.local.embedded.ports import pick
from services.routing.settings import Settings
from shared.http.streams import tickets
from tests.browser.stack import serving
from tests.integration.intake.test_signing_in import answers_of
from tests.integration.routing.conftest import Routing
from tests.integration.routing.samples import MONDAY, registered
from tests.integration.routing.test_stream_rights import PATHS, Clock, quick, under_watch
from tests.integration.routing.test_streams import read_events, served
from tests.support.issuing import AUDIENCE, Issuing

__all__ = ["quick"]


async def test_case_105_a_ticket_opens_one_queue_once(
    routing: Routing, database_url: str, tokens_file: Path
) -> None:
    settings = Settings(database_url=database_url, kafka="none.invalid:1", tokens_file=tokens_file)
    standing = registered()
    await routing.take_requests(standing)
    token = {"authorization": "Bearer L001"}
    async with served(routing, settings) as url, httpx.AsyncClient(base_url=url) as client:
        for party in ("me", "L001"):
            path = f"/routing/queues/{party}/stream"
            answer = await client.post(f"{path}/tickets", headers=token)
            assert answer.status_code == 201, answer.text
            made = answer.json()
            assert made["stream_url"].startswith(f"{path}?ticket=")
            async with client.stream("GET", made["stream_url"]) as response:
                assert response.status_code == 200
                first, _ = await read_events(response.aiter_lines(), 2)
            assert orjson.loads(first["data"])["matter_id"] == standing.subject
            assert (await client.get(made["stream_url"])).status_code == 401
        other = (await client.post("/routing/queues/me/stream/tickets", headers=token)).json()
        for path in ("/routing/queues/L002/stream", "/routing/queues/L001/stream"):
            answer = await client.get(path, params={"ticket": other["ticket"]})
            assert answer.json()["type"] == "urn:liaison:problem:ticket_not_valid"
        for party, status in (("L002", 403), ("L999", 403)):
            answer = await client.post(f"/routing/queues/{party}/stream/tickets", headers=token)
            assert answer.status_code == status


async def test_case_105_a_ticket_of_a_signed_token_ends_with_that_token(
    routing: Routing, database_url: str, quick: None
) -> None:
    issuing = Issuing(f"http://127.0.0.1:{pick(None)}")
    async with serving(answers_of(issuing), int(issuing.name.rsplit(":", 1)[1])):
        settings = Settings(
            database_url=database_url, kafka="none.invalid:1", oidc_issuer=issuing.name,
            oidc_audience=AUDIENCE,
        )  # fmt: skip
        clock = Clock()
        token = issuing.token(MONDAY.timestamp(), liaison_role="liaison", liaison_party="L001")
        async with routing.db.transaction() as conn:
            made = await tickets.issue(conn, PATHS[0], token)

        def expire() -> None:
            clock.now += timedelta(minutes=7)

        await under_watch(routing, settings, clock, expire, {}, made.stream_url, False)
