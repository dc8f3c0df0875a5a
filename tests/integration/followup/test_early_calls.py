"""Calls that come before their matter: how often they ask the database, and how long they wait."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

import pytest

from services.followup.api import patience, steps
from services.followup.api.patience import LOOK_SECONDS
from services.followup.handlers import news
from shared.auth.tokens import Principal, Tokens
from shared.contracts import topics
from shared.contracts.vocabulary import Role
from shared.delivery.cloudevents import Raw
from shared.delivery.commands.consumer import Commands, ServedSteps
from shared.runtime.database import Database
from shared.runtime.ids import new_id
from tests.integration.followup.conftest import Api, Followup
from tests.integration.followup.samples import accepted, new_matter, offered, registered

LONGEST = LOOK_SECONDS[-1]


class Counted:
    """What a database did: write transactions, reads, and how many connections were in use at once."""

    def __init__(self) -> None:
        self.transactions = self.reads = 0
        self.in_use = 0


@contextmanager
def counting(db: Database) -> Iterator[Counted]:
    """Counts the transactions and single reads of `db` while the block runs."""
    counted = Counted()
    transaction, reading = db.transaction, db.reading

    @asynccontextmanager
    async def counted_transaction() -> AsyncIterator[object]:
        counted.transactions += 1
        counted.reads -= 1
        async with transaction() as conn:
            yield conn

    @asynccontextmanager
    async def counted_reading() -> AsyncIterator[object]:
        counted.reads += 1
        async with reading() as conn:
            counted.in_use += 1
            try:
                yield conn
            finally:
                counted.in_use -= 1

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(db, "transaction", counted_transaction)
        patched.setattr(db, "reading", counted_reading)
        yield counted


async def test_case_94_a_refused_step_on_a_young_id_is_one_transaction_and_a_bounded_wait(
    followup: Followup, api: Api
) -> None:
    begun = time.monotonic()
    with counting(followup.db) as counted:
        refused = await api.refused(f"{new_matter()}/first-contact", "L001")
    assert refused["code"] == "matter_not_found"
    assert time.monotonic() - begun > LONGEST - 0.1
    assert (counted.transactions, counted.reads) == (1, len(LOOK_SECONDS))


async def test_case_94_a_matter_before_its_acceptance_costs_no_more(
    followup: Followup, api: Api
) -> None:
    matter = new_matter()
    await followup.take(registered(matter))
    with counting(followup.db) as counted:
        refused = await api.refused(f"{matter}/first-contact", "C001")
    assert refused["status"] == 409
    assert (counted.transactions, counted.reads) == (1, len(LOOK_SECONDS))


@pytest.mark.parametrize(
    "unknown",
    [
        "01900000-0000-7000-8000-000000000000",
        "ffffffff-ffff-7fff-bfff-ffffffffffff",
        "0cfd15b4-b000-7000-8000-000000000000",
        "e5b1a7e0-0000-4000-8000-000000000000",
    ],
)
async def test_case_94_an_id_that_is_not_young_is_looked_for_once(
    followup: Followup, api: Api, unknown: str
) -> None:
    with counting(followup.db) as counted:
        assert (await api.refused(f"{unknown}/first-contact", "L001"))["status"] == 404
        assert (await api.get(f"/matters/{unknown}", "L001")).status_code == 404
    assert (counted.transactions, counted.reads) == (1, 1)


async def test_case_94_a_command_for_a_young_id_is_one_transaction(
    followup: Followup, api: Api
) -> None:
    class Speakers(Tokens):
        def speaker(self, source: str, party: str | None) -> Principal | None:
            return Principal(Role.LIAISON, party or "")

    served = ServedSteps(steps.COMMANDS, api.app.state.edge, Speakers(None))
    commands = Commands(followup.db, "followup", served, followup.clock)
    kind = "liaison.matter.contact.v1"
    matter = new_matter()
    headers = {"ce_id": new_id(), "ce_source": "urn:a", "ce_type": kind, "ce_subject": matter}
    raw = Raw(
        topics.COMMANDS,
        0,
        1,
        matter.encode(),
        b'{"party": "L001"}',
        tuple((name, value.encode()) for name, value in headers.items()),
    )
    begun = time.monotonic()
    with counting(followup.db) as counted:
        await commands.process([raw])
    assert time.monotonic() - begun > LONGEST - 0.1
    # One attempt, one for the reply.
    assert (counted.transactions, counted.reads) == (2, len(LOOK_SECONDS))
    (reply,) = await followup.rows("select type, data from event where type like '%refused%'")
    assert "matter_not_found" in reply["data"]


async def test_what_comes_wakes_the_call_at_once_though_another_commit_does_not(
    followup: Followup, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No look of its own comes within the test's limits, so that only news can wake the call.
    monkeypatch.setattr(patience, "LOOK_SECONDS", (100.0,))
    matter, other = new_matter(), new_matter()
    with counting(followup.db) as counted:
        step = asyncio.create_task(api.post(f"{matter}/first-contact", "L001", {}))
        async with asyncio.timeout(20):
            while not followup.news._awaited:
                await asyncio.sleep(0.01)
        before = counted.transactions
        assert counted.in_use == 0
        await followup.take(registered(other))
        await asyncio.sleep(0.05)
        assert counted.transactions == before + 1
        await followup.take(registered(matter), offered(matter), accepted(matter))
        async with asyncio.timeout(20):
            assert (await step).status_code == 200


async def test_what_another_replica_brings_is_found(followup: Followup, api: Api) -> None:
    matter = new_matter()
    look = asyncio.create_task(api.get(f"/matters/{matter}", "L001"))
    step = asyncio.create_task(api.post(f"{matter}/first-contact", "L001", {}))
    await asyncio.sleep(LOOK_SECONDS[0] + 0.1)
    elsewhere = Followup(followup.db)
    await elsewhere.take(registered(matter), offered(matter), accepted(matter))
    assert (await step).status_code == 200
    assert (await look).status_code == 200


async def test_case_94_no_more_wait_than_there_are_places(
    followup: Followup, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followup.news, "_most_waiting", 5)
    ids = [new_matter() for _ in range(20)]

    async def refused(matter: str) -> None:
        assert (await api.refused(f"{matter}/first-contact", "L001"))["status"] == 404

    with counting(followup.db) as counted:
        await asyncio.gather(*(refused(each) for each in ids))
    assert (counted.transactions, counted.reads) == (len(ids), 5 * len(LOOK_SECONDS))
    assert not followup.news._awaited


async def test_news_is_remembered_for_so_many_matters() -> None:
    known = news.MatterNews()
    ids = [str(UUID(int=number)) for number in range(news.MOST_REMEMBERED + 10)]
    for each in ids:
        known.note([each])
        known.publish()
    assert await known.wait(ids[-1], 0, 0)
    assert not await known.wait(ids[0], 0, 0)
    assert not await known.wait(ids[-1], known.count, 0)
    assert len(known._latest) == news.MOST_REMEMBERED
