"""A backup under load: what it has is consistent, and all goes on from it, with nothing lost or doubled."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient

from deploy.jobs.topics import ensure_topics
from deploy.local.embedded.postgres import Postgres
from deploy.operations.backups.freshness import OURS
from shared.contracts import topics
from shared.delivery.kafka.address import KafkaAddress
from tests.conftest import fresh_database
from tests.faults import queries
from tests.flow.commands import Operator
from tests.flow.processes import Stack
from tests.flow.test_to_its_end import settled_at_once
from tests.flow.town import Town

EVENTS = (topics.REQUESTS, topics.ASSIGNMENTS, topics.MATTERS)
WRITERS = 6


class Load:
    """Requests by HTTP and by Kafka without a pause, and what became of each."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self.acked: dict[tuple[str, str], UUID] = {}
        self.sent: list[tuple[str, str]] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Load":
        works = [self._post() for _ in range(WRITERS)] + [self._send()]
        self.tasks = [asyncio.create_task(work) for work in works]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self.tasks:
            task.cancel()
        results = await asyncio.gather(*self.tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results), results

    async def _post(self) -> None:
        while True:
            submission = self._town.submission()
            answer = await self._town.post(submission)
            assert answer.status_code == 202, answer.text
            self.acked[name_of(submission)] = UUID(answer.json()["request_id"])

    async def _send(self) -> None:
        while True:
            submission = self._town.submission()
            await self._town.send_submission(submission)
            self.sent.append(name_of(submission))
            await asyncio.sleep(0.02)

    async def more(self, count: int) -> None:
        """Wait until so many more have been answered, and some more been sent."""
        acked, sent = len(self.acked), len(self.sent)
        async with asyncio.timeout(60):
            while len(self.acked) < acked + count or len(self.sent) < sent + count // 4:
                await asyncio.sleep(0.02)


def name_of(submission: dict[str, Any]) -> tuple[str, str]:
    return submission["source"], submission["source_ref"]


@pytest.fixture
async def empty_url(postgres_server: Postgres) -> AsyncIterator[str]:
    async for url in fresh_database(postgres_server, "template1"):
        yield url


async def forget_topics(kafka: str, prefix: str) -> None:
    """Kafka loses what the services wrote, and keeps what others did."""
    names = {prefix + name for name in OURS}
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.delete_topics(sorted(names))
    async with asyncio.timeout(30):
        while names & set(await admin.list_topics()):
            await asyncio.sleep(0.05)
    await admin.close()


@pytest.mark.timeout(300)
async def test_everything_goes_on_from_a_backup_that_was_taken_under_load(
    town: Town, stack: Stack, kafka: str, kafka_prefix: str, empty_url: str, tmp_path: Path
) -> None:
    environment = stack.processes["intake"].environment
    operator, file = Operator(environment, tmp_path / "data"), tmp_path / "town.zip"
    first = (await town.post(town.submission())).json()["request_id"]
    await settled_at_once(town, first)
    async with Load(town) as load:
        await load.more(60)
        before = dict(load.acked)
        said = await operator.run("backup", str(file))
        await load.more(40)
    assert "Last event numbers" in said
    stack.stop()
    await forget_topics(kafka, kafka_prefix)
    said = await operator.run("restore", str(file), LIAISON_DATABASE_URL=empty_url)
    assert "liaison.submissions" in said
    await ensure_topics(KafkaAddress(kafka, kafka_prefix), partitions=3)
    again = Stack({**environment, "LIAISON_DATABASE_URL": empty_url}, tmp_path)
    try:
        await again.start()
        async with Town(again, kafka, kafka_prefix) as there:
            ids = [UUID(first), *await found(empty_url, before, load.sent)]
            await current(there, empty_url, ids)
            await assert_whole(empty_url, ids)
            await assert_told(kafka, kafka_prefix, empty_url)
            assert (await there.in_state(first, "closed"))["version"] > 1
            await settled_at_once(there, str(ids[1]))
            await there.in_state(str(ids[1]), "closed")
    finally:
        again.stop()


async def found(
    url: str, before: dict[tuple[str, str], UUID], sent: list[tuple[str, str]]
) -> list[UUID]:
    """All that must be there: what was acknowledged before the backup, and whatever Kafka was sent."""
    conn = await asyncpg.connect(url)
    try:
        assert await queries.find_requests(conn, list(before)) == list(before.values())

        async def look() -> list[UUID | None]:
            return await queries.find_requests(conn, sent)

        arrived = await Town.until(look, lambda ids: ids if all(ids) else None)
    finally:
        await conn.close()
    return [*before.values(), *arrived]


async def current(town: Town, url: str, ids: list[UUID]) -> None:
    """Wait until every service has taken in every event of the others."""
    conn = await asyncpg.connect(url)

    async def behind() -> int:
        left = [await conn.fetchval(query, 0) for query in queries.NOT_TAKEN.values()]
        return sum(left) + await queries.not_current(conn, ids)

    try:
        await town.until(behind, lambda left: left == 0)
    finally:
        await conn.close()


async def assert_whole(url: str, ids: list[UUID]) -> None:
    conn = await asyncpg.connect(url)
    wrong = {}
    try:
        for what, query in queries.LOST.items():
            wrong[what] = await conn.fetchval(query, ids)
        for what, query in (queries.DOUBLED | queries.STUCK).items():
            wrong[what] = await conn.fetchval(query)
        wrong["gaps"] = await queries.gaps(conn)
        letters = await queries.letters(conn, "none")
    finally:
        await conn.close()
    assert {what: count for what, count in wrong.items() if count} == {}
    assert letters == []


async def assert_told(kafka: str, prefix: str, url: str) -> None:
    """Kafka has every event once or more, each subject's in the order of its versions."""
    conn = await asyncpg.connect(url)
    try:
        rows = await conn.fetch(
            " union all ".join(
                f"select '{service}' as service, id, subject, version from {service}.event"
                f" where topic like 'liaison.%' and topic = any($1)"
                for service in queries.SERVICES
            ),
            list(EVENTS),
        )
    finally:
        await conn.close()
    wanted = {str(row["id"]): (row["subject"], row["version"]) for row in rows}
    heard: dict[tuple[str, str], list[int]] = defaultdict(list)
    missing = set(wanted)
    consumer = AIOKafkaConsumer(
        *(prefix + name for name in EVENTS), bootstrap_servers=kafka, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        async with asyncio.timeout(60):
            while missing:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    for record in records:
                        headers = {name: value.decode() for name, value in record.headers}
                        assert headers["ce_id"] in wanted, "an event that nobody recorded"
                        place = (record.topic, headers["ce_subject"])
                        if headers["ce_id"] in missing:
                            heard[place].append(int(headers["ce_sequence"]))
                        missing.discard(headers["ce_id"])
    finally:
        await consumer.stop()
    assert all(versions == list(range(1, len(versions) + 1)) for versions in heard.values())
