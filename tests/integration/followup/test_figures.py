"""What is open is counted as it stands; what cannot be counted is not shown."""

from datetime import datetime, timedelta

from prometheus_client import REGISTRY

from services.followup.timers import Timers
from tests.integration.followup.conftest import Api, Followup
from tests.integration.followup.samples import MONDAY, OFFICE, new_matter, registered, town_time


def figure(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"service": "followup"} | labels)


async def measured(followup: Followup, at: datetime = MONDAY) -> None:
    await Timers(followup.db, OFFICE, lambda: at).measure()


async def test_open_matters_are_counted_by_their_states(followup: Followup, api: Api) -> None:
    await followup.take(registered(new_matter()))
    charted, handled = await followup.in_progress(), await followup.in_progress()
    due = (MONDAY + timedelta(days=20)).isoformat()
    steps = [
        {"title": title, "owner_department": "D-ROAD", "due_at": due, "required": True}
        for title in ("勘察", "施工")
    ]
    for matter in (charted, handled):
        await api.done(f"{matter}/first-contact", "L001", {"note": "已联系"})
    await api.done(f"{charted}/plan", "L001", {"milestones": steps})
    done = {"outcome": "resolved", "answer": "已疏通", "path": "instant"}
    await api.done(f"{handled}/handle", "L001", done)
    await measured(followup)
    for state, count in (("received", 1), ("in_progress", 1), ("handled", 1), ("shelved", 0)):
        assert figure("liaison_matters_open", state=state) == count, state
    assert figure("liaison_matters_open", state="closed") is None
    assert figure("liaison_matters_charted") == 1
    assert figure("liaison_matters_breached") == 0
    assert figure("liaison_sweep_late_seconds") == 0


async def test_a_clock_that_has_run_out_counts_once_a_matter(followup: Followup) -> None:
    for _ in range(2):
        await followup.take(registered(new_matter()))
    late = town_time(31, 12)
    await measured(followup, late)
    assert figure("liaison_matters_breached") == 2
    first = (await followup.rows("select min(act_at) as at from matter"))[0]["at"]
    assert figure("liaison_sweep_late_seconds") == (late - first).total_seconds()
    for _ in range(8):
        await followup.sweep(late)
    await measured(followup, late)
    assert figure("liaison_matters_breached") == 2
    assert figure("liaison_sweep_late_seconds") == 0


async def test_what_cannot_be_counted_is_not_shown(followup: Followup) -> None:
    await measured(followup)
    assert figure("liaison_matters_breached") == 0
    async with followup.db.reading() as conn:
        await conn.execute("alter table milestone rename to gone")
    await measured(followup)
    for name in ("breached", "charted"):
        assert figure(f"liaison_matters_{name}") is None
    assert figure("liaison_matters_open", state="received") is None
