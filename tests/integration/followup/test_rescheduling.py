"""Open matters after the calendar changed: the limits of clocks move, in batches, and routing's are followed."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from services.followup.handlers.office import Office
from services.followup.timers import Timers
from shared.contracts.events.assignments import OfferRescheduled
from shared.contracts.vocabulary import RescheduleCause
from shared.rescheduling import orders
from tests.integration.followup.conftest import Followup
from tests.integration.followup.samples import (
    CLOCK,
    LIAISON,
    MONDAY,
    OFFICE,
    message,
    new_matter,
    offered,
    registered,
    town_time,
)
from tests.support.dayoff import calendar_with_days_off


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return replace(OFFICE, calendar=calendar_with_days_off(tmp_path, date(2026, 3, 3)))


async def test_case_45_a_service_that_starts_with_another_calendar_says_what_would_move(
    followup: Followup, office: Office
) -> None:
    matter_id = await followup.in_progress()
    before = await followup.said(matter_id)
    timers = Timers(followup.db, office, followup.clock)
    while await timers.reschedule():
        pass
    async with followup.db.reading() as conn:
        # The first contact, the interim answer and the handling.
        assert await orders.would_move(conn) == 3
    assert await followup.said(matter_id) == before
    async with followup.db.transaction() as conn:
        cause = RescheduleCause.CALENDAR
        await orders.ask(conn, apply=True, cause=cause, asked_by="li")
    while await timers.reschedule():
        pass
    matter = await followup.matter(matter_id)
    assert matter["next_due_at"] == town_time(4, 17, 30)
    assert matter["act_at"] == town_time(4, 15, 30)
    moved = (await followup.events(matter_id))[-1]
    assert moved["type"] == "liaison.matter.rescheduled.v1"
    assert moved["actor"] == {"role": "operator", "party": "li"}
    assert {each["clock"] for each in moved["limits"]} == {"first_contact", "interim", "handle"}
    assert await followup.sweep(town_time(3, 18)) == 0
    assert not (await followup.matter(matter_id))["breached"]
    again = Timers(followup.db, office, followup.clock)
    assert not await again.reschedule(), "the same calendar is compared once"


async def test_what_routing_moved_is_followed(followup: Followup) -> None:
    matter_id = new_matter()
    await followup.take(registered(matter_id))
    await followup.take(offered(matter_id))
    event = OfferRescheduled(
        actor=CLOCK,
        matter_id=matter_id,
        offer_id="offer-1",
        round=1,
        party=LIAISON,
        old_expires_at=town_time(2, 13, 30),
        expires_at=town_time(3, 13, 30),
        calendar_version="another",
        cause=RescheduleCause.CALENDAR,
    )
    await followup.take(message(matter_id, event, MONDAY))
    assert await followup.sweep(town_time(2, 18)) == 0
    moved = (await followup.events(matter_id))[-1]
    assert moved["limits"][0]["clock"] == "accept"
    assert moved["calendar_version"] == "another"
    assert (await followup.matter(matter_id))["body"]["offer"]["expires_at"].startswith(
        "2026-03-03"
    )
