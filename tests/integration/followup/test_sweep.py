"""Limits that run out: reminded, supervised, escalated level by level, each said once."""

import asyncio
from datetime import timedelta

from tests.integration.followup.conftest import Api, Followup
from tests.integration.followup.samples import new_matter, offered, registered, town_time


async def test_a_limit_climbs_the_ladder_once_a_rung(followup: Followup) -> None:
    matter_id = new_matter()
    await followup.take(registered(matter_id))
    assert await followup.sweep(town_time(4, 8)) == 0
    assert await followup.sweep(town_time(4, 9)) == 1
    assert await followup.sweep() == 0
    assert await followup.sweep(town_time(5, 17, 30)) == 1
    matter = await followup.matter(matter_id)
    assert (matter["breached"], matter["next_due_at"]) == (True, town_time(5, 17, 30))
    for day in (6, 9, 10, 11):
        assert await followup.sweep(town_time(day, 17, 29)) == 0, day
        assert await followup.sweep(town_time(day, 17, 30)) == 1, day
    assert await followup.sweep(town_time(31, 12)) == 0
    events = (await followup.events(matter_id))[1:]
    assert [
        (event["type"].removesuffix(".v1").rpartition(".")[2], event.get("level"), event["to"])
        for event in events
    ] == [
        ("reminded", None, "DESK"),
        ("supervised", None, "DESK"),
        ("escalated", "liaison", "DESK"),
        ("escalated", "department_head", "DESK"),
        ("escalated", "leader_in_charge", "DESK"),
        ("escalated", "joint_meeting", "DESK"),
    ]
    assert all(event["actor"] == {"role": "clock", "party": "clock"} for event in events)


async def test_an_offer_that_nobody_answers_is_reminded_and_supervised(followup: Followup) -> None:
    matter_id = new_matter()
    await followup.take(registered(matter_id))
    await followup.take(offered(matter_id))
    await followup.sweep(town_time(2, 11, 30))
    await followup.sweep(town_time(2, 13, 30))
    reminded, supervised = (await followup.events(matter_id))[2:]
    assert (reminded["clock"], reminded["to"]) == ("accept", "L001")
    assert (supervised["clock"], supervised["to"]) == ("accept", "DESK")


async def test_the_work_climbs_to_its_department(followup: Followup) -> None:
    matter_id = await followup.in_progress()
    for day in range(2, 14):
        await followup.sweep(town_time(day, 16))
        await followup.sweep(town_time(day, 17, 30))
    emitted = [
        (event.get("level"), event["to"])
        for event in await followup.events(matter_id)
        if event.get("clock") == "first_contact"
    ]
    assert emitted == [
        (None, "L001"),
        (None, "L001"),
        ("liaison", "L001"),
        ("department_head", "D-ROAD"),
        ("leader_in_charge", "DESK"),
        ("joint_meeting", "DESK"),
    ]


async def test_a_hold_ends_by_itself(followup: Followup, api: Api) -> None:
    matter_id = await followup.in_progress()
    body = {"reason": "等图纸", "resume_at": "2026-03-04T10:00:00+08:00"}
    await api.done(f"{matter_id}/hold", "L001", body)
    assert await followup.sweep(town_time(4, 9, 59)) == 0
    assert await followup.sweep(town_time(4, 10)) == 1
    assert (await followup.matter(matter_id))["state"] == "in_progress"
    resumed = (await followup.events(matter_id))[-1]
    assert resumed["actor"]["role"] == "clock"
    history = (await api.get(f"/matters/{matter_id}/history")).json()["items"]
    assert history[-1]["cause"] == {"kind": "clock", "id": "resume"}


async def test_a_sweep_touches_what_is_due_and_no_more(followup: Followup) -> None:
    matters = [new_matter() for _ in range(300)]
    await followup.take(*(registered(each) for each in matters))
    late = [new_matter() for _ in range(10)]
    earlier = town_time(2, 10) - timedelta(days=7)
    await followup.take(*(registered(each, at=earlier) for each in late))
    assert await followup.sweep(town_time(3, 17, 30)) == 10
    versions = await followup.rows(
        "select version, count(*) from matter group by version order by version"
    )
    assert versions == [{"version": 1, "count": 300}, {"version": 3, "count": 10}]


async def test_sweeps_of_replicas_share_the_work(followup: Followup) -> None:
    matters = [new_matter() for _ in range(700)]
    await followup.take(*(registered(each) for each in matters))
    followup.now = town_time(4, 9)
    shares = await asyncio.gather(*(followup.sweep() for _ in range(4)))
    while left := await followup.sweep():
        shares.append(left)
    assert sum(shares) == 700
    assert max(shares) <= 500
    versions = await followup.rows("select version, count(*) from matter group by version")
    assert versions == [{"version": 2, "count": 700}]


async def test_what_is_taken_in_late_is_flagged_at_once(followup: Followup) -> None:
    matter_id = new_matter()
    followup.now = town_time(20, 10)
    await followup.take(registered(matter_id, at=town_time(2, 10)))
    assert await followup.said(matter_id) == ["opened", "supervised"]
    assert (await followup.matter(matter_id))["breached"]
