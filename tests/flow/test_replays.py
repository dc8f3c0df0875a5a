"""Histories that are sent again: for readers that missed some, and for what receipts show."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from deploy.jobs.topics import ensure_topics
from shared.delivery.kafka.address import KafkaAddress
from tests.flow.commands import Operator
from tests.flow.processes import Stack
from tests.flow.test_backups import forget_topics
from tests.flow.test_to_its_end import settled_at_once
from tests.flow.town import Town

pytestmark = pytest.mark.timeout(200)


@pytest.fixture
def operator(stack: Stack, tmp_path: Path) -> Operator:
    return Operator(stack.processes["intake"].environment, tmp_path / "data")


@pytest.fixture
async def database(operator: Operator) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(operator.environment["LIAISON_DATABASE_URL"])
    yield connection
    await connection.close()


async def is_sent(database: asyncpg.Connection) -> None:
    async with asyncio.timeout(30):
        while await database.fetchval("select count(*) from intake.outbox"):
            await asyncio.sleep(0.05)


async def lost_on_the_way(
    town: Town, stack: Stack, database: asyncpg.Connection, kafka: str, prefix: str
) -> list[dict[str, str]]:
    """Requests that Kafka had and nobody read before it lost them."""
    for name in ("routing", "followup"):
        stack.processes[name].stop()
    taken = [(await town.post(town.submission())).json() for _ in range(5)]
    await is_sent(database)
    stack.processes["intake"].stop()
    await forget_topics(kafka, prefix)
    return taken


async def test_a_reader_that_missed_events_gets_them_while_all_goes_on(
    town: Town,
    stack: Stack,
    operator: Operator,
    database: asyncpg.Connection,
    kafka: str,
    kafka_prefix: str,
) -> None:
    taken = await lost_on_the_way(town, stack, database, kafka, kafka_prefix)
    await ensure_topics(KafkaAddress(kafka, kafka_prefix), partitions=3)
    await stack.start()
    later = (await town.post(town.submission())).json()
    await town.do("nobody", "POST", f"{taken[0]['status_url']}/messages", {"message": "水退了一半"})
    await town.in_state(later["request_id"], "offered")
    held = "select count(*) from followup.dead_letter where fate = 'gap' and state = 'waiting'"

    async def waiting() -> int:
        return await database.fetchval(held)

    await town.until(waiting, lambda count: count == 1)
    known = await database.fetchval("select count(*) from followup.matter")
    assert known == 1, "what Kafka lost is not there by itself"
    said = await operator.run("replay", "intake")
    assert "intake: 7 events published again" in said
    for each in taken:
        await town.in_state(each["request_id"], "offered")
    await town.until(waiting, lambda count: count == 0)
    history = await town.history(taken[0]["request_id"])
    assert [entry["type"] for entry in history].count("matter.amended") == 1


async def test_histories_go_first_to_a_kafka_that_lost_everything(
    town: Town,
    stack: Stack,
    operator: Operator,
    database: asyncpg.Connection,
    kafka: str,
    kafka_prefix: str,
) -> None:
    taken = await lost_on_the_way(town, stack, database, kafka, kafka_prefix)
    said = await operator.run("replay", "--kafka-lost")
    assert "intake: 5 events will be published in order" in said
    await ensure_topics(KafkaAddress(kafka, kafka_prefix), partitions=3)
    await stack.start()
    for each in taken:
        await town.in_state(each["request_id"], "offered")


async def test_what_receipts_show_is_built_anew_from_the_history(
    town: Town, operator: Operator, database: asyncpg.Connection
) -> None:
    taken = [(await town.post(town.submission())).json() for _ in range(2)]
    for each in taken:
        await settled_at_once(town, each["request_id"])
        await town.until(
            lambda each=each: town.get("nobody", each["status_url"]),
            lambda shown: shown["state"] == "closed",
        )
    was = [await town.get("nobody", each["status_url"]) for each in taken]
    await database.execute("update intake.progress set state = 'shelved', answer = null")
    await database.execute("delete from intake.timeline where version > 1")
    await database.execute(
        "insert into intake.timeline values ($1, 99, 'x', now(), 'y')", taken[0]["request_id"]
    )
    said = await operator.run("replay", "followup", "--receipts")
    assert "followup" in said
    for each, shown in zip(taken, was, strict=True):

        async def look(each: dict[str, str] = each) -> object:
            return await town.get("nobody", each["status_url"])

        await town.until(look, lambda now, shown=shown: now == shown)
    assert await database.fetchval("select count(*) from intake.dead_letter") == 0
