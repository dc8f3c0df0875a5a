"""Over HTTP and from Kafka: merges and their ends, who may visit, and limits that are put off."""

import pytest

from services.followup.handlers.sweep import release_orphans
from tests.integration.followup.conftest import Api, Followup
from tests.integration.followup.samples import (
    DEPUTY,
    OFFICE,
    accepted,
    new_matter,
    offered,
    registered,
    town_time,
    withdrawn,
)

HANDLED = {"outcome": "resolved", "answer": "已疏通", "path": "instant"}
CONTENT = {"reached": True, "solved": True, "satisfaction": 5}
UNHAPPY = {"reached": True, "solved": False, "satisfaction": 2}


async def merged_pair(followup: Followup, api: Api, taken: bool) -> tuple[str, str]:
    """A matter with an owner, merged into one that nobody has taken, or that somebody has."""
    matter = await followup.in_progress()
    if taken:
        into = await followup.in_progress()
    else:
        into = new_matter()
        await followup.take(registered(into))
    await api.done(f"{matter}/merge", "C001", {"into": into, "reason": "同一问题"})
    return matter, into


@pytest.mark.parametrize("taken", [True, False])
async def test_case_81_withdrawn_with_others_merged_into_it_they_go_on(
    followup: Followup, api: Api, taken: bool
) -> None:
    matter, into = await merged_pair(followup, api, taken)
    assert not await followup.take(withdrawn(into))
    found = (await api.get(f"/matters/{matter}")).json()
    assert (found["state"], found["owner"]["id"]) == ("in_progress", "L001")
    assert found["next_due_at"] is not None
    assert found["merged_into"] is None
    assert (await followup.said(matter))[-2:] == ["merged", "unmerged"]
    assert (await followup.matter(into))["state"] == "withdrawn"


async def test_case_81_rejected_with_others_merged_into_it_they_go_on(
    followup: Followup, api: Api
) -> None:
    matter, into = await merged_pair(followup, api, taken=False)
    body = {"reason": "属司法事项", "channel": "12368"}
    assert (await api.refused(f"{into}/reject", "L001", body))["status"] in (403, 404)
    assert (await followup.matter(matter))["state"] == "merged"
    await api.done(f"{into}/reject", "C001", body)
    assert (await followup.matter(matter))["state"] == "in_progress"
    (*_, event) = await followup.events(matter)
    assert (event["type"], event["out_of"]) == ("liaison.matter.unmerged.v1", into)


async def test_case_81_a_merge_into_what_was_handled_is_refused_with_what_to_do(
    followup: Followup, api: Api
) -> None:
    matter, into = await followup.in_progress(), await followup.in_progress()
    await api.done(f"{into}/handle", "L001", HANDLED)
    refused = await api.refused(f"{matter}/merge", "C001", {"into": into, "reason": "同"})
    assert (refused["status"], refused["code"]) == (409, "target_handled")


async def test_case_81_taken_back_in_one_batch_both_end(followup: Followup, api: Api) -> None:
    matter, into = await merged_pair(followup, api, taken=True)
    assert not await followup.take(withdrawn(into), withdrawn(matter))
    for each in (matter, into):
        assert (await followup.matter(each))["state"] == "withdrawn"


async def test_case_81_what_an_earlier_version_left_alone_is_found(
    followup: Followup, api: Api
) -> None:
    matter, into = await merged_pair(followup, api, taken=True)
    async with followup.db.transaction() as conn:
        await conn.execute(
            "update matter set state = 'withdrawn', next_due_at = null, act_at = null,"
            " body = jsonb_set(body::jsonb, '{state}', '\"withdrawn\"')::json where id = $1",
            into,
        )
    for expected in (1, 0):
        async with followup.db.transaction() as conn:
            assert await release_orphans(conn, OFFICE, followup.now) == expected
    assert (await followup.matter(matter))["state"] == "in_progress"


async def test_case_85_who_worked_in_an_earlier_round_visits_no_later_one(
    followup: Followup, api: Api
) -> None:
    matter = await followup.in_progress()
    await api.done(f"{matter}/feedback", "C001", {"text": "已代为联系"})
    await api.done(f"{matter}/handle", "L001", HANDLED)
    for who in ("L001", "D-ROAD", "D-FIRE", "C001"):
        refused = await api.refused(f"{matter}/return-visit", who, CONTENT)
        assert (refused["status"], refused["code"]) == (403, "not_independent"), who
        found = (await api.get(f"/matters/{matter}", who)).json()
        assert "return-visit" not in found["steps"]
    await api.done(f"{matter}/return-visit", "C002", UNHAPPY)
    await api.done(f"{matter}/reopen", "C002", {"cause": "not_solved", "reason": "仍不通"})
    again = offered(matter, party=DEPUTY, round_=2, offer_id="offer-2")
    taken = accepted(matter, party=DEPUTY, round_=2, offer_id="offer-2")
    assert not await followup.take(again, taken)
    await api.done(f"{matter}/handle", "L002", HANDLED)
    for who in ("L001", "C001", "L002", "D-FIRE"):
        refused = await api.refused(f"{matter}/return-visit", who, CONTENT)
        assert (refused["status"], refused["code"]) == (403, "not_independent"), who
    refused = await api.refused(f"{matter}/close", "C001", {"exemption": "联系不上"})
    assert (refused["status"], refused["code"]) == (403, "exempts_itself")
    assert (await api.done(f"{matter}/return-visit", "C002", CONTENT))["state"] == "closed"


async def in_second_round(followup: Followup, api: Api, *workers: str) -> str:
    """A matter that was handled, found not solved and reopened, and that nobody has been offered since."""
    matter = await followup.in_progress()
    for who in workers:
        await api.done(f"{matter}/feedback", who, {"text": "已联系"})
    await api.done(f"{matter}/handle", "L001", HANDLED)
    await api.done(f"{matter}/return-visit", "C002", UNHAPPY)
    await api.done(f"{matter}/reopen", "C002", {"cause": "not_solved", "reason": "仍不通"})
    return matter


async def test_case_85_who_did_the_work_does_not_reject_what_was_reopened(
    followup: Followup, api: Api
) -> None:
    matter = await in_second_round(followup, api, "C001")
    why = {"reason": "不归我们管", "channel": "法院"}
    refused = await api.refused(f"{matter}/reject", "C001", why)
    assert (refused["status"], refused["code"]) == (403, "rejects_own_work")
    assert (await api.done(f"{matter}/reject", "C002", why))["state"] == "rejected"


SIDE_STEPS = {
    "in_progress": (),
    "on_hold": (("hold", {"reason": "等材料", "resume_at": "2026-03-20T09:00:00+08:00"}),),
    "shelved": (("shelve", {"reason": "待规划", "review_at": "2026-03-20T09:00:00+08:00"}),),
    "handled": (("handle", HANDLED),),
}


@pytest.mark.parametrize("round_", [1, 2])
@pytest.mark.parametrize("state", ["awaiting_dispatch", "offered", *SIDE_STEPS])
async def test_case_84_a_worker_never_takes_the_matter_back_in_the_requesters_name(
    followup: Followup, api: Api, state: str, round_: int
) -> None:
    if round_ == 1 and state not in SIDE_STEPS:
        matter = new_matter()
        await followup.take(registered(matter))
        if state == "offered":
            await followup.take(offered(matter))
        await followup.take(withdrawn(matter, issued_to=("L001",)))
        assert (await followup.matter(matter))["state"] == "withdrawn", "nobody has worked yet"
        return
    matter = await followup.in_progress() if round_ == 1 else await in_second_round(followup, api)
    again = {"party": DEPUTY, "round_": 2, "offer_id": "offer-2"}
    if round_ == 2 and state != "awaiting_dispatch":
        await followup.take(offered(matter, **again))
    if round_ == 2 and state in SIDE_STEPS:
        await followup.take(accepted(matter, **again))
    for step, body in SIDE_STEPS.get(state, ()):
        await api.done(f"{matter}/{step}", "L002" if round_ == 2 else "L001", body)
    before = await followup.matter(matter)
    assert not await followup.take(withdrawn(matter, issued_to=("L001",)))
    after = await followup.matter(matter)
    assert (after["state"], after["next_due_at"]) == (before["state"], before["next_due_at"])
    said = (await followup.events(matter))[-1]
    assert (said["type"], said["about"]) == ("liaison.matter.amended.v1", "withdrawal")


async def test_case_85_who_worked_on_what_was_merged_visits_neither(
    followup: Followup, api: Api
) -> None:
    matter, into = await followup.in_progress(), new_matter()
    await followup.take(registered(into))
    await followup.take(offered(into, party=DEPUTY), accepted(into, party=DEPUTY))
    await api.done(f"{matter}/tasks", "L001", {"department": "D-TAX", "title": "核对"})
    await api.done(f"{matter}/merge", "C001", {"into": into, "reason": "同一问题"})
    await api.done(f"{into}/handle", "L002", HANDLED)
    for who in ("L001", "D-TAX"):
        assert (await api.post(f"{into}/return-visit", who, CONTENT)).status_code in (403, 404)
    await api.done(f"{into}/return-visit", "C001", CONTENT)


async def test_case_86_a_minute_on_the_list_leaves_the_breach_where_it_was(
    followup: Followup, api: Api
) -> None:
    matter = await followup.in_progress()
    await followup.sweep(town_time(10, 10))
    before = (await api.get(f"/matters/{matter}")).json()
    assert before["breached"]
    body = {"reason": "列入明年", "review_at": "2026-03-31T17:30:00+08:00"}
    shelved = await api.done(f"{matter}/shelve", "L001", body)
    assert [each["clock"] for each in shelved["clocks"]] == ["review"]
    assert {each["clock"] for each in shelved["set_aside"]} == {
        "interim", "handle", "first_contact",
    }  # fmt: skip
    assert shelved["breaches"] == before["breaches"] != []
    followup.now = town_time(10, 10, 1)
    back = await api.done(f"{matter}/resume", "L001")

    def promised(found: dict) -> list[tuple]:
        names = ("clock", "due_at", "original_due_at", "stage", "breached", "extensions")
        return [tuple(each[name] for name in names) for each in found["clocks"]]

    assert promised(back) == promised(before)
    assert (back["breached"], back["breaches"]) == (True, before["breaches"])
    await api.done(f"{matter}/handle", "L001", HANDLED)
    (*_, event) = await followup.events(matter)
    assert event["on_time"] is False


async def test_case_86_a_step_before_the_sweep_puts_the_breach_on_record_first(
    followup: Followup, api: Api
) -> None:
    matter = await followup.in_progress()
    followup.now = town_time(6, 10)
    emitted = await api.done(f"{matter}/feedback", "L001", {"text": "正在办"})
    assert {each["clock"] for each in emitted["breaches"]} == {"interim", "first_contact"}
    assert (await followup.said(matter))[3:] == [
        "supervised", "reminded", "supervised", "fed_back",
    ]  # fmt: skip


async def test_case_91_an_owner_moves_a_limit_within_bounds_and_no_further(
    followup: Followup, api: Api
) -> None:
    matter = await followup.in_progress()
    far = {"clock": "handle", "new_due_at": "2027-03-02T17:30:00+08:00", "reason": "雨天"}
    for who in ("L001", "D-ROAD"):
        refused = await api.refused(f"{matter}/extend", who, far)
        assert (refused["status"], refused["code"]) == (403, "leave_needed")
        assert "30" in refused["detail"]
    near = far | {"new_due_at": "2026-03-20T17:30:00+08:00"}
    moved = await api.done(f"{matter}/extend", "L001", near)
    (extension,) = moved["extensions"]
    assert (extension["old_due_at"], extension["approver"]) == ("2026-03-09T09:30:00Z", "L001")
    body = {"reason": "等材料", "resume_at": "2026-08-20T10:00:00+08:00"}
    await api.done(f"{matter}/hold", "L001", body)
    far = {"clock": "resume", "new_due_at": "2026-10-01T10:00:00+08:00", "reason": "未齐"}
    for who in ("L001", "C001"):
        refused = await api.refused(f"{matter}/extend", who, far)
        assert (refused["status"], refused["code"]) == (422, "total_spent")
