"""A day off that is announced late: nobody is urged on it, and what waited is done at the next opening."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from services.followup.handlers import sweep
from services.followup.handlers.office import Office
from shared.contracts.vocabulary import Urgency
from tests.integration.followup.conftest import Api, Followup
from tests.integration.followup.samples import OFFICE, new_matter, offered, registered, town_time
from tests.support.dayoff import calendar_with_days_off

TUESDAY = date(2026, 3, 3)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """The office after Tuesday was declared a day off."""
    return replace(OFFICE, calendar=calendar_with_days_off(tmp_path, TUESDAY))


async def swept(followup: Followup, office: Office, at) -> int:
    followup.now = at
    async with followup.db.transaction() as conn:
        return await sweep.sweep(conn, office, at)


async def test_case_45_nobody_is_supervised_on_a_day_off(
    followup: Followup, office: Office
) -> None:
    matter_id = await followup.in_progress()
    # The first contact was due on Tuesday at 17:30; the reminder before it rests too.
    for hour in (9, 15, 17, 18, 23):
        assert await swept(followup, office, town_time(3, hour)) == 0, hour
    assert (await followup.said(matter_id))[-1] == "taken"
    assert await swept(followup, office, town_time(4, 8, 59)) == 0
    assert await swept(followup, office, town_time(4, 9)) == 1
    assert (await followup.said(matter_id))[3:] == ["reminded", "supervised"]


async def test_a_hold_ends_on_a_day_off(followup: Followup, api: Api, office: Office) -> None:
    matter_id = await followup.in_progress()
    body = {"reason": "等图纸", "resume_at": "2026-03-03T10:00:00+08:00"}
    await api.done(f"{matter_id}/hold", "L001", body)
    assert await swept(followup, office, town_time(3, 10)) == 1
    assert (await followup.matter(matter_id))["state"] == "in_progress"


async def test_an_emergency_is_urged_on_a_day_off(followup: Followup, office: Office) -> None:
    matter_id = new_matter()
    await followup.take(registered(matter_id))
    made = offered(matter_id)
    dispatch = made.event.dispatch.model_copy(update={"urgency": Urgency.EMERGENCY})
    changes = {"dispatch": dispatch, "expires_at": town_time(3, 12)}
    await followup.take(replace(made, event=made.event.model_copy(update=changes)))
    assert await swept(followup, office, town_time(3, 12)) == 1
    assert (await followup.said(matter_id))[-1] == "supervised"


async def test_more_than_a_sweep_holds_rests_and_none_is_lost(
    followup: Followup, office: Office, tmp_path: Path
) -> None:
    matters = [new_matter() for _ in range(510)]
    await followup.take(*(registered(each, at=town_time(2, 10)) for each in matters))
    days = (date(2026, 3, 4), date(2026, 3, 5))
    office = replace(office, calendar=calendar_with_days_off(tmp_path, *days))
    for at in (town_time(4, 10), town_time(5, 17, 30), town_time(5, 18)):
        assert await swept(followup, office, at) == 0
    waiting = await followup.rows("select count(*) from matter where act_at = $1", town_time(6, 9))
    assert waiting == [{"count": 510}]
    assert await swept(followup, office, town_time(6, 9)) == 500
    assert await swept(followup, office, town_time(6, 9)) == 10
