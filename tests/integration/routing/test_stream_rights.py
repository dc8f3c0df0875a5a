"""A queue's stream ends with the right to it, whichever way that is lost, and tells nothing afterwards."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from deploy.local.embedded.ports import pick
from services.routing.api.edge import Edge
from services.routing.app import build
from services.routing.handlers.queue_watch import QueueWatch
from services.routing.settings import Settings
from tests.browser.stack import serving
from tests.integration.intake.test_signing_in import answers_of
from tests.integration.routing.conftest import Routing
from tests.integration.routing.samples import MONDAY, registered
from tests.support.issuing import AUDIENCE, Issuing
from tests.support.streaming import WAYS, reading, served

PATHS = ("/routing/queues/me/stream", "/routing/queues/L001/stream?since=0")
HEARTBEAT_SECONDS = 0.5


class Clock:
    def __init__(self) -> None:
        self.now = MONDAY

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.http.streams.routes.HEARTBEAT_SECONDS", HEARTBEAT_SECONDS)


async def under_watch(
    routing: Routing, settings: Settings, clock: Clock, lose, headers, path, busy
):
    """Open a stream, lose the right to it, and see that it ends in time without another offer."""
    app = build(settings, clock)
    watch = QueueWatch(routing.db)
    app.state.edge = Edge(routing.db, clock, routing.office, watch)
    watching = asyncio.create_task(watch.run())
    async with served(app) as address:
        async with reading(address, path, headers) as reader:
            await reader.until(b"retry: 3000")
            await routing.take_requests(registered())
            await reader.until(b"event: offered")
            lose()
            if busy:
                await routing.take_requests(registered())
            begun = asyncio.get_running_loop().time()
            rest = await reader.rest(HEARTBEAT_SECONDS + 2)
            assert asyncio.get_running_loop().time() - begun < HEARTBEAT_SECONDS + 1
            assert b"event:" not in rest
        async with asyncio.timeout(2):
            while app.state.streams.count:
                await asyncio.sleep(0.01)
        async with reading(address, path, headers) as refused:
            assert (await refused.until(b"\r\n")).split(b" ")[1] in (b"401", b"403", b"404")
    watching.cancel()
    await asyncio.wait([watching])


@pytest.mark.parametrize(("path", "busy"), list(zip(PATHS, [False, True], strict=True)))
@pytest.mark.parametrize("way", WAYS)
async def test_case_27_a_queue_s_stream_ends_with_its_token(
    routing: Routing, database_url: str, tokens_file: Path, quick, way: str, path: str, busy: bool
):
    settings = Settings(database_url=database_url, kafka="none.invalid:1", tokens_file=tokens_file)
    headers = {"authorization": "Bearer L001"}
    await under_watch(
        routing, settings, Clock(), lambda: WAYS[way](tokens_file), headers, path, busy
    )


@pytest.mark.parametrize("busy", [False, True], ids=["quiet", "busy"])
async def test_case_27_a_queue_s_stream_ends_when_a_signed_token_expires(
    routing: Routing, database_url: str, quick, busy: bool
):
    issuing = Issuing(f"http://127.0.0.1:{pick(None)}")
    async with serving(answers_of(issuing), int(issuing.name.rsplit(":", 1)[1])):
        settings = Settings(
            database_url=database_url, kafka="none.invalid:1", oidc_issuer=issuing.name,
            oidc_audience=AUDIENCE,
        )  # fmt: skip
        clock = Clock()
        token = issuing.token(MONDAY.timestamp(), liaison_role="liaison", liaison_party="L001")

        def expire() -> None:
            clock.now += timedelta(minutes=7)

        headers = {"authorization": f"Bearer {token}"}
        await under_watch(routing, settings, clock, expire, headers, PATHS[0], busy)
