"""What one service knows wrongly of a matter is found and mended by itself, while the services work."""

import asyncio
import json
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaProducer

from deploy.operations.reconciliation.comparing import disagreements
from shared.contracts import topics
from shared.delivery.cloudevents import Recorded, headers_of
from shared.runtime.ids import new_id
from tests.flow.processes import Stack
from tests.flow.test_to_its_end import settled_at_once
from tests.flow.town import Town

pytestmark = pytest.mark.timeout(300)

MINUTES = "0.01"
RECORDED = "select coalesce(max(version), 0) from followup.event where subject = $1"
MENDED = """
select (select count(*) from routing.correction)
     + (select count(*) from followup.disagreement where gone_at is null)"""
LOADS = "select party, load from routing.queue order by party"
READ_MODELS = (
    "select state, round, owner_id, next_due_at from intake.progress where request_id = $1",
    "select type, words from intake.timeline where request_id = $1 order by version",
    "select round, attempt, standing, offer_id, owner_id, due_at, summary, category, dispatched::jsonb, park, tier"
    " from routing.matter where id = $1",
    "select party, state, holding from routing.offer where matter_id = $1 order by round, attempt",
)


@pytest.fixture
def url(stack: Stack) -> str:
    return stack.processes["intake"].environment["LIAISON_DATABASE_URL"]


@pytest.fixture
async def database(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.fixture
def reconciling(stack: Stack, tmp_path: Path) -> Iterator[Path]:
    """The reconciliation at work, every 0.6 s; its log."""
    log = tmp_path / "reconcile.log"
    environment = os.environ | dict(stack.processes["intake"].environment)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.operations.reconciliation.reconciler"],
            env=environment | {"LIAISON_RECONCILE_MINUTES": MINUTES},
            stdout=output,
            stderr=output,
        )
    yield log
    assert process.poll() is None, log.read_text()
    process.terminate()
    process.wait(10)


class Forger:
    """Somebody who may write to any topic."""

    def __init__(self, kafka: str, prefix: str) -> None:
        self._producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all")
        self._prefix = prefix

    async def __aenter__(self) -> "Forger":
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    async def closes(self, matter_id: str, version: int) -> None:
        """A `matter.closed` that followup never said."""
        said = {
            "actor": {"role": "coordinator", "party": "C002"},
            "matter_id": matter_id,
            "state": "closed",
            "round": 1,
            "outcome": "resolved",
        }
        row = Recorded(
            seq=0,
            id=UUID(new_id()),
            subject=matter_id,
            version=version,
            type="liaison.matter.closed.v1",
            topic=topics.MATTERS,
            at=datetime.now(UTC),
            causation_id=None,
            traceparent=None,
            data=json.dumps(said),
        )
        await self._producer.send_and_wait(
            self._prefix + topics.MATTERS,
            row.data.encode(),
            key=matter_id.encode(),
            headers=headers_of(row, "urn:liaison:followup"),
        )


@pytest.fixture
async def forger(kafka: str, kafka_prefix: str) -> AsyncIterator[Forger]:
    async with Forger(kafka, kafka_prefix) as forger:
        yield forger


async def taken(town: Town) -> tuple[str, str]:
    """A matter at work, and where its receipt is shown."""
    posted = (await town.post(town.submission())).json()
    matter = posted["request_id"]
    offer = await town.offered(matter)
    await town.do("L001", "POST", f"/routing/offers/{offer}/accept", {})
    await town.in_state(matter, "in_progress")
    await shows(town, posted["status_url"], "in_progress")
    return matter, posted["status_url"]


async def shows(town: Town, receipt: str, state: str) -> None:
    await town.until(lambda: town.get("nobody", receipt), lambda now: now["state"] == state)


async def alarmed(stack: Stack, log: Path) -> None:
    """Both the log and the figures say it."""
    async with asyncio.timeout(60), httpx.AsyncClient() as client:
        while True:
            said = (await client.get(stack.origin("/followup/") + "/metrics")).text
            lines = [line for line in said.splitlines() if line.startswith("liaison_disagree")]
            if sum(float(line.rpartition(" ")[2]) for line in lines) > 0:
                break
            await asyncio.sleep(0.2)
    assert "liaison_reconciled_timestamp_seconds" in said
    assert "reconcile.disagrees" in await asyncio.to_thread(log.read_text)


async def agreed(url: str) -> None:
    async with asyncio.timeout(60):
        while await disagreements(url):
            await asyncio.sleep(0.2)


async def test_case_90_a_forged_closing_of_a_matter_at_work_is_found_and_mended(
    town: Town,
    stack: Stack,
    url: str,
    database: asyncpg.Connection,
    reconciling: Path,
    forger: Forger,
) -> None:
    matter, receipt = await taken(town)
    await forger.closes(matter, await database.fetchval(RECORDED, matter) + 1)
    await town.until(
        lambda: database.fetchval("select looks from followup.disagreement"), lambda looks: looks
    )
    await alarmed(stack, reconciling)
    await agreed(url)
    await shows(town, receipt, "in_progress")
    await town.until(lambda: database.fetchval(MENDED), lambda count: count == 0)
    holding = "select party from routing.offer where matter_id = $1 and holding"
    assert await database.fetchval(holding, UUID(matter)) == "L001"
    assert await database.fetchval("select load from routing.queue where party = 'L001'") == 1
    await town.step("L001", matter, "first-contact", note="已电话联系")
    await town.step("L001", matter, "handle", outcome="resolved", answer="已疏通", path="instant")
    await shows(town, receipt, "handled")
    await town.step("C002", matter, "return-visit", reached=True, solved=True, satisfaction=5)
    await town.step("C002", matter, "close")
    await shows(town, receipt, "closed")
    assert await disagreements(url) == []
    assert await database.fetchval("select count(*) from intake.dead_letter") == 0
    standing = "select standing from routing.matter where id = $1"
    await town.until(
        lambda: database.fetchval(standing, UUID(matter)), lambda found: found == "ended"
    )


async def test_case_90_a_forged_closing_of_a_matter_that_is_offered_has_it_offered_again(
    town: Town, url: str, database: asyncpg.Connection, reconciling: Path, forger: Forger
) -> None:
    posted = (await town.post(town.submission())).json()
    matter = posted["request_id"]
    first = await town.offered(matter)
    await forger.closes(matter, await database.fetchval(RECORDED, matter) + 1)
    state = "select state from routing.offer where id = $1"
    await town.until(
        lambda: database.fetchval(state, UUID(first)), lambda found: found == "rescinded"
    )
    second = "select count(*) from routing.offer where matter_id = $1"
    await town.until(lambda: database.fetchval(second, UUID(matter)), lambda count: count == 2)
    await town.in_state(matter, "offered")
    await settled_at_once(town, matter)
    await shows(town, posted["status_url"], "closed")
    await agreed(url)


async def test_case_90_the_owners_own_event_that_came_second_is_applied_after_all(
    town: Town, url: str, database: asyncpg.Connection, reconciling: Path, forger: Forger
) -> None:
    matter, receipt = await taken(town)
    await forger.closes(matter, await database.fetchval(RECORDED, matter) + 1)
    await shows(town, receipt, "closed")
    await town.step("L001", matter, "first-contact", note="已电话联系")
    await town.step("L001", matter, "feedback", text="明天疏通")
    await shows(town, receipt, "in_progress")
    await agreed(url)
    waiting = "select count(*) from intake.dead_letter where state = 'waiting'"
    await town.until(lambda: database.fetchval(waiting), lambda count: count == 0)
    timeline = (
        "select count(*) from intake.timeline where request_id = $1 and type = 'matter.closed'"
    )
    assert await database.fetchval(timeline, UUID(matter)) == 0


CORRUPTIONS = (
    "delete from intake.progress where request_id = $1",
    "update intake.progress set state = 'shelved' where request_id = $1",
    "update intake.progress set round = round + 1 where request_id = $1",
    "update intake.progress set owner_id = 'L002' where request_id = $1 and state = 'in_progress'",
    "update intake.seen set version = version + 3 where subject = $1::uuid::text",
    "delete from routing.matter where id = $1",
    "update routing.matter set standing = 'ended', offer_id = null, due_at = null"
    " where id = $1 and standing <> 'ended'",
    "update routing.matter set owner_id = 'L002' where id = $1 and standing = 'taken'",
    "update routing.matter set round = round + 1 where id = $1 and standing <> 'ended'",
    "update routing.matter set version = version + 2 where id = $1",
    "update routing.matter set offer_id = uuidv7() where id = $1 and standing = 'offered'",
    "update routing.seen set version = version + 1 where subject = $1::uuid::text and topic = 'liaison.matters'",
)


async def read_models(database: asyncpg.Connection, matters: list[str]) -> list[object]:
    return [
        [tuple(row) for row in await database.fetch(statement, UUID(matter))]
        for matter in matters
        for statement in READ_MODELS
    ]


async def test_case_90_whatever_is_changed_by_hand_in_one_read_model_is_mended(
    town: Town, url: str, database: asyncpg.Connection, reconciling: Path
) -> None:
    """Each change to one of several matters, drawn by chance, is mended; the others stay as they were."""
    at_work = [(await taken(town))[0] for _ in range(2)]
    offered = [(await town.post(town.submission())).json()["request_id"] for _ in range(2)]
    for matter in offered:
        await town.offered(matter)
    closed = (await town.post(town.submission())).json()
    await settled_at_once(town, closed["request_id"])
    await shows(town, closed["status_url"], "closed")
    matters = [*at_work, *offered, closed["request_id"]]
    chance = random.Random(90)  # noqa: S311 - the same changes in each run
    await town.until(lambda: disagreements(url), lambda found: not found)
    truth, loads = await read_models(database, matters), await database.fetch(LOADS)
    changed = 0
    for statement in CORRUPTIONS:
        for matter in chance.sample(matters, 2):
            done = await database.execute(statement, UUID(matter))
            changed += not done.endswith(" 0")

            async def look() -> list[object]:
                return [] if await disagreements(url) else await read_models(database, matters)

            await town.until(look, lambda now: now == truth)
    assert changed > 12
    ordered = "select count(*) from routing.correction"
    await town.until(lambda: database.fetchval(ordered), lambda count: count == 0)
    assert await read_models(database, matters) == truth
    assert await database.fetch(LOADS) == loads
    for matter in at_work:
        await town.step("L001", matter, "first-contact", note="已电话联系")
