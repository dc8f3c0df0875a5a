"""A day off that is announced late: no offer ends on it, and it can be answered until the office opens again."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from services.routing.domain.decision import Refused
from services.routing.handlers.commands.outcomes import Done
from services.routing.handlers.office import ActiveCatalogue, Office
from shared.contracts.vocabulary import Ruling, Urgency
from tests.integration.routing.answering import accept, objected, offered, rule
from tests.integration.routing.conftest import Routing
from tests.integration.routing.samples import MONDAY, SHANGHAI
from tests.support.dayoff import calendar_with_days_off


def march(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


@pytest.fixture
def off_on_monday(routing: Routing, tmp_path: Path) -> Routing:
    """Monday was declared a day off after the offers of that morning were made."""
    limits = routing.office.limits
    calendar = calendar_with_days_off(tmp_path, date(2026, 3, 2))
    return Routing(routing.db, Office(calendar, limits, ActiveCatalogue(limits)))


async def test_case_45_no_offer_ends_on_a_day_off(routing: Routing, off_on_monday: Routing):
    matter_id, offer_id = await offered(routing)
    assert (await routing.current(matter_id))["expires_at"] == march(2, 11, 30)
    for hour in (12, 18, 23):
        assert await off_on_monday.sweep(march(2, hour)) == 0
    assert await off_on_monday.sweep(march(3, 8, 59)) == 0
    assert isinstance(await accept(off_on_monday, offer_id, at=march(3, 8)), Done)


async def test_what_rested_ends_at_the_next_opening(routing: Routing, off_on_monday: Routing):
    matter_id, offer_id = await offered(routing)
    assert await off_on_monday.sweep(march(2, 12)) == 0
    assert await off_on_monday.sweep(march(3, 9)) == 1
    assert await routing.said(matter_id) == ["offer.made", "offer.timed_out", "offer.made"]
    assert isinstance(await accept(off_on_monday, offer_id, at=march(3, 9)), Refused)


async def test_an_emergency_ends_by_the_wall_clock(routing: Routing, off_on_monday: Routing):
    matter_id, _ = await offered(routing, urgency=Urgency.EMERGENCY)
    assert await off_on_monday.sweep(MONDAY + timedelta(minutes=30)) == 1
    assert (await routing.said(matter_id))[1] == "offer.timed_out"


async def test_a_review_can_be_ruled_until_the_office_opens_again(routing: Routing, tmp_path: Path):
    _, objection_id = await objected(routing)
    limits = routing.office.limits
    calendar = calendar_with_days_off(tmp_path, date(2026, 3, 3))
    office = Routing(routing.db, Office(calendar, limits, ActiveCatalogue(limits)))
    assert await office.sweep(march(3, 18)) == 0
    assert isinstance(await rule(office, objection_id, Ruling.UPHELD, at=march(4, 8)), Done)
