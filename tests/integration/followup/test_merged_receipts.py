"""What the holder of a merged request says reaches whoever has the matter that it was merged into."""

import asyncio
from typing import Any

import orjson
import pytest

from shared.contracts.events.event import Event
from shared.contracts.events.requests import RequestAmended, RequestWithdrawn, ReturnVisitAnswered
from shared.delivery.cloudevents import Message
from tests.integration.followup.conftest import Api, Followup
from tests.integration.followup.samples import (
    DEPUTY,
    HOLDER,
    accepted,
    amended,
    answered,
    message,
    new_matter,
    offered,
    registered,
    withdrawn,
)

REASON = {"reason": "同一问题"}


async def of_another_liaison(followup: Followup) -> str:
    """A matter of the same firm that L002 has: its owner cannot see what L001 has."""
    matter_id = new_matter()
    await followup.take(registered(matter_id))
    await followup.take(offered(matter_id, party=DEPUTY), accepted(matter_id, party=DEPUTY))
    return matter_id


async def merged(followup: Followup, api: Api) -> tuple[str, str]:
    """A matter that L001 had, merged into one that L002 has."""
    first, into = await followup.in_progress(), await of_another_liaison(followup)
    await api.done(f"{first}/merge", "C001", {"into": into} | REASON)
    return first, into


async def messages_of(api: Api, matter_id: str, who: str = "L002") -> list[dict[str, Any]]:
    answer = await api.get(f"/matters/{matter_id}", who)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["messages"]
    return found


async def test_case_43_words_from_before_and_after_a_merge_are_seen_once_by_who_has_the_matter(
    followup: Followup, api: Api
) -> None:
    first, into = await followup.in_progress(), await of_another_liaison(followup)
    await followup.take(amended(first, "合并之前"))
    await api.done(f"{first}/merge", "C001", {"into": into} | REASON)
    version = (await followup.matter(into))["version"]
    await followup.take(amended(first, "合并之后"))
    assert [(each["request_id"], each["message"]) for each in await messages_of(api, into)] == [
        (first, "合并之前"),
        (first, "合并之后"),
    ]
    assert (await followup.matter(into))["version"] == version + 1
    await api.done(f"{first}/unmerge", "C001", REASON)
    assert [each["message"] for each in await messages_of(api, first, "C001")] == [
        "合并之前",
        "合并之后",
    ]
    # What was said while it was followed there stays in that matter's history.
    assert [each["message"] for each in await messages_of(api, into)] == ["合并之后"]


async def test_case_43_words_end_the_hold_of_the_matter_that_waits_for_the_firm(
    followup: Followup, api: Api
) -> None:
    first, into = await merged(followup, api)
    later = followup.now.replace(day=20).isoformat()
    await api.done(f"{into}/hold", "L002", {"reason": "等企业材料", "resume_at": later})
    await followup.take(amended(first, "材料在此"))
    assert (await followup.matter(into))["state"] == "in_progress"


async def test_case_43_the_answer_of_a_merged_receipt_is_the_firms_answer(
    followup: Followup, api: Api
) -> None:
    first, into = await merged(followup, api)
    await api.done(f"{into}/handle", "L002", {"outcome": "resolved", "answer": "路已通"})
    await followup.take(answered(first))
    assert (await followup.matter(into))["state"] == "closed"
    assert (await followup.matter(first))["state"] == "merged"
    # The other holder contradicts: what one of them is content with need not be so for the other.
    await followup.take(answered(into, solved=False, satisfaction=1))
    row = await followup.matter(into)
    assert (row["state"], row["round"]) == ("awaiting_dispatch", 2)


async def test_case_43_a_merged_request_is_withdrawn_alone(followup: Followup, api: Api) -> None:
    first, into = await merged(followup, api)
    await followup.take(withdrawn(first))
    assert (await followup.matter(first))["state"] == "withdrawn"
    assert (await followup.matter(into))["state"] == "in_progress"
    [emitted] = await messages_of(api, into)
    assert (emitted["request_id"], emitted["about"], emitted["message"]) == (
        first,
        "withdrawal",
        "已自行解决",
    )
    assert (await api.get(f"/matters/{into}", "L002")).json()["merged_from"] == []


async def test_case_43_words_go_along_a_chain_of_merges(followup: Followup, api: Api) -> None:
    first, into = await merged(followup, api)
    last = await of_another_liaison(followup)
    # The steps refuse to merge what others were merged into; earlier versions let it happen at the same instant.
    body = (await followup.matter(into))["body"]
    chained = body | {
        "state": "merged",
        "clocks": [],
        "merging": {"into": last, "state": "in_progress", "clocks": body["clocks"]},
    }
    async with followup.db.transaction() as conn:
        await conn.execute(
            "update matter set state = 'merged', merged_into = $2, body = $3, next_due_at = null,"
            " act_at = null where id = $1",
            into,
            last,
            orjson.dumps(chained).decode(),
        )
    await followup.take(amended(first, "还有一处"))
    assert "还有一处" in [each["message"] for each in await messages_of(api, last)]


@pytest.mark.parametrize("rounds", range(3))
async def test_case_43_words_that_come_while_the_merge_happens_are_seen(
    followup: Followup, api: Api, rounds: int
) -> None:
    """Both at once, on real locks: whichever is first, whoever has the matter afterwards sees the words."""
    pairs = [(await followup.in_progress(), await of_another_liaison(followup)) for _ in range(8)]

    async def said(first: str) -> None:
        while True:
            try:
                await followup.take(amended(first, f"积水 {first}"))
                return
            except Exception as fault:
                # What a consumer does when a lock cannot be had at once: the batch is tried again.
                if type(fault).__name__ != "LockNotAvailableError":
                    raise

    steps = [
        step
        for first, into in pairs
        for step in (said(first), api.done(f"{first}/merge", "C001", {"into": into} | REASON))
    ]
    await asyncio.gather(*steps[rounds:], *steps[:rounds])
    for first, into in pairs:
        assert [each["message"] for each in await messages_of(api, into)] == [f"积水 {first}"]


def steps_of_a_holder(matter_id: str) -> list[Message]:
    events: list[Event] = [
        RequestAmended(actor=HOLDER, matter_id=matter_id, message="一"),
        RequestWithdrawn(actor=HOLDER, matter_id=matter_id, reason="二"),
        ReturnVisitAnswered(actor=HOLDER, matter_id=matter_id, solved=False, satisfaction=2, words="三"),
    ]  # fmt: skip
    return [message(matter_id, event) for event in events]


@pytest.mark.parametrize("number", range(3))
async def test_case_83_what_intake_acknowledged_at_the_end_of_a_matter_is_never_dropped(
    followup: Followup, api: Api, number: int
) -> None:
    """Intake did not know yet that the matter had ended; the words are in its history."""
    ended = {
        "closed": await followup.in_progress(),
        "rejected": new_matter(),
        "withdrawn": await followup.in_progress(),
    }
    await followup.take(registered(ended["rejected"]))
    await api.done(f"{ended['closed']}/handle", "L001", {"outcome": "resolved", "answer": "已通"})
    await api.done(f"{ended['closed']}/close", "C002", {"exemption": "企业已搬离"})
    await api.done(
        f"{ended['rejected']}/reject", "C001", {"reason": "属司法事项", "channel": "12368"}
    )
    await followup.take(withdrawn(ended["withdrawn"]))
    for state, matter_id in ended.items():
        before = (await followup.matter(matter_id))["version"]
        await followup.take(steps_of_a_holder(matter_id)[number])
        assert (await followup.matter(matter_id))["version"] > before, state


async def test_case_83_the_race_of_a_closing_and_an_answer_ends_with_the_answer(
    followup: Followup, api: Api
) -> None:
    for _ in range(6):
        matter_id = await followup.in_progress()
        await api.done(f"{matter_id}/handle", "L001", {"outcome": "resolved", "answer": "已通"})
        closing = api.post(f"{matter_id}/close", "C002", {"exemption": "联系不上"})
        await asyncio.gather(closing, followup.take(answered(matter_id)))
        visit = (await followup.matter(matter_id))["body"]["visit"]
        assert visit["visitor"]["role"] == "requester"
        assert visit["satisfaction"] == 5
