"""A matter over HTTP, step by step: to its end, and everything that is refused on the way."""

import asyncio

import pytest

from shared.messages.catalogue import text
from tests.integration.followup.conftest import Api, Followup
from tests.integration.followup.samples import (
    OTHER_FIRM,
    accepted,
    answered,
    new_matter,
    offered,
    registered,
    town_time,
)

HANDLED = {"outcome": "resolved", "answer": "已疏通", "path": "instant"}
CONTENT = {"reached": True, "solved": True, "satisfaction": 5, "words": "很快"}


async def test_an_instant_answer_is_three_steps_to_the_end(followup: Followup, api: Api) -> None:
    matter = await followup.in_progress()
    handled = await api.done(f"{matter}/handle", "L001", HANDLED)
    assert (handled["state"], handled["outcome"], handled["answer"]) == (
        "handled", "resolved", "已疏通",
    )  # fmt: skip
    assert handled["next_due_at"] == "2026-03-03T09:30:00Z"
    closed = await api.done(f"{matter}/return-visit", "C001", CONTENT)
    assert (closed["state"], closed["next_due_at"], closed["steps"]) == ("closed", None, ["reopen"])
    assert (await api.done(f"{matter}/close", "C001"))["version"] == closed["version"]
    history = (await api.get(f"/matters/{matter}/history")).json()["items"]
    assert [entry["version"] for entry in history] == [1, 2, 3, 4, 5, 6]
    assert [entry["type"] for entry in history] == [
        "matter.opened", "matter.offered", "matter.taken", "matter.handled", "matter.visited",
        "matter.closed",
    ]  # fmt: skip
    assert [entry["actor"]["party"] for entry in history] == [
        "https://one-stop.example", "clock", "L001", "L001", "C001", "C001",
    ]  # fmt: skip
    assert [entry["cause"]["kind"] for entry in history] == ["event"] * 3 + ["step"] * 3
    assert history[3]["label"] == text("timeline.matter.handled", "en")


async def test_a_charted_matter_is_handled_when_what_is_required_is_done(
    followup: Followup, api: Api
) -> None:
    matter = await followup.in_progress()
    await api.done(f"{matter}/first-contact", "L001", {"note": "已到现场"})
    steps = [
        {"title": title, "owner_department": "D-CON", "due_at": "2026-03-20T17:30:00+08:00"}
        for title in ("意见征询", "施工建设")
    ]
    planned = await api.done(f"{matter}/plan", "L001", {"milestones": steps})
    assert (planned["path"], [each["light"] for each in planned["milestones"]]) == (
        "charted", ["green", "green"],
    )  # fmt: skip
    assert [each["clock"] for each in planned["clocks"]] == ["interim", "handle", "feedback"]
    refused = await api.refused(f"{matter}/handle", "L001", HANDLED | {"path": "charted"})
    assert (refused["code"], refused["status"]) == ("milestones_open", 409)
    assert "意见征询, 施工建设" in refused["detail"]
    first, second = (each["id"] for each in planned["milestones"])
    await api.done(f"{matter}/milestones/{first}", "C001", {"state": "done", "evidence": "照片"})
    await api.done(f"{matter}/milestones/{second}", "C001", {"state": "waived"})
    handled = await api.done(f"{matter}/handle", "L001", HANDLED | {"path": "charted"})
    assert [each["clock"] for each in handled["clocks"]] == ["return_visit"]


async def test_a_department_with_a_milestone_sees_the_matter_and_moves_its_own(
    followup: Followup, api: Api
) -> None:
    matter = await followup.in_progress()
    assert (await api.get(f"/matters/{matter}", "D-TAX")).status_code == 404
    step = {"title": "核税", "owner_department": "D-TAX", "due_at": "2026-03-20T17:30:00+08:00"}
    other = step | {"title": "勘察", "owner_department": "D-FIRE"}
    planned = await api.done(f"{matter}/plan", "D-ROAD", {"milestones": [step, other]})
    own, foreign = (each["id"] for each in planned["milestones"])
    moved = await api.done(
        f"{matter}/milestones/{own}",
        "D-TAX",
        {"due_at": "2026-03-25T17:30:00+08:00", "reason": "等上级批复", "blocker": "批复未到"},
    )
    assert moved["milestones"][0] == moved["milestones"][0] | {
        "light": "yellow",
        "due_at": "2026-03-25T09:30:00Z",
        "original_due_at": "2026-03-20T09:30:00Z",
    }
    refused = await api.refused(f"{matter}/milestones/{foreign}", "D-TAX", {"state": "done"})
    assert (refused["code"], refused["status"]) == ("not_yours", 403)


async def test_tasks_are_given_and_done(followup: Followup, api: Api) -> None:
    matter = await followup.in_progress()
    given = await api.done(f"{matter}/tasks", "D-ROAD", {"department": "D-TAX", "title": "核对"})
    (task,) = given["tasks"]
    assert (await api.refused(f"{matter}/tasks/{task['id']}/done", "D-FIRE"))["status"] == 403
    done = await api.done(f"{matter}/tasks/{task['id']}/done", "D-TAX")
    assert done["tasks"][0]["done_at"] == "2026-03-02T02:00:00Z"
    assert (await api.refused(f"{matter}/tasks/{task['id']}/done", "D-TAX"))["code"] == "task_done"


async def test_a_hold_pauses_and_an_extension_keeps_the_old_limit(
    followup: Followup, api: Api
) -> None:
    matter = await followup.in_progress()
    held = await api.done(
        f"{matter}/hold",
        "L001",
        {"reason": "等图纸", "resume_at": "2026-03-09T09:00:00+08:00"},
    )
    assert held["next_due_at"] == "2026-03-09T01:00:00Z"
    followup.now = town_time(4, 10)
    resumed = await api.done(f"{matter}/resume", "L001")
    due = {each["clock"]: each for each in resumed["clocks"]}
    # Two working days stood still: from Monday 9 to Wednesday 11 March.
    assert due["handle"]["due_at"] == "2026-03-11T09:30:00Z"
    body = {"clock": "handle", "new_due_at": "2026-03-18T17:30:00+08:00", "reason": "连日下雨"}
    extended = await api.done(f"{matter}/extend", "L001", body)
    due = {each["clock"]: each for each in extended["clocks"]}
    assert due["handle"]["due_at"] == "2026-03-18T09:30:00Z"
    assert due["handle"]["original_due_at"] == "2026-03-09T09:30:00Z"
    later = body | {"new_due_at": "2026-03-25T17:30:00+08:00"}
    assert (await api.refused(f"{matter}/extend", "L001", later))["code"] == "extension_spent"
    await api.done(f"{matter}/extend", "C001", later)


@pytest.mark.parametrize("who", ["L001", "D-ROAD"])
async def test_the_return_visit_is_somebody_elses(followup: Followup, api: Api, who: str) -> None:
    matter = await followup.in_progress()
    await api.done(f"{matter}/handle", "L001", HANDLED)
    refused = await api.refused(f"{matter}/return-visit", who, CONTENT)
    assert (refused["code"], refused["status"]) == ("not_independent", 403)


async def test_who_handles_on_behalf_does_not_visit(followup: Followup, api: Api) -> None:
    matter = await followup.in_progress()
    await api.done(f"{matter}/handle", "C001", HANDLED)
    assert (await api.refused(f"{matter}/return-visit", "C001", CONTENT))["status"] == 403
    await api.done(f"{matter}/return-visit", "C002", CONTENT)


async def test_nobody_reached_is_no_answer_and_an_exemption_is_named(
    followup: Followup, api: Api
) -> None:
    matter = await followup.in_progress()
    await api.done(f"{matter}/handle", "L001", HANDLED)
    tried = await api.done(f"{matter}/return-visit", "C001", {"reached": False})
    assert (tried["state"], tried["return_visit"]["state"]) == ("handled", "unreached")
    assert (await api.refused(f"{matter}/close", "C001"))["code"] == "visit_not_answered"
    refused = await api.refused(f"{matter}/close", "L001", {"exemption": "联系不上"})
    assert refused["code"] == "coordinator_only"
    closed = await api.done(f"{matter}/close", "C001", {"exemption": "三次联系不上"})
    assert closed["closing"]["exemption"] == "三次联系不上"
    # The firm answers after all: its word counts, and begins another round.
    await followup.take(answered(matter, solved=False, satisfaction=2))
    late = (await api.get(f"/matters/{matter}")).json()
    assert (late["state"], late["round"]) == ("awaiting_dispatch", 2)
    assert (await followup.said(matter))[-2:] == ["visited", "reopened"]


async def test_a_requester_who_is_not_content_gets_another_round(
    followup: Followup, api: Api
) -> None:
    matter = await followup.in_progress()
    await api.done(f"{matter}/handle", "L001", HANDLED)
    early = await api.refused(f"{matter}/reopen", "C001", {"cause": "recurred", "reason": "又堵"})
    assert early["code"] == "visit_not_dissatisfied"
    await followup.take(answered(matter, solved=False, satisfaction=2))
    again = await api.done(f"{matter}/reopen", "C001", {"cause": "not_solved", "reason": "仍不通"})
    assert (again["state"], again["round"], again["owner"]) == ("awaiting_dispatch", 2, None)
    assert again["last_owner"]["id"] == "L001"
    second = {"round_": 2, "offer_id": "offer-2"}
    await followup.take(offered(matter, **second), accepted(matter, **second))
    await api.done(f"{matter}/handle", "L001", HANDLED)
    closed = await api.done(f"{matter}/return-visit", "C001", CONTENT)
    assert (closed["state"], closed["round"]) == ("closed", 2)


async def test_reopening_ends_fifteen_days_after_closing(followup: Followup, api: Api) -> None:
    matter = await followup.in_progress()
    await api.done(f"{matter}/handle", "L001", HANDLED)
    await api.done(f"{matter}/return-visit", "C001", CONTENT)
    followup.now = town_time(18, 10)
    body = {"cause": "recurred", "reason": "又堵"}
    refused = await api.refused(f"{matter}/reopen", "C001", body)
    assert (refused["code"], refused["status"]) == ("reopening_too_late", 409)
    assert matter in refused["detail"]
    followup.now = town_time(17, 10)
    await api.done(f"{matter}/reopen", "C001", body)


async def test_one_of_two_who_saw_the_same_version_wins(followup: Followup, api: Api) -> None:
    matter = await followup.in_progress()
    seen = {"if-match": (await api.get(f"/matters/{matter}")).headers["etag"]}
    answers = await asyncio.gather(
        *(
            api.post(f"{matter}/feedback", "L001", {"text": f"第 {number} 次"}, headers=seen)
            for number in range(8)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
    (loser, *_) = [answer.json() for answer in answers if answer.status_code == 412]
    assert loser["version"] == 4
    assert (await followup.said(matter))[3:] == ["fed_back"]


async def test_the_same_key_is_the_same_step(followup: Followup, api: Api) -> None:
    matter = await followup.in_progress()
    key = {"idempotency-key": "k-1"}
    first = await api.post(f"{matter}/feedback", "L001", {"text": "已勘察"}, headers=key)
    again = await api.post(f"{matter}/feedback", "L001", {"text": "已勘察"}, headers=key)
    assert first.json() == again.json()
    assert first.headers["etag"] == again.headers["etag"]
    other = await api.post(f"{matter}/feedback", "L001", {"text": "别的"}, headers=key)
    assert other.status_code == 422
    assert (await followup.matter(matter))["version"] == 4


async def test_a_step_waits_for_the_acceptance_that_is_on_its_way(
    followup: Followup, api: Api
) -> None:
    matter = new_matter()
    step = asyncio.create_task(api.post(f"{matter}/first-contact", "L001", {}))
    look = asyncio.create_task(api.get(f"/matters/{matter}", "L001"))
    await asyncio.sleep(0.2)
    await followup.take(registered(matter))
    await asyncio.sleep(0.2)
    await followup.take(offered(matter))
    await asyncio.sleep(0.2)
    assert not step.done()
    await followup.take(accepted(matter))
    answer = await step
    assert (answer.status_code, answer.json()["state"]) == (200, "in_progress")
    assert (await look).status_code == 200


async def test_merged_within_the_firm_and_back(followup: Followup, api: Api) -> None:
    matter, into = await followup.in_progress(), await followup.in_progress()
    other = await followup.in_progress(firm=OTHER_FIRM)
    body = {"into": other, "reason": "同一问题"}
    assert (await api.refused(f"{matter}/merge", "L001", body))["code"] == "other_requester"
    merged = await api.done(f"{matter}/merge", "L001", body | {"into": into})
    assert (merged["state"], merged["merged_into"]) == ("merged", into)
    target = (await api.get(f"/matters/{into}")).json()
    assert target["merged_from"] == [matter]
    assert [each["request_id"] for each in target["requests"]] == [into, matter]
    third = await followup.in_progress()
    chain = await api.refused(f"{into}/merge", "L001", {"into": third, "reason": "同"})
    assert chain["code"] == "has_merged"
    back = await api.done(f"{matter}/unmerge", "C001", {"reason": "不是一回事"})
    assert (back["state"], back["owner"]["id"]) == ("in_progress", "L001")


async def test_joined_across_firms(followup: Followup, api: Api) -> None:
    matter, other = await followup.in_progress(), await followup.in_progress(firm=OTHER_FIRM)
    joined = await api.done(f"{matter}/join", "C001", {"title": "园区道路", "with": [other]})
    joint = joined["joint"]["joint_id"]
    for each, rest in ((matter, other), (other, matter)):
        found = (await api.get(f"/matters/{each}")).json()
        assert (found["joint"]["joint_id"], found["joined_with"]) == (joint, [rest])
    elsewhere = await api.refused(f"{matter}/join", "C001", {"title": "别的"})
    assert elsewhere["code"] == "joined_already"


async def test_a_join_is_all_or_nothing(followup: Followup, api: Api) -> None:
    matter, other = await followup.in_progress(), await followup.in_progress(firm=OTHER_FIRM)
    await api.done(f"{other}/join", "C001", {"title": "别的"})
    await api.refused(f"{matter}/join", "C001", {"title": "园区道路", "with": [other]})
    assert (await followup.said(matter))[3:] == []


async def test_not_ours_to_take(followup: Followup, api: Api) -> None:
    matter = new_matter()
    await followup.take(registered(matter))
    body = {"reason": "已进入诉讼程序", "channel": "12368 诉讼服务热线"}
    rejected = await api.done(f"{matter}/reject", "C001", body)
    assert (rejected["state"], rejected["next_due_at"]) == ("rejected", None)


async def test_shelved_with_a_review_and_back(followup: Followup, api: Api) -> None:
    matter = await followup.in_progress()
    body = {"reason": "列入明年计划", "review_at": "2026-06-30T17:30:00+08:00"}
    shelved = await api.done(f"{matter}/shelve", "L001", body)
    assert [each["clock"] for each in shelved["clocks"]] == ["review"]
    assert shelved["next_due_at"] == "2026-06-30T09:30:00Z"
    followup.now = town_time(30, 10)
    back = await api.done(f"{matter}/resume", "L001")
    assert [each["clock"] for each in back["clocks"]] == ["interim", "handle", "first_contact"]
    handle = back["clocks"][1]
    assert (handle["due_at"], handle["original_due_at"]) == (
        "2026-04-07T09:30:00Z", "2026-03-09T09:30:00Z",
    )  # fmt: skip
