"""Many act at once, at random from a printed seed; afterwards nobody is forgotten and every count is right."""

import asyncio
import random
from datetime import timedelta

import pytest

from services.routing.domain.answers import Declination
from services.routing.domain.moment import Acting
from services.routing.handlers.commands.answers import Answering, accept_offer, decline_offer
from services.routing.handlers.commands.rulings import GivenRuling, rule_objection
from services.routing.store.directory.entries import LiaisonEntry
from shared.contracts.events.matters import MatterClosed, MatterMerged, MatterUnmerged
from shared.contracts.vocabulary import DeclineReason, MatterState, Outcome, Role, Ruling
from tests.integration.routing.conftest import Routing
from tests.integration.routing.samples import (
    MONDAY,
    RESIDENT,
    be_away,
    changed,
    enterprise,
    put_liaison,
    registered,
    reopened,
    withdrawn,
)

COORDINATOR = Acting(Role.COORDINATOR, "C001")
STEPS = 60
WORKERS = 6

LOADS = """
select queue.party from queue
left join (select party, count(*) as held from offer where holding group by party) as counted
     on counted.party = queue.party
where queue.load <> coalesce(counted.held, 0)"""
FORGOTTEN = """
select id from matter
where standing <> 'ended'
  and not exists (select 1 from offer where offer.matter_id = matter.id and holding)
  and not exists (select 1 from objection where objection.matter_id = matter.id and state = 'open')"""
MISLAID = """
select id from matter where standing in ('offered', 'taken') and not exists (
    select 1 from offer where offer.id = matter.offer_id and holding and offer.matter_id = matter.id
      and offer.state = case matter.standing when 'offered' then 'offered' else 'accepted' end)"""
GAPS_IN_FEEDS = """
select queue.party from queue left join feed on feed.party = queue.party
group by queue.party, queue.position
having count(feed.position) <> queue.position or coalesce(max(feed.position), 0) <> queue.position"""
GAPS_IN_EVENTS = """
select subject from event group by subject having max(version) <> count(*)"""
VERSIONS = """
select matter.id from matter
where version <> (select count(*) from event where event.subject = matter.id::text)"""


class Crowd:
    """Workers who do what people, other services and the clock do, on whatever there is."""

    def __init__(self, routing: Routing, seed: int) -> None:
        self.routing = routing
        self.random = random.Random(seed)  # noqa: S311 - repeatable
        self.matters: list[str] = []
        self.at = MONDAY

    async def work(self) -> None:
        steps = (
            [self.register] * 4 + [self.accept] * 3 + [self.decline] * 3 + [self.rule] * 2
            + [self.sweep] * 2 + [self.close, self.reopen, self.withdraw, self.merge, self.leave]
        )  # fmt: skip
        for _ in range(STEPS):
            step = self.random.choice(steps)
            await step()

    async def register(self) -> None:
        requests = [
            registered(requester=self.random.choice([enterprise(1), enterprise(2), RESIDENT]))
            for _ in range(self.random.randint(1, 6))
        ]
        await self.routing.take_requests(*requests, at=self.at)
        self.matters += [request.subject for request in requests]

    async def offer(self) -> str | None:
        rows = await self.routing.rows("select id from offer where state = 'offered' limit 50")
        return str(self.random.choice(rows)["id"]) if rows else None

    async def accept(self) -> None:
        if offer_id := await self.offer():
            async with self.routing.db.transaction() as conn:
                answering = Answering(offer_id, COORDINATOR)
                await accept_offer(conn, self.routing.office, answering, self.at)

    async def decline(self) -> None:
        if offer_id := await self.offer():
            owner = self.random.choice([None, "L001", "L003", "D-FIRE", "DESK"])
            wish = Declination(DeclineReason.OTHER, owner)
            async with self.routing.db.transaction() as conn:
                answering = Answering(offer_id, COORDINATOR)
                await decline_offer(conn, self.routing.office, answering, wish, self.at)

    async def rule(self) -> None:
        rows = await self.routing.rows("select id from objection where state = 'open'")
        if rows:
            objection_id = str(self.random.choice(rows)["id"])
            given = GivenRuling(objection_id, self.random.choice(list(Ruling)), COORDINATOR)
            async with self.routing.db.transaction() as conn:
                await rule_objection(conn, self.routing.office, given, self.at)

    async def sweep(self) -> None:
        self.at += timedelta(minutes=self.random.randint(1, 40))
        await self.routing.sweep(self.at, limit=self.random.randint(1, 20))
        await self.routing.begin_absences(self.at)

    def some(self) -> list[str]:
        count = min(len(self.matters), self.random.randint(1, 5))
        return self.random.sample(self.matters, count)

    async def close(self) -> None:
        end = {"outcome": Outcome.RESOLVED}
        await self.routing.take_matters(
            *(changed(MatterClosed, one, MatterState.CLOSED, **end) for one in self.some()),
            at=self.at,
        )

    async def reopen(self) -> None:
        await self.routing.take_matters(
            *(reopened(one, self.random.randint(2, 5)) for one in self.some()), at=self.at
        )

    async def withdraw(self) -> None:
        await self.routing.take_matters(*map(withdrawn, self.some()[:2]), at=self.at)

    async def merge(self) -> None:
        for one in self.some():
            merge = {"into": "x", "reason": "重复"}
            await self.routing.take_matters(
                changed(MatterMerged, one, MatterState.MERGED, **merge), at=self.at
            )
            undo = {"out_of": "x", "reason": "误并"}
            await self.routing.take_matters(
                changed(MatterUnmerged, one, MatterState.IN_PROGRESS, **undo), at=self.at
            )

    async def leave(self) -> None:
        liaison = self.random.choice(["L001", "L002", "L003"])
        until = self.at + timedelta(minutes=self.random.randint(10, 90))
        deputy = self.random.choice([None, "L003" if liaison != "L003" else "L001"])
        await be_away(self.routing.db, liaison, self.at, until, deputy)
        await self.routing.begin_absences(self.at)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_whatever_is_done_at_once_every_count_is_right(routing: Routing, seed: int):
    async with routing.db.transaction() as conn:
        for number in (1, 2, 3):
            entry = LiaisonEntry(f"L00{number}", "某", "D-ROAD", 15)
            await put_liaison(conn, entry)
    crowd = Crowd(routing, seed)
    await asyncio.gather(*(crowd.work() for _ in range(WORKERS)))
    for name, statement in (
        ("loads", LOADS), ("forgotten", FORGOTTEN), ("mislaid", MISLAID),
        ("gaps in feeds", GAPS_IN_FEEDS), ("gaps in events", GAPS_IN_EVENTS),
        ("versions", VERSIONS),
    ):  # fmt: skip
        assert (name, await routing.rows(statement)) == (name, [])
    causes = {row["cause"] for row in await routing.rows("select distinct cause from offer")}
    assert causes >= {
        "registered",
        "declined",
        "timed_out",
        "upheld",
        "overruled",
        "liaison_absent",
    }


async def test_a_capacity_is_not_given_away_twice_by_batches_at_once(routing: Routing):
    async with routing.db.transaction() as conn:
        await put_liaison(conn, LiaisonEntry("L001", "甲", "D-ROAD", 7))
    await asyncio.gather(
        *(routing.take_requests(*(registered() for _ in range(3))) for _ in range(8))
    )
    assert await routing.load("L001") == 7
