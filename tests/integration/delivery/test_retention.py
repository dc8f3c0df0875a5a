"""Processed ids are forgotten by their age, and what they stood for is still applied once."""

import pytest

from shared.delivery.inbox import retention
from shared.delivery.inbox.retention import FORGET_LIMIT, forget_processed
from tests.integration.delivery.town import Records, Town

AGE = """
update inbox set at = now() - make_interval(days => $1)
where event_id in (select event_id from inbox order by event_id limit $2)"""
COUNT = "select count(*) from inbox"


async def forget(town: Town) -> bool:
    async with town.db.transaction() as conn:
        return await forget_processed(conn)


async def test_old_ids_go_and_young_ones_stay(town: Town, records: Records):
    await town.inbound.process(records.matter("a", range(1, 9)))
    async with town.db.transaction() as conn:
        await conn.execute(AGE, retention.DAYS + 1, 3)
    assert await forget(town) is False
    assert [row["count"] for row in await town.fetch(COUNT)] == [5]


async def test_a_step_is_bounded(town: Town):
    await town.execute(
        "insert into inbox select gen_random_uuid(), 't', 0, n, now() - interval '50 days' "
        f"from generate_series(1, {FORGET_LIMIT + 1}) as n"
    )
    assert await forget(town) is True
    assert await forget(town) is False
    assert [row["count"] for row in await town.fetch(COUNT)] == [0]


async def test_a_history_that_comes_again_after_its_ids_were_forgotten_is_dropped(
    town: Town, records: Records, monkeypatch: pytest.MonkeyPatch
):
    """As when a Kafka that lost everything is sent the whole history: neither applied again, nor a conflict."""
    genuine = records.matter("a", range(1, 5))
    await town.inbound.process(genuine)
    monkeypatch.setattr(retention, "DAYS", 0)
    await forget(town)
    assert [row["count"] for row in await town.fetch(COUNT)] == [0]
    await town.inbound.process([*genuine, *records.matter("a", [5])])
    assert await town.versions("a") == [1, 2, 3, 4, 5]
    assert await town.letters() == []
