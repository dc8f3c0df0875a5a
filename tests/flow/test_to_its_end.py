"""A request goes from its arrival to its end by public calls alone, whoever is killed on the way."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.flow.processes import SERVICES, Stack
from tests.flow.town import Town


async def settled_at_once(town: Town, matter: str) -> None:
    offer = await town.offer_of(matter)
    await town.do("L001", "POST", f"/routing/offers/{offer}/accept", {})
    await town.step("L001", matter, "first-contact", note="已电话联系")
    await town.step(
        "L001", matter, "handle", outcome="resolved", answer="已疏通排水管", path="instant"
    )
    await town.step(
        "C002", matter, "return-visit", reached=True, solved=True, satisfaction=5, words="很快"
    )
    await town.step("C002", matter, "close")


async def test_a_posted_request_is_closed_and_its_history_names_everybody(town: Town) -> None:
    taken = (await town.post(town.submission())).json()
    matter = taken["request_id"]
    await settled_at_once(town, matter)
    await town.in_state(matter, "closed")
    history = await town.history(matter)
    assert [entry["version"] for entry in history] == list(range(1, len(history) + 1))
    actors = {(entry["actor"]["role"], entry["actor"]["party"]) for entry in history}
    assert ("system", "https://one-stop.example") in actors
    assert ("liaison", "L001") in actors
    assert ("coordinator", "C002") in actors
    status = await town.until(
        lambda: town.get("nobody", taken["status_url"]),
        lambda found: found if found["state"] == "closed" else None,
    )
    assert status["answer"] == "已疏通排水管"


async def test_case_102_a_system_sees_its_request_go_to_its_end_in_the_feed(town: Town) -> None:
    taken = (await town.post(town.submission())).json()
    matter = taken["request_id"]
    await settled_at_once(town, matter)
    await town.in_state(matter, "closed")
    found: list[Any] = []
    cursor = ""

    async def next_page() -> Any:
        return await town.get("system", f"/intake/feed?limit=2{cursor}")

    while not found or found[-1]["type"] != "liaison.matter.closed.v1":
        page = await town.until(next_page, lambda page: page if page["items"] else None)
        found += page["items"]
        cursor = f"&cursor={page['next']}"
    registered, *changes = found
    assert (registered["subject"], registered["receipt"]) == (matter, taken["receipt"])
    history = await town.history(matter)
    assert [(int(each["sequence"]), each["type"]) for each in changes] == [
        (entry["version"], f"liaison.{entry['type']}.v1") for entry in history
    ]
    assert changes[-1]["data"]["state"] == "closed"


async def test_a_request_on_kafka_is_charted_and_closed_by_the_requesters_own_answer(
    town: Town,
) -> None:
    sent = town.submission(source_ref="kafka-1")
    await town.send_submission(sent)
    matter = await town.matter_named(sent)
    offer = await town.offer_of(matter)
    await town.do("L001", "POST", f"/routing/offers/{offer}/accept", {})
    await town.step("L001", matter, "first-contact")
    due = (datetime.now(UTC) + timedelta(days=20)).isoformat()
    planned = await town.step(
        "L001",
        matter,
        "plan",
        milestones=[
            {"title": title, "owner_department": "D-CON", "due_at": due, "required": True}
            for title in ("意见征询", "施工建设")
        ],
    )
    for milestone in planned["milestones"]:
        await town.step(
            "D-CON", matter, f"milestones/{milestone['id']}", state="done", evidence="照片"
        )
    await town.step("L001", matter, "feedback", text="已完工")
    await town.step(
        "L001", matter, "handle", outcome="resolved", answer="道路已新建", path="charted"
    )
    receipt = (await town.post(sent)).json()["status_url"]
    await town.until(
        lambda: town.get("nobody", receipt),
        lambda found: found if found["state"] == "handled" else None,
    )
    await town.do("nobody", "POST", f"{receipt}/answer", {"solved": True, "satisfaction": 4})
    await town.until(
        lambda: town.history(matter),
        lambda found: [entry for entry in found if entry["type"] == "matter.visited"],
    )
    await town.step("C001", matter, "close")
    await town.in_state(matter, "closed")


async def test_the_same_submission_twice_is_one_matter_and_a_changed_one_a_conflict(
    town: Town,
) -> None:
    sent = town.submission()
    first, again = await town.post(sent), await town.post(sent)
    await town.send_submission(sent)
    changed = await town.post(sent | {"detail": "另一件事"})
    assert (first.status_code, again.status_code, changed.status_code) == (202, 200, 409)
    assert again.json() == first.json()
    after = town.submission()
    await town.send_submission(after)
    await town.in_state(await town.matter_named(after), "offered")
    found = await town.get("C001", "/followup/matters")
    assert len(found["items"]) == 2


async def test_bytes_that_are_no_json_hold_up_nothing_behind_them(town: Town) -> None:
    for value in (b"\xff\xfe\x00", b"{", b"null"):
        await town.send(value)
    behind = town.submission()
    await town.send_submission(behind)
    await town.offer_of(await town.matter_named(behind))


@pytest.mark.timeout(180)
@pytest.mark.parametrize("victim", SERVICES)
async def test_a_service_killed_in_the_middle_loses_nothing(
    town: Town, stack: Stack, victim: str
) -> None:
    process = stack.processes[victim]

    async def one(number: int) -> str:
        await asyncio.sleep(number * 0.05)
        answer = await town.post(town.submission())
        assert answer.status_code in (200, 202), answer.text
        matter: str = answer.json()["request_id"]
        await settled_at_once(town, matter)
        return matter

    async def crash() -> None:
        for _ in range(2):
            await asyncio.sleep(0.7)
            process.kill()
            process.start()
            await process.ready()

    results: list[Any] = await asyncio.gather(crash(), *(one(number) for number in range(12)))
    for matter in results[1:]:
        await town.in_state(matter, "closed")
    found = await town.get("C001", "/followup/matters?limit=100")
    assert len(found["items"]) == 12


async def test_services_stop_within_their_limit_and_go_on_where_they_were(
    town: Town, stack: Stack
) -> None:
    matter = (await town.post(town.submission())).json()["request_id"]
    for process in stack.processes.values():
        assert process.stop() < 20
    await stack.start()
    await settled_at_once(town, matter)
    await town.in_state(matter, "closed")
