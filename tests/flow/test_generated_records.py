"""Records made from the AsyncAPI document, sent by the hundred: each is taken, refused or set aside; all goes on."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaProducer

from shared.contracts import topics
from tests.conftest import COUNTED
from tests.flow.processes import SERVICES, Stack
from tests.flow.records import Record, records
from tests.flow.test_to_its_end import settled_at_once
from tests.flow.town import Town
from tests.flow.visiting import everything, neighbours
from tests.support.drawing import SEED, drawn

COUNTS = {
    topics.SUBMISSIONS: 300,
    topics.COMMANDS: 200,
    topics.REQUESTS: 150,
    topics.ASSIGNMENTS: 150,
    topics.DIRECTORY: 100,
    topics.MATTERS: 150,
}
READERS = {
    topics.SUBMISSIONS: ("intake",),
    topics.COMMANDS: ("routing", "followup"),
    topics.REQUESTS: ("routing", "followup"),
    topics.ASSIGNMENTS: ("followup",),
    topics.DIRECTORY: ("followup",),
    topics.MATTERS: ("intake", "routing"),
}
PATIENCE_SECONDS = 120
RESTARTS = re.compile(r"^liaison_task_restarts_total\{.*\} ([0-9.e+]+)$", re.MULTILINE)

Place = tuple[str, int, int]


@pytest.fixture
async def database(stack: Stack) -> AsyncIterator[asyncpg.Connection]:
    url = stack.processes["intake"].environment["LIAISON_DATABASE_URL"]
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.mark.timeout(300)
async def test_every_generated_record_is_taken_refused_or_set_aside(
    town: Town,
    stack: Stack,
    database: asyncpg.Connection,
    kafka: str,
    kafka_prefix: str,
    record_property: Any,
) -> None:
    await neighbours(town)
    things = await everything(town)
    made = [
        record for topic, count in COUNTS.items() for record in drawn(records(topic, things), count)
    ]
    before = await _restarts(stack)
    sent = await _send(made, kafka, kafka_prefix)
    for topic in COUNTS:
        await _all_taken(database, {place for place in sent if place[0] == topic})
    assert await _unanswered(database, sent) == []
    for process in stack.processes.values():
        await process.ready()
    assert await _restarts(stack) == before
    good = town.submission()
    await town.send_submission(good)
    matter = await town.matter_named(good)
    await settled_at_once(town, matter)
    await town.in_state(matter, "closed")
    fates = await _fates(database)
    record_property(COUNTED, f"seed {SEED}, {len(sent)} records: {fates}")
    assert {"registered", "rejected", "done", "refused", "poison"} <= fates.keys()
    assert await _raised(database) == []


async def _send(made: Sequence[Record], kafka: str, prefix: str) -> dict[Place, Record]:
    """Send all of them at once; each by the place that Kafka gave it."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all")
    await producer.start()
    coming = [
        await producer.send(
            prefix + each.topic, each.value, key=each.key, headers=list(each.headers)
        )
        for each in made
    ]
    came = await asyncio.gather(*coming)
    await producer.stop()
    return {
        (each.topic, where.partition, where.offset): each
        for each, where in zip(made, came, strict=True)
    }


async def _all_taken(database: asyncpg.Connection, places: set[Place]) -> None:
    """Wait until each service that reads the topic has taken all of it in; of commands one of the two."""
    [topic] = {topic for topic, _, _ in places}
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            taken = [await _places(database, f"{service}.inbox") for service in READERS[topic]]
            if topic == topics.COMMANDS:
                taken = [set().union(*taken)]
            if all(places <= each for each in taken):
                return
            await asyncio.sleep(0.2)


async def _places(database: asyncpg.Connection, table: str) -> set[Place]:
    rows = await database.fetch(f'select topic, partition, "offset" from {table}')
    return {tuple(row) for row in rows}


async def _unanswered(database: asyncpg.Connection, sent: Mapping[Place, Record]) -> list[Record]:
    """Submissions and commands of which neither their sender was told nor a dead letter was kept."""
    letters, told = set[Place](), set[str]()
    for service in SERVICES:
        letters |= await _places(database, f"{service}.dead_letter")
        rows = await database.fetch(
            "select coalesce(data->>'source_ref', data->>'command_id') as name"
            f" from {service}.event where type like any($1)",
            ["liaison.request.re%", "liaison.command.%"],
        )
        told |= {(row["name"] or "").strip() for row in rows}
    return [
        record
        for place, record in sent.items()
        if record.topic in (topics.SUBMISSIONS, topics.COMMANDS)
        and place not in letters
        and not record.names & told
    ]


async def _fates(database: asyncpg.Connection) -> dict[str, int]:
    """How many were answered in which way, and how many letters there are of each fate."""
    found: Counter[str] = Counter()
    for service in SERVICES:
        rows = await database.fetch(
            f"select split_part(type, '.', 3) as fate, count(*) from {service}.event"
            " where type like any($1) group by 1"
            f" union all select fate, count(*) from {service}.dead_letter group by 1",
            ["liaison.request.re%", "liaison.command.%"],
        )
        for row in rows:
            found[row["fate"]] += row["count"]
    return dict(sorted(found.items()))


async def _raised(database: asyncpg.Connection) -> list[tuple[str, str]]:
    """Why handlers raised over what strangers may send: a fault of ours, whatever it was."""
    return [
        tuple(row)
        for service in SERVICES
        for row in await database.fetch(
            f"select topic, reason from {service}.dead_letter"
            " where fate = 'failed' and topic = any($1)",
            [topics.SUBMISSIONS, topics.COMMANDS],
        )
    ]


async def _restarts(stack: Stack) -> dict[str, float]:
    """How often a task of each service was begun again."""
    async with httpx.AsyncClient() as client:
        shown = {
            name: await client.get(f"http://127.0.0.1:{process.port}/metrics")
            for name, process in stack.processes.items()
        }
    return {
        name: sum(float(number) for number in RESTARTS.findall(answer.text))
        for name, answer in shown.items()
    }
