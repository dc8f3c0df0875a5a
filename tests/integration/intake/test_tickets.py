"""Tickets for streams: a page in a browser reads a feed without sending a header, once for each ticket."""

import asyncio
import json
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from services.intake.app import build
from services.intake.settings import Settings
from shared.http.streams import tickets
from tests.integration.intake.feeds import submit
from tests.integration.intake.test_kafka import conn
from tests.support.streaming import WAYS, reading, served

__all__ = ["conn"]

PATH = "/intake/feed/stream"


async def ticket_for(client: httpx.AsyncClient, who: str = "system") -> Any:
    headers = {"authorization": f"Bearer {who}"}
    answer = await client.post(f"{PATH}/tickets", headers=headers)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


async def refused(client: httpx.AsyncClient, query: dict[str, str], **headers: str) -> str:
    answer = await client.get(PATH, params=query, headers={"authorization": ""} | headers)
    assert answer.status_code == 401, answer.text
    return str(answer.json()["type"].rpartition(":")[2])


async def test_case_105_a_ticket_opens_its_stream_once(
    settings: Settings, conn: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.http.streams.routes.HEARTBEAT_SECONDS", 0.2)
    app = build(settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        served(app) as address,
        httpx.AsyncClient(transport=transport, base_url="http://intake") as client,
    ):
        mine, taken = await submit(client, conn)
        made = await ticket_for(client)
        assert made["stream_url"] == f"{PATH}?ticket={made['ticket']}"
        async with reading(address, made["stream_url"], {}) as stream:
            seen = await stream.until(taken["receipt"].encode())
            await stream.until(b"heartbeat")
            assert b"200 OK" in seen
            assert mine.id.encode() in seen
            assert await refused(client, {"ticket": made["ticket"]}) == "ticket_not_valid"
            tokens = settings.tokens_file
            assert isinstance(tokens, Path)
            # As with the header, the right to read is asked for again.
            WAYS["revoked"](tokens)
            await stream.rest(5)
        assert await conn.fetchval("select count(*) from stream_ticket") == 0


async def test_case_105_a_ticket_counts_for_its_path_its_time_and_its_token_alone(
    intake: httpx.AsyncClient,
    conn: asyncpg.Connection,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for other in ("/intake/feed", f"{PATH}/tickets", "/intake/requests"):
        made = await ticket_for(intake)
        answer = await intake.get(
            other, params={"ticket": made["ticket"]}, headers={"authorization": ""}
        )
        assert answer.status_code in (401, 405), other
    await conn.execute("update stream_ticket set path = '/routing/queues/L001/stream'")
    for row_ticket in (made["ticket"], made["ticket"][:-1], "x", "é", "0" * 100):
        assert await refused(intake, {"ticket": row_ticket}) == "ticket_not_valid"
    made = await ticket_for(intake)
    await conn.execute("update stream_ticket set expires_at = now()")
    assert await refused(intake, {"ticket": made["ticket"]}) == "ticket_not_valid"
    assert await refused(intake, {"ticket": "0" * 101}) == "not_signed_in"
    assert await refused(intake, {"ticket": ""}) == "not_signed_in"
    # What is stored opens nothing: neither the ticket nor the token is in it.
    made = await ticket_for(intake)
    stored = str(await conn.fetch("select * from stream_ticket"))
    assert made["ticket"] not in stored
    assert "system" not in stored
    kept = [
        entry
        for entry in json.loads(settings.tokens_file.read_bytes())
        if entry["role"] != "system"
    ]
    settings.tokens_file.write_text(json.dumps(kept))
    assert await refused(intake, {"ticket": made["ticket"]}) == "not_signed_in"
    written = capsys.readouterr()
    assert made["ticket"] not in written.out + written.err


async def test_case_105_of_many_at_once_one_gets_in(
    intake: httpx.AsyncClient, conn: asyncpg.Connection
) -> None:
    await ticket_for(intake)
    made = await ticket_for(intake)

    app_of = intake._transport.app  # type: ignore[attr-defined]
    db = app_of.state.edge.db

    async def redeem() -> str | None:
        async with db.reading() as connection:
            return await tickets.redeem(connection, PATH, made["ticket"])

    tokens = await asyncio.gather(*(redeem() for _ in range(6)))
    assert sorted(map(str, tokens)) == ["None"] * 5 + ["system"]
    await conn.execute("update stream_ticket set expires_at = now() - interval '1 s'")
    await asyncio.gather(*(ticket_for(intake) for _ in range(5)))
    assert await conn.fetchval("select count(*) from stream_ticket where expires_at < now()") == 0


async def test_nobody_without_the_right_to_the_stream_gets_a_ticket(
    intake: httpx.AsyncClient,
) -> None:
    for who, status in (("liaison", 403), ("enterprise", 403), ("unknown", 401)):
        answer = await intake.post(f"{PATH}/tickets", headers={"authorization": f"Bearer {who}"})
        assert answer.status_code == status
