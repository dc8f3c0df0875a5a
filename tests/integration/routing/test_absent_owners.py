"""An absence passes on what its owner was offered, whenever it begins and whatever else is under way."""

import asyncio
from datetime import timedelta

from services.routing.handlers.batches import apply_requests
from services.routing.handlers.commands.directory import hold_offers, put_absence
from services.routing.store.directory.entries import Absence
from tests.integration.routing.answering import (
    C001,
    accept,
    decline,
    offered,
)
from tests.integration.routing.conftest import Routing
from tests.integration.routing.samples import (
    COORDINATOR,
    MONDAY,
    be_away,
    registered,
)


async def test_an_absence_in_the_midst_of_an_offer_passes_it_on_at_once(routing: Routing):
    matter_id, _ = await offered(routing)
    taken, taken_offer = await offered(routing)
    await accept(routing, taken_offer)
    await be_away(routing.db, "L001")
    assert await routing.begin_absences() == 1
    offer = await routing.current(matter_id)
    assert (offer["party"], offer["cause"]) == ("L002", "liaison_absent")
    assert await routing.said(matter_id) == ["offer.made", "offer.rescinded", "offer.made"]
    assert (await routing.current(taken))["party"] == "L001"
    assert await routing.begin_absences() == 0


async def test_an_absence_planned_ahead_begins_by_the_clock(routing: Routing):
    matter_id, _ = await offered(routing)
    begins = MONDAY + timedelta(hours=1)
    await be_away(routing.db, "L001", since=begins)
    assert await routing.begin_absences(begins - timedelta(seconds=1)) == 0
    assert await routing.begin_absences(begins) == 1
    assert (await routing.current(matter_id))["party"] == "L002"


async def test_a_choice_under_way_when_an_absence_begins_is_passed_on_too(routing: Routing):
    begins = MONDAY + timedelta(hours=1)
    await be_away(routing.db, "L001", since=begins)
    await routing.begin_absences(begins)
    # It was begun a moment before the absence, and is committed a moment after.
    late = registered()
    await routing.take_requests(late, at=begins - timedelta(milliseconds=5))
    assert (await routing.current(late.subject))["party"] == "L001"
    assert await routing.begin_absences(begins + timedelta(seconds=20)) == 1
    assert (await routing.current(late.subject))["party"] == "L002"
    assert await routing.begin_absences(begins + timedelta(seconds=21)) == 0


async def waiting_for_locks(routing: Routing) -> None:
    async with asyncio.timeout(10):
        while not await routing.rows(
            "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        ):
            await asyncio.sleep(0.01)


async def test_an_absence_entered_before_a_choice_is_written_is_seen_by_it(routing: Routing):
    request = registered()
    async with routing.db.transaction() as conn:
        absence = Absence("L001", "A1", MONDAY - timedelta(days=1), None, None)
        await put_absence(conn, absence, COORDINATOR, MONDAY)
        await hold_offers(conn, ["L001"])
        choosing = asyncio.create_task(routing.take_requests(request))
        await waiting_for_locks(routing)
    await choosing
    assert (await routing.current(request.subject))["party"] == "L002"


async def test_an_absence_waits_for_the_offer_that_is_under_way_and_passes_it_on(routing: Routing):
    request = registered()

    async def leave() -> None:
        await be_away(routing.db, "L001")
        await routing.begin_absences()

    async with routing.db.transaction() as conn:
        await apply_requests(conn, [request], routing.office, lambda: MONDAY)
        leaving = asyncio.create_task(leave())
        await waiting_for_locks(routing)
    await leaving
    assert (await routing.current(request.subject))["party"] == "L002"


async def test_who_is_back_within_the_round_may_be_asked_again(routing: Routing):
    matter_id, _ = await offered(routing)
    await be_away(routing.db, "L001", until=MONDAY + timedelta(hours=1))
    await routing.begin_absences()
    second = await routing.current(matter_id)
    await decline(routing, second["id"], acting=C001, at=MONDAY + timedelta(hours=1))
    assert (await routing.current(matter_id))["party"] == "L001"
