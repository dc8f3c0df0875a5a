"""Cursors of a feed: refused by name, or gone on from with nothing missed, or expired."""

import asyncpg
import httpx

from services.intake.handlers.feed_order import forget
from services.intake.handlers.progress import follow_matters
from tests.integration.intake.feeds import VISITS, fed_back, feed, opened, page, submit
from tests.integration.intake.test_kafka import conn

__all__ = ["conn"]


async def test_a_cursor_that_no_page_gave_is_refused_by_name(intake: httpx.AsyncClient) -> None:
    for cursor in (
        "x",
        "é",
        "MTIz!",
        "LTEu",
        "MS4uLg",
        "a" * 200,
        "OTk5OTk5OTk5OTk5OTk5OTk5OTk5Lg",
    ):
        answer = await intake.get("/intake/feed", params={"cursor": cursor})
        assert answer.status_code == 422, cursor
        assert answer.json()["errors"][0]["pointer"] == "/query/cursor"
    for name, value in (("limit", "0"), ("limit", "501"), ("since", "x")):
        answer = await intake.get("/intake/feed", params={name: value})
        assert answer.json()["errors"][0]["pointer"] == f"/query/{name}"


async def test_a_cursor_counts_as_long_as_nothing_behind_it_was_dropped(
    intake: httpx.AsyncClient, conn: asyncpg.Connection
) -> None:
    mine, _ = await submit(intake, conn)
    begin = await page(intake, "kept")
    await follow_matters(conn, [opened(mine), fed_back(mine, "一")])
    await feed(intake, 3)
    first = await page(intake, limit=1)
    last = await page(intake, limit=50)
    await conn.execute("update feed set entered_at = now() - interval '31 days'")
    await conn.execute("update matter_event set entered_at = now() - interval '31 days'")
    while await forget(conn):
        pass
    assert await conn.fetchval("select count(*) from feed") == 0
    assert await conn.fetchval("select count(*) from matter_event") == 0
    answer = await intake.get("/intake/feed", params={"cursor": first["next"]})
    assert (answer.status_code, answer.json()["type"]) == (
        410,
        "urn:liaison:problem:cursor_expired",
    )
    # Whoever has read to the end, and whoever had nothing to read, has missed nothing.
    for token, cursor in (("system", last["next"]), ("kept", begin["next"])):
        assert await page(intake, token, cursor=cursor) == {"items": [], "next": cursor}
    begun = await page(intake)
    assert await page(intake, cursor=begun["next"]) == begun
    await follow_matters(conn, [fed_back(mine, "二")])
    for cursor in (last["next"], begun["next"]):
        [event] = await feed(intake, 1, cursor=cursor)
        assert event["data"]["text"] == "二"


async def test_a_cursor_of_a_history_that_was_restored_has_expired(
    intake: httpx.AsyncClient, conn: asyncpg.Connection
) -> None:
    await submit(intake, conn)
    await feed(intake, 1)
    cursor = (await page(intake))["next"]
    await conn.execute("truncate feed; update feed_head set position = 0")
    answer = await intake.get("/intake/feed", params={"cursor": cursor})
    assert answer.status_code == 410
    # Another event at the same position.
    await submit(intake, conn)
    await submit(intake, conn)
    await feed(intake, 2)
    answer = await intake.get("/intake/feed", params={"cursor": cursor})
    assert answer.status_code == 410


async def test_a_place_that_is_another_readers_by_now_has_expired(
    intake: httpx.AsyncClient, conn: asyncpg.Connection
) -> None:
    """After a restore positions are given anew, to whoever comes first."""
    await submit(intake, conn)
    await feed(intake, 1)
    cursor = (await page(intake))["next"]
    await conn.execute("truncate feed; update feed_head set position = 0")
    for _ in range(3):
        await submit(intake, conn, "kept", source=VISITS)
    await feed(intake, 3, "kept")
    await submit(intake, conn)
    await feed(intake, 1)
    answer = await intake.get("/intake/feed", params={"cursor": cursor})
    assert answer.status_code == 410
    # So it is with what another system was given.
    cursor = (await page(intake, "kept"))["next"]
    answer = await intake.get("/intake/feed", params={"cursor": cursor})
    assert answer.status_code == 410
