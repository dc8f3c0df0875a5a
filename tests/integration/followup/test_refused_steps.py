"""Steps that are refused: what does not fit, what cannot be, and whose they are not."""

import asyncio

from tests.integration.followup.conftest import Api, Followup
from tests.integration.followup.samples import (
    new_matter,
    registered,
)
from tests.integration.followup.test_steps import CONTENT


async def test_what_the_state_does_not_allow_says_which_states_do(
    followup: Followup, api: Api
) -> None:
    matter = await followup.in_progress()
    refused = await api.refused(f"{matter}/return-visit", "C001", CONTENT)
    assert refused["status"] == 409
    assert refused["code"] == "not_in_this_state"
    assert (refused["state"], refused["allowed_states"]) == ("in_progress", ["handled"])


async def test_what_does_not_come_is_refused_after_two_seconds(
    followup: Followup, api: Api
) -> None:
    loop = asyncio.get_running_loop()
    matter = new_matter()
    await followup.take(registered(matter))
    begun = loop.time()
    refused, missing, unknown = await asyncio.gather(
        api.refused(f"{matter}/first-contact", "C001"),
        api.refused(f"{matter}/first-contact", "L001"),
        api.refused("01900000-0000-7000-8000-000000000000/first-contact", "C001"),
    )
    assert 1.9 < loop.time() - begun < 5
    assert (refused["status"], refused["allowed_states"]) == (409, ["in_progress"])
    assert (missing["status"], unknown["code"]) == (404, "matter_not_found")
    begun = loop.time()
    await api.refused("01900000-0000-7000-8000-000000000000/first-contact", "C001")
    assert loop.time() - begun < 1


FAULTY = [
    ("feedback", {"text": ""}),
    ("feedback", {"text": "好", "more": 1}),
    ("feedback", {"text": "x" * 4001}),
    ("feedback", {"text": "a\u0000b"}),
    ("handle", {"outcome": "resolved"}),
    ("handle", {"outcome": "great", "answer": "x"}),
    ("hold", {"reason": "等", "resume_at": "2026-03-09T09:00:00"}),
    ("return-visit", {"reached": True, "satisfaction": 6}),
    ("plan", {"milestones": []}),
    ("extend", {"clock": "tea", "new_due_at": "2026-03-09T09:00:00Z", "reason": "x"}),
    ("merge", {"into": "nothing", "reason": "x"}),
]


async def test_a_body_that_does_not_fit_is_named(followup: Followup, api: Api) -> None:
    matter = await followup.in_progress()
    for path, body in FAULTY:
        refused = await api.refused(f"{matter}/{path}", "L001", body)
        assert (refused["status"], refused["code"]) == (422, "invalid"), path
        assert refused["errors"][0]["pointer"].startswith("/body"), path
    assert (await followup.matter(matter))["version"] == 3


async def test_dates_that_cannot_be_are_refused(followup: Followup, api: Api) -> None:
    matter = await followup.in_progress()
    past = {"reason": "等", "resume_at": "2026-03-01T09:00:00Z"}
    assert (await api.refused(f"{matter}/hold", "L001", past))["code"] == "not_later"
    for far, code in (("2027-03-01T09:00:00Z", "too_far"), ("9999-12-31T23:59:59Z", "invalid")):
        body = {"reason": "等", "resume_at": far}
        assert (await api.refused(f"{matter}/hold", "L001", body))["code"] == code


async def test_readers_and_strangers_take_no_step(followup: Followup, api: Api) -> None:
    matter = await followup.in_progress()
    expected = {"O001": 403, "system": 403, "L002": 404, "D-TAX": 404, "nobody": 401}
    for who, status in expected.items():
        refused = await api.refused(f"{matter}/feedback", who, {"text": "好"})
        assert refused["status"] == status, who
