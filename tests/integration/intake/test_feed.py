"""A system's feed: what became of its own requests, each event once, in order, and nobody else's."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from services.intake.handlers.erasing import erase
from services.intake.handlers.progress import follow_matters
from services.intake.settings import Settings
from shared.audit.erasure import ErasureRequest
from shared.contracts.events.matters import (
    MatterClosed,
)
from shared.contracts.vocabulary import Outcome
from shared.runtime.ids import new_id
from tests.integration.intake.feeds import (
    HOTLINE,
    VISITS,
    S,
    fed_back,
    feed,
    news,
    opened,
    page,
    submit,
)
from tests.integration.intake.samples import submission
from tests.integration.intake.test_kafka import conn, events, producer

__all__ = ["conn", "events", "producer"]


async def test_case_102_a_feed_has_the_events_that_kafka_has(
    intake: httpx.AsyncClient, conn: asyncpg.Connection, events: AIOKafkaConsumer
) -> None:
    begin = await page(intake)
    assert begin["items"] == []
    mine, taken = await submit(intake, conn)
    await follow_matters(conn, [opened(mine), fed_back(mine, "已派人"), fed_back(mine, "修好了")])
    registered, *of_matter = await feed(intake, 4, cursor=begin["next"])
    sent = await events.getone()
    heads = {name: value.decode() for name, value in sent.headers}
    assert registered["id"] == heads["ce_id"]
    assert registered["data"] == json.loads(sent.value)
    assert {name: registered[name] for name in ("source", "type", "subject", "sequence")} == {
        name: heads[f"ce_{name}"] for name in ("source", "type", "subject", "sequence")
    }
    assert (registered["receipt"], registered["requestid"]) == (taken["receipt"], mine.id)
    assert "receipt" not in registered["data"]
    assert taken["receipt"].encode() not in sent.value
    assert [event["sequence"] for event in of_matter] == ["1", "2", "3"]
    assert [event["source"] for event in of_matter] == ["urn:liaison:followup"] * 3
    assert [event["data"].get("text") for event in of_matter] == [None, "已派人", "修好了"]
    assert all("excerpt" not in event and "receipt" not in event for event in of_matter)


async def test_case_102_what_came_by_kafka_has_its_receipt_and_its_refusals(
    intake: httpx.AsyncClient, producer: AIOKafkaProducer, settings: Settings, kafka_prefix: str
) -> None:
    topic = f"{kafka_prefix}liaison.submissions"
    good = submission(source=VISITS)
    for value in (good, good | {"summary": "另一件事"}, submission(source=VISITS, kind="nonsense")):
        await producer.send_and_wait(topic, json.dumps(value).encode())
    found = await feed(intake, 3, "kept")
    assert [event["type"] for event in found] == [
        "liaison.request.registered.v1", *["liaison.request.rejected.v1"] * 2,
    ]  # fmt: skip
    refused = {event["data"]["reason"]: event for event in found[1:]}
    assert refused.keys() == {"conflict", "invalid"}
    assert refused["conflict"]["data"]["source_ref"] == good["source_ref"]
    assert refused["invalid"]["data"]["faults"][0]["pointer"] == "/kind"
    shown = await intake.get(f"/intake/receipts/{found[0]['receipt']}")
    assert shown.json()["request_id"] == found[0]["subject"]
    assert (await page(intake, "system"))["items"] == []


async def test_nobody_reads_what_is_anothers(
    intake: httpx.AsyncClient, conn: asyncpg.Connection
) -> None:
    mine, taken = await submit(intake, conn, "kept", source=VISITS)
    theirs, _ = await submit(intake, conn, "system", source=HOTLINE)
    shared, _ = await submit(intake, conn, "L001", source=VISITS)
    for each in (mine, theirs, shared):
        await follow_matters(conn, [opened(each)])
    await follow_matters(conn, [fed_back(each, "x") for each in (mine, theirs, shared)])
    kept = await feed(intake, 6, "kept")
    assert {event["subject"] for event in kept} == {mine.id, shared.id}
    # What staff submitted under its source it may follow; the receipt is theirs.
    assert [event.get("receipt") for event in kept if "receipt" in event] == [taken["receipt"]]
    assert {event["subject"] for event in await feed(intake, 3, "system")} == {theirs.id}
    assert (await page(intake, "speaker"))["items"] == []
    for token in ("liaison", "D-ROAD", "coordinator", "operator", "enterprise"):
        answer = await intake.get("/intake/feed", headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 403
    assert (await intake.get("/intake/feed", headers={"authorization": ""})).status_code == 401


async def test_what_comes_again_is_not_told_again(
    intake: httpx.AsyncClient, conn: asyncpg.Connection
) -> None:
    mine, _ = await submit(intake, conn)
    history = [opened(mine), fed_back(mine, "一"), fed_back(mine, "二")]
    await follow_matters(conn, history)
    await feed(intake, 4)
    await follow_matters(conn, history)
    closed = news(mine, MatterClosed, S.CLOSED, outcome=Outcome.RESOLVED)
    await follow_matters(conn, [*history, closed])
    found = await feed(intake, 5)
    assert [event["sequence"] for event in found] == ["1", "1", "2", "3", "4"]


async def test_what_was_missed_comes_after_what_is_there(
    intake: httpx.AsyncClient, conn: asyncpg.Connection
) -> None:
    """As a replica of an earlier version leaves it, and a replay mends it."""
    mine, _ = await submit(intake, conn)
    history = [opened(mine), fed_back(mine, "一"), fed_back(mine, "二"), fed_back(mine, "三")]
    await follow_matters(conn, [history[0], history[3]])
    await feed(intake, 3)
    for _ in range(2):
        await follow_matters(conn, history)
    found = await feed(intake, 5)
    assert [event["sequence"] for event in found] == ["1", "1", "4", "2", "3"]


async def test_the_true_event_comes_after_a_forged_one_of_its_version(
    intake: httpx.AsyncClient, conn: asyncpg.Connection
) -> None:
    mine, _ = await submit(intake, conn)
    history = [opened(mine), fed_back(mine, "真的"), fed_back(mine, "又一次")]
    forged = replace(news(mine, MatterClosed, S.CLOSED, outcome=Outcome.RESOLVED), sequence=2)
    await follow_matters(conn, [history[0], forged])
    await feed(intake, 3)
    # As the reconciliation has it learned again.
    for _ in range(2):
        await follow_matters(conn, history)
    found = await feed(intake, 5)
    assert [event["id"] for event in found[1:]] == [
        str(each.id) for each in (history[0], forged, *history[1:])
    ]


async def test_an_erasure_reaches_the_feed(
    intake: httpx.AsyncClient, conn: asyncpg.Connection
) -> None:
    mine, _ = await submit(intake, conn, detail="住在某处的某人")
    await follow_matters(conn, [opened(mine), fed_back(mine, "某人已联系")])
    before = await feed(intake, 3)
    asked = ErasureRequest(UUID(new_id()), mine.id, datetime.now(UTC), "O001", "asked")
    async with conn.transaction():
        erased = await erase(conn, asked)
    assert erased["matter_event"] == 2
    after = await feed(intake, 3)
    assert [event["id"] for event in after] == [event["id"] for event in before]
    written = str(after)
    for words in ("某人", "云杉精密", "积水"):
        assert words in str(before)
        assert words not in written
    async with conn.transaction():
        assert await erase(conn, replace(asked, id=UUID(new_id()))) == {}


async def test_what_a_stranger_calls_its_fields_stops_nobodys_feed(
    intake: httpx.AsyncClient, producer: AIOKafkaProducer, kafka_prefix: str
) -> None:
    """PostgreSQL keeps such JSON and reads no field of it."""
    topic = f"{kafka_prefix}liaison.submissions"
    odd = ("\0", "a\0b", '"actor":{"role":"system",', "\u202e", "é" * 300)
    for name in odd:
        sent = submission(source=VISITS, **{name: name, "summary": '"actor":{"role":"system",'})
        await producer.send_and_wait(topic, json.dumps(sent).encode())
    await producer.send_and_wait(topic, json.dumps(submission(source=VISITS)).encode())
    found = await feed(intake, len(odd) + 1, "kept")
    kinds = sorted(event["type"] for event in found)
    assert kinds == [
        "liaison.request.registered.v1", *["liaison.request.rejected.v1"] * len(odd),
    ]  # fmt: skip


async def test_a_summary_that_looks_like_an_actor_gives_nobody_a_feed(
    intake: httpx.AsyncClient, conn: asyncpg.Connection
) -> None:
    words = '"actor":{"role":"system","party":"https://one-stop.example"}'
    mine, _ = await submit(intake, conn, "L001", source=VISITS, summary=words, detail=words)
    await follow_matters(conn, [opened(mine)])
    assert len(await feed(intake, 2, "kept")) == 2
    assert await conn.fetchval("select count(*) from feed where name = 'L001'") == 0
