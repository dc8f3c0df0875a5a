"""What intake takes while PostgreSQL or Kafka is away or behind: whatever it said yes to is there, nothing else is."""

import asyncio
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
import pytest

from deploy.jobs.migrations import migrate_all
from deploy.local.embedded.ports import pick
from deploy.local.embedded.postgres import Postgres
from deploy.local.embedded.process import start, wait_ready
from services.intake.settings import Settings
from shared.runtime.supervisor import MOST_COUNTED
from tests.integration.intake.running import intake_with
from tests.integration.intake.samples import cloudevent, submission

BATCH = {"content-type": "application/cloudevents-batch+json"}
START_SECONDS = 50.0
# A busy machine may take long; a wait ends as soon as its end has come.
PATIENCE = 90.0
pytestmark = pytest.mark.timeout(300)

LIMIT = 10


async def says(client: httpx.AsyncClient, **checks: bool) -> dict[str, bool]:
    """What `/readyz` says, as soon as it says this; its status must fit."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = await client.get("/readyz")
            found: dict[str, bool] = answer.json()["checks"]
            assert answer.is_success == all(found.values())
            if checks.items() <= found.items():
                return found
            await asyncio.sleep(0.05)


def assert_refused(answer: httpx.Response) -> None:
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["content-type"] == "application/problem+json"


async def kept(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        return {
            row["source_ref"]
            for row in await connection.fetch("select source_ref from intake.request")
        }
    finally:
        await connection.close()


async def take(client: httpx.AsyncClient, sent: Sequence[dict[str, Any]]) -> None:
    for item in sent:
        answer = await client.post("/intake/requests", json=item)
        assert answer.status_code == 202, answer.text


async def test_without_kafka_it_goes_on_taking_up_to_its_limit_and_all_of_it_arrives(
    settings: Settings, database_url: str
) -> None:
    away = settings.model_copy(
        update={"kafka": f"127.0.0.1:{pick(None)}", "max_pending_events": LIMIT}
    )
    sent = [submission() for _ in range(LIMIT + 1)]
    async with intake_with(away, authorization="Bearer system") as client:
        assert await says(client, database=True) == {
            "database": True,
            "kafka": False,
            "outbox": True,
        }
        await take(client, sent[:LIMIT])
        await take(client, sent[LIMIT:])
        refused = submission()
        async with asyncio.timeout(PATIENCE):
            while (
                answer := await client.post("/intake/requests", json=sent[0])
            ).status_code == 200:
                await asyncio.sleep(0.1)
        assert_refused(answer)
        assert_refused(await client.post("/intake/requests", json=refused))
        batch = [cloudevent(submission())]
        assert_refused(await client.post("/intake/requests", json=batch, headers=BATCH))
    assert await kept(database_url) == {item["source_ref"] for item in sent}

    async with intake_with(settings, authorization="Bearer system") as client:
        await says(client, database=True, kafka=True, outbox=True)
        await take(client, [refused])
        async with asyncio.timeout(PATIENCE):
            while await pending(database_url):
                await asyncio.sleep(0.05)


async def pending(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        count: int = await connection.fetchval("select count(*) from intake.outbox")
        return count
    finally:
        await connection.close()


AGED = """
insert into intake.event (id, subject, version, type, topic, at, data)
values (uuidv7(interval '-2 minutes'), 'aged', 1, 'liaison.request.withdrawn.v1', 'liaison.requests',
        now() - interval '2 minutes', '{}')
returning seq"""


async def test_an_event_that_kafka_has_not_got_for_a_minute_is_told(
    settings: Settings, database_url: str
) -> None:
    away = settings.model_copy(update={"kafka": f"127.0.0.1:{pick(None)}"})
    connection = await asyncpg.connect(database_url)
    seq = await connection.fetchval(AGED)
    async with intake_with(away, authorization="Bearer system") as client:
        await says(client, database=True, outbox=True)
        await connection.execute("insert into intake.outbox (seq) values ($1)", seq)
        await says(client, database=True, outbox=False)
    await connection.close()


MANY = """
with many as (
    insert into intake.event (id, subject, version, type, topic, at, data)
    select uuidv7(), 'many', version, 'liaison.request.withdrawn.v1', 'liaison.requests', now(), '{}'
    from generate_series(1, $1) as version
    returning seq)
insert into intake.outbox (seq) select seq from many"""


async def test_a_large_limit_counts_too(settings: Settings, database_url: str) -> None:
    limit = MOST_COUNTED + 20_000
    away = settings.model_copy(
        update={"kafka": f"127.0.0.1:{pick(None)}", "max_pending_events": limit}
    )
    connection = await asyncpg.connect(database_url)
    async with intake_with(away, authorization="Bearer system") as client:
        await connection.execute(MANY, limit)
        await take(client, [submission()])
        refused = submission()
        async with asyncio.timeout(PATIENCE):
            while (
                answer := await client.post("/intake/requests", json=refused)
            ).status_code != 503:
                refused = submission()
                await asyncio.sleep(0.1)
        assert_refused(answer)
    await connection.close()
    assert refused["source_ref"] not in await kept(database_url)


class Server:
    """A PostgreSQL of the test's own, to be taken away and brought back."""

    def __init__(self, postgres: Postgres) -> None:
        self.postgres = postgres
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = start(self.postgres.program())
        wait_ready(self.process, self.postgres.program(), START_SECONDS)

    def signal(self, number: signal.Signals) -> None:
        """Send it to the server and to each of its sessions."""
        assert self.process is not None
        server = psutil.Process(self.process.pid)
        for process in (server, *server.children()):
            process.send_signal(number)

    def crash(self) -> None:
        """As a power cut does it."""
        if self.process is not None:
            self.signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(START_SECONDS)
            self.process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    postgres = Postgres(tmp_path / "postgres", pick(None), tmp_path / "postgres.log")
    postgres.prepare()
    server = Server(postgres)
    server.start()
    yield server
    server.crash()


async def test_without_postgresql_nothing_is_taken_and_what_was_taken_is_there_again(
    settings: Settings, server: Server
) -> None:
    url = server.postgres.url()
    await migrate_all(url)
    before = [submission() for _ in range(3)]
    refused = submission()
    async with intake_with(
        settings.model_copy(update={"database_url": url}), authorization="Bearer system"
    ) as client:
        await says(client, database=True, kafka=True)
        await take(client, before)
        server.crash()
        assert_refused(await client.post("/intake/requests", json=refused))
        batch = [cloudevent(submission())]
        assert_refused(await client.post("/intake/requests", json=batch, headers=BATCH))
        await says(client, database=False)
        server.start()
        await says(client, database=True, kafka=True)
        assert await kept(url) == {item["source_ref"] for item in before}
        await take(client, [refused])
        for item in before:
            again = await client.post("/intake/requests", json=item)
            assert again.status_code == 200


async def test_a_postgresql_that_falls_silent_is_told(settings: Settings, server: Server) -> None:
    """Connections stay open and nobody answers: an answer that is old by now is none."""
    url = server.postgres.url()
    await migrate_all(url)
    async with intake_with(
        settings.model_copy(update={"database_url": url}), authorization="Bearer system"
    ) as client:
        await says(client, database=True, kafka=True)
        server.signal(signal.SIGSTOP)
        try:
            await says(client, database=False, kafka=True)
        finally:
            server.signal(signal.SIGCONT)
        await says(client, database=True)


FULL = """
create function public.full_disk() returns trigger language plpgsql as
$$ begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$;
create trigger full_disk before insert on intake.request
for each statement execute function public.full_disk()"""


async def test_a_full_disk_is_told_and_nothing_is_said_to_be_kept(
    settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL answers, and cannot write: whoever asks for readiness must hear of it."""
    monkeypatch.setattr("shared.runtime.database.SHORT_SECONDS", 3.0)
    connection = await asyncpg.connect(database_url)
    sent = submission()
    async with intake_with(settings, authorization="Bearer system") as client:
        await says(client, database=True, kafka=True)
        await connection.execute(FULL)
        assert_refused(await client.post("/intake/requests", json=sent))
        await says(client, database=False)
        await connection.execute("drop trigger full_disk on intake.request")
        await says(client, database=True)
        await take(client, [sent])
    await connection.close()
    assert await kept(database_url) == {sent["source_ref"]}
