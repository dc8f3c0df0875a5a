"""Routing and followup hear of each other late and in any order; afterwards they agree, and nobody is forgotten."""

import random
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from services.followup.domain.moment import ActingParty
from services.followup.domain.steps import links, resolution, work
from services.followup.handlers import steps
from services.followup.handlers.steps import Call, Done, StepOutcome
from shared.contracts import topics
from shared.contracts.events.published import EVENTS
from shared.contracts.events.requests import RequestWithdrawn
from shared.contracts.vocabulary import Outcome as Result
from shared.contracts.vocabulary import Path, ReopenCause, Role
from shared.delivery.cloudevents import Message
from shared.runtime.database import Connection, open_database
from tests.integration.followup.conftest import Followup
from tests.integration.followup.samples import OFFICE
from tests.integration.routing.answering import C001, accept, decline
from tests.integration.routing.conftest import Routing
from tests.integration.routing.samples import MONDAY, REQUESTER, message, registered
from tests.integration.routing.test_invariants import FORGOTTEN, LOADS, MISLAID

STEPS = 120
ENDED = {"handled", "closed", "merged", "rejected", "withdrawn"}
READERS = {
    topics.REQUESTS: ("followup", "routing"),
    topics.ASSIGNMENTS: ("followup",),
    topics.MATTERS: ("routing",),
}
RECORDED = "select seq, subject, version, type, data from event where seq > $1 order by seq"


class Town:
    """Both services on one database, and between them what is recorded and not yet delivered, in order by matter."""

    def __init__(self, routing: Routing, followup: Followup, seed: int) -> None:
        self.routing, self.followup = routing, followup
        self.chance = random.Random(seed)  # noqa: S311 - repeatable
        self.matters: list[str] = []
        self._under_way: dict[tuple[str, str, str], deque[Message]] = defaultdict(deque)
        self._read = {"routing": 0, "followup": 0}

    def send(self, sent: Message) -> None:
        for reader in READERS[sent.event.TOPIC]:
            self._under_way[reader, sent.event.TOPIC, sent.subject].append(sent)

    async def collect(self) -> None:
        """Send what the services recorded since the last time."""
        for name, service in (("routing", self.routing), ("followup", self.followup)):
            for row in await service.rows(RECORDED, self._read[name]):
                event = EVENTS[row["type"]].model_validate_json(row["data"])
                self._read[name] = row["seq"]
                if event.TOPIC in READERS:
                    self.send(message(event, row["subject"], row["version"]))

    async def deliver(self) -> bool:
        """Deliver the next message of one matter and topic, drawn by chance; whether there was one."""
        await self.collect()
        waiting = sorted(place for place, queue in self._under_way.items() if queue)
        for place in self.chance.sample(waiting, len(waiting)):
            queue = self._under_way[place]
            if not await self._takes(place)(queue[0]):
                queue.popleft()
                return True
        return False

    def _takes(self, place: tuple[str, str, str]) -> Callable[[Message], Awaitable[object]]:
        reader, topic, _ = place
        if reader == "followup":
            return self.followup.take
        return self.routing.take_requests if topic == topics.REQUESTS else self.routing.take_matters

    async def step(self, work_: Callable[[Connection], Awaitable[StepOutcome]]) -> bool:
        async with self.followup.db.transaction() as conn:
            return isinstance(await work_(conn), Done)


class Play:
    """What people do, each step on a matter drawn by chance; a refusal is no fault."""

    def __init__(self, town: Town) -> None:
        self.town, self.chance = town, town.chance
        self.steps = (
            [self.accept] * 5 + [self.handle] * 2 + [self.merge] * 4 + [self.unmerge] * 4
            + [self.decline, self.feedback, self.visit, self.reopen, self.withdraw, self.reject]
        )  # fmt: skip

    async def act(self) -> None:
        if len(self.town.matters) < 6:
            request = registered()
            self.town.matters.append(request.subject)
            self.town.send(request)
        await self.chance.choice(self.steps)(self.chance.choice(self.town.matters))

    def by(self, who: str = "C001") -> Call:
        return Call(ActingParty(Role.COORDINATOR, who), lambda: MONDAY)

    async def _answer(self, matter_id: str, answer) -> None:
        offers = [each for each in await self.town.routing.offers(matter_id) if each["holding"]]
        if offers:
            await answer(self.town.routing, offers[0]["id"], acting=C001)

    async def accept(self, matter_id: str) -> None:
        await self._answer(matter_id, accept)

    async def decline(self, matter_id: str) -> None:
        await self._answer(matter_id, decline)

    async def _take(self, matter_id: str, decide) -> bool:
        return await self.town.step(
            lambda conn: steps.perform_step(conn, OFFICE, UUID(matter_id), self.by(), decide)
        )

    async def feedback(self, matter_id: str) -> None:
        await self._take(matter_id, lambda m, at: work.feedback(m, work.Feedback("在办"), at))

    async def handle(self, matter_id: str) -> None:
        step = resolution.Handle(Result.RESOLVED, "已疏通", Path.INSTANT)
        await self._take(matter_id, lambda m, at: resolution.handle(m, step, at))

    async def reopen(self, matter_id: str) -> None:
        step = resolution.Reopen(ReopenCause.NOT_SOLVED, "仍不通")
        await self._take(matter_id, lambda m, at: resolution.reopen(m, step, at))

    async def visit(self, matter_id: str) -> None:
        content = self.chance.random() < 0.3
        step = resolution.ReturnVisit(True, True, content, 5 if content else 1)
        await self.town.step(
            lambda conn: steps.independent_step(
                conn, OFFICE, UUID(matter_id), self.by("C002"), step
            )
        )

    async def reject(self, matter_id: str) -> None:
        if self.chance.random() < 0.3:
            step = resolution.Reject("不归我们管", "法院")
            await self.town.step(
                lambda conn: steps.reject(conn, OFFICE, UUID(matter_id), self.by("C002"), step)
            )

    async def merge(self, matter_id: str) -> None:
        ids = (UUID(matter_id), UUID(self.chance.choice(self.town.matters)))
        merged = await self.town.step(
            lambda conn: steps.merge(conn, OFFICE, ids, self.by(), "同一问题")
        )
        if merged and self.chance.random() < 0.5:
            # At once, while routing's answers are on their way.
            await self.accept(matter_id)
            await self.unmerge(matter_id)

    async def unmerge(self, matter_id: str) -> None:
        await self._take(matter_id, lambda m, at: links.unmerge(m, links.Unmerge("并错了"), at))

    async def withdraw(self, matter_id: str) -> None:
        if self.chance.random() < 0.6:
            holder = self.chance.choice([(), ("L001",), ("C001",)])
            said = RequestWithdrawn(actor=REQUESTER, matter_id=matter_id, issued_to=holder)
            self.town.send(message(said, matter_id, 2))


@pytest.mark.parametrize("seed", range(8))
async def test_case_81_90_the_services_agree_when_all_is_delivered(
    routing: Routing, database_url: str, seed: int
):
    database = await open_database(database_url, "followup")
    town = Town(routing, Followup(database), seed)
    play = Play(town)
    for _ in range(STEPS):
        await play.act()
        for _ in range(town.chance.choice((0, 0, 1, 2, 8))):
            await town.deliver()
    while await town.deliver():
        pass
    for matter_id in town.matters:
        await agree(town, matter_id)
    for statement in (FORGOTTEN, LOADS, MISLAID):
        assert not await routing.rows(statement)
    await database.close()


async def agree(town: Town, matter_id: str) -> None:
    ours = await town.followup.matter(matter_id)
    (theirs,) = await town.routing.rows("select * from matter where id = $1::uuid", matter_id)
    seen = (matter_id, ours["state"], theirs["standing"], await town.followup.said(matter_id))
    assert theirs["round"] == ours["round"], seen
    assert (theirs["standing"] == "ended") == (ours["state"] in ENDED), seen
    if ours["state"] in ENDED:
        return
    # Nobody declines with an objection here, so that somebody always has it, or is offered it.
    assert ours["state"] not in ("received", "awaiting_dispatch"), seen
    assert ours["next_due_at"] is not None, seen
    if theirs["standing"] == "taken":
        assert theirs["owner_id"] == ours["owner_id"], seen
    else:
        assert str(theirs["offer_id"]) == ours["body"]["offer"]["offer_id"], seen
