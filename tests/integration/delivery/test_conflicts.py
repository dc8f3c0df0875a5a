"""A version that comes twice from events with different ids is never dropped unseen, whichever of them came first."""

import random

import pytest

from shared.contracts import topics
from shared.observability.metrics import VERSION_CONFLICTS
from tests.integration.delivery.town import Records, Town, amended


def counted() -> float:
    value: float = VERSION_CONFLICTS.labels("town", topics.REQUESTS)._value.get()
    return value


async def notices(town: Town) -> list[str]:
    rows = await town.fetch("select type from event where topic = 'liaison.dead-letters'")
    return [row["type"] for row in rows]


async def test_case_90_a_version_that_comes_twice_under_another_id_raises_an_alarm(
    town: Town, records: Records
):
    before = counted()
    genuine = records.matter("a", [1, 2, 3])
    await town.inbound.process(genuine)
    forged = records(amended("a", "forged"), "a", 2)
    await town.inbound.process([forged])
    assert await town.versions("a") == [1, 2, 3]
    assert await town.fates() == [("failed", "a", 2)]
    [letter] = await town.letters()
    assert "another id" in letter["reason"]
    assert letter["value"] == forged.value
    assert counted() == before + 1
    assert await notices(town) == ["liaison.dead_letter.recorded.v1"]
    # Again, as Kafka may deliver it: it is one conflict. What follows goes on.
    await town.inbound.process([forged, *genuine, *records.matter("a", [4])])
    assert await town.versions("a") == [1, 2, 3, 4]
    assert counted() == before + 1
    await town.ask("discard", letter["id"])
    assert await town.letters() == []


async def test_the_owners_event_is_kept_where_a_forged_one_came_first(town: Town, records: Records):
    await town.inbound.process(records.matter("a", [1]))
    await town.inbound.process([records(amended("a", "forged"), "a", 2)])
    genuine = records(amended("a", "genuine"), "a", 2)
    await town.inbound.process([genuine])
    [letter] = await town.letters()
    assert (letter["fate"], letter["value"]) == ("failed", genuine.value)
    # To try it again changes nothing of what was applied.
    await town.ask("replay", letter["id"])
    assert await town.versions("a") == [1, 2]
    assert await town.letters() == []


async def test_one_that_waited_for_its_turn_is_kept_too(town: Town, records: Records):
    one, two = records.matter("a", [1, 2])
    await town.inbound.process([one, records(amended("a", "a"), "a", 3)])
    await town.inbound.process([records(amended("a", "b"), "a", 3)])
    assert await town.fates() == [("gap", "a", 3), ("gap", "a", 3)]
    await town.inbound.process([two])
    await town.settle()
    assert await town.versions("a") == [1, 2, 3]
    assert await town.fates() == [("failed", "a", 3)]


@pytest.mark.parametrize("seed", range(12))
async def test_every_forgery_among_events_in_any_order_is_kept(
    town: Town, records: Records, seed: int
):
    """Duplicates, any order and forgeries of any version: each version once, and each other event of it kept."""
    chance = random.Random(seed)  # noqa: S311 - the same order in each run
    genuine = records.matter("a", range(1, 9))
    forged = [
        records(amended("a", f"forged {number}"), "a", chance.randint(1, 8)) for number in range(4)
    ]
    stream = [*genuine, *forged, *chance.sample(genuine, 4), *chance.sample(forged, 2)]
    chance.shuffle(stream)
    while stream:
        size = chance.randint(1, 4)
        await town.inbound.process(stream[:size])
        stream = stream[size:]
    await town.settle()
    assert await town.versions("a") == list(range(1, 9))
    kept = await town.letters()
    assert {letter["fate"] for letter in kept} == {"failed"}
    applied = await town.fetch("select event_id from effect")
    assert len(kept) + len(applied) == len(genuine) + len(forged)


async def test_what_was_forgotten_by_an_upgrade_is_no_conflict(town: Town, records: Records):
    """As a migration does that learns some subjects anew: a whole topic comes again, with nothing claimed."""
    genuine = records.matter("a", [1, 2])
    await town.inbound.process(genuine)
    await town.execute("delete from inbox")
    await town.execute("update migration set applied_at = now() + interval '1 second'")
    await town.inbound.process(genuine)
    assert await town.letters() == []
    assert await town.versions("a") == [1, 2]
