"""A step that waits for another on the same matter: it is later than that one, whenever its call began."""

import asyncio
from datetime import timedelta
from uuid import UUID

from services.followup.domain.moment import ActingParty
from services.followup.domain.steps import work
from services.followup.handlers import steps
from services.followup.handlers.steps import Call
from services.followup.store import matters
from shared.contracts.vocabulary import Role
from tests.integration.followup.conftest import Api, Followup
from tests.integration.followup.samples import OFFICE

BLOCKED = "select count(*) from pg_locks where not granted"


async def waits_for_a_lock(followup: Followup) -> None:
    async with asyncio.timeout(10):
        while not (await followup.rows(BLOCKED))[0]["count"]:
            await asyncio.sleep(0.01)


async def test_a_resume_that_waits_for_the_hold_is_not_before_it(
    followup: Followup, api: Api
) -> None:
    matter, began = await followup.in_progress(), followup.now
    liaison = ActingParty(Role.LIAISON, "L001")
    held = work.HoldOn("等材料", began + timedelta(days=3))
    async with followup.db.transaction() as conn:
        await matters.load_locked(conn, [UUID(matter)])
        resuming = asyncio.create_task(api.post(f"{matter}/resume", "L001"))
        await waits_for_a_lock(followup)
        followup.now = began + timedelta(hours=1)
        call = Call(liaison, followup.clock)
        await steps.perform_step(
            conn, OFFICE, UUID(matter), call, lambda known, at: work.hold(known, held, at)
        )
    resumed = await resuming
    assert (resumed.status_code, resumed.json()["state"]) == (200, "in_progress")
    events = await followup.rows("select at from event where subject = $1 order by seq", matter)
    moments = [each["at"] for each in events]
    assert moments == sorted(moments)


async def test_a_resume_by_a_server_whose_clock_is_behind_is_taken(
    followup: Followup, api: Api
) -> None:
    matter = await followup.in_progress()
    until = (followup.now + timedelta(days=3)).isoformat()
    await api.done(f"{matter}/hold", "L001", {"reason": "等材料", "resume_at": until})
    followup.now -= timedelta(seconds=2)
    resumed = await api.done(f"{matter}/resume", "L001")
    assert resumed["state"] == "in_progress"
