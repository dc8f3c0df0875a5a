"""The requester's own answer in the rates, and old rows of receipts brought up to what is right."""

from pathlib import Path
from typing import Any

import pytest

from services import followup as followup_service
from shared.contracts.events.requests import ReturnVisitAnswered
from tests.integration.followup.conftest import Api, Followup
from tests.integration.followup.samples import (
    DEPUTY,
    HOLDER,
    accepted,
    answered,
    declined,
    message,
    new_matter,
    offered,
    registered,
)

ANSWERS = {"content": (True, 5), "not content": (False, 1)}


async def rates_of(api: Api) -> dict[str, Any]:
    period = {"from_": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}
    answer = await api.get("/rates", **period)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["rates"]
    return found


@pytest.mark.parametrize("own", ANSWERS)
@pytest.mark.parametrize("staff", ANSWERS)
async def test_case_83_the_rates_count_the_own_answer_and_not_what_staff_recorded(
    followup: Followup, api: Api, staff: str, own: str
) -> None:
    matter_id = await followup.in_progress()
    await api.done(f"{matter_id}/handle", "L001", {"outcome": "resolved", "answer": "已通"})
    solved, satisfaction = ANSWERS[staff]
    visit = {"reached": True, "solved": solved, "satisfaction": satisfaction}
    await api.done(f"{matter_id}/return-visit", "C002", visit)
    solved, satisfaction = ANSWERS[own]
    await followup.take(answered(matter_id, solved=solved, satisfaction=satisfaction))
    rates = await rates_of(api)
    for name in ("resolution", "satisfaction"):
        assert (rates[name]["numerator"], rates[name]["denominator"]) == (int(solved), 1), name


async def test_case_44_the_migration_sends_the_histories_of_what_receipts_may_show_wrongly(
    followup: Followup,
) -> None:
    await followup.in_progress()
    other = new_matter()
    await followup.take(registered(other))
    await followup.take(offered(other), declined(other))
    folder = Path(followup_service.__file__).parent / "migrations"
    async with followup.db.transaction() as conn:
        await conn.execute("delete from outbox")
        await conn.execute((folder / "0005_progress.sql").read_text("utf-8"))
    rows = await followup.rows(
        "select subject, count(*) as events from event join outbox using (seq) group by subject"
    )
    assert {row["subject"]: row["events"] for row in rows} == {
        other: len(await followup.events(other))
    }


@pytest.mark.parametrize(("holder", "counts"), [("L001", False), ("L777", True)])
async def test_case_84_who_worked_in_an_earlier_round_holds_no_receipt_that_counts(
    followup: Followup, api: Api, holder: str, counts: bool
) -> None:
    matter_id = await followup.in_progress()
    handled = {"outcome": "resolved", "answer": "已通"}
    await api.done(f"{matter_id}/handle", "L001", handled)
    await followup.take(answered(matter_id, solved=False, satisfaction=2))
    await api.done(f"{matter_id}/reopen", "C001", {"cause": "not_solved", "reason": "还在积水"})
    another = {"party": DEPUTY, "round_": 2, "offer_id": "offer-2"}
    await followup.take(offered(matter_id, **another), accepted(matter_id, **another))
    await api.done(f"{matter_id}/handle", "L002", handled)
    said = ReturnVisitAnswered(
        actor=HOLDER, matter_id=matter_id, solved=True, satisfaction=5, round=2, issued_to=(holder,)
    )
    await followup.take(message(matter_id, said))
    row = await followup.matter(matter_id)
    assert (row["state"] == "closed") == counts
    assert row["body"]["visit"]["state"] == ("done" if counts else "due")
