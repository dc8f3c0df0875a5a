"""What an operator asks of dead letters is done on the same path as ever, once, and is told on their topic."""

import asyncio
from uuid import UUID

import pytest

from shared.contracts import topics
from shared.contracts.events.published import EVENTS
from shared.delivery.cloudevents import Raw
from shared.delivery.inbox import consumer
from shared.delivery.inbox.dead_letters import ask, list_letters, mend_letter, show_letter
from shared.runtime.ids import new_id
from tests.integration.delivery.town import Records, Town, amended, ruled


@pytest.fixture
def bad(town: Town) -> Town:
    town.bad_words.add("bad")
    return town


async def told(town: Town) -> list[tuple[str, str]]:
    """(letter, type) of what was said on the topic of dead letters, in order."""
    rows = await town.fetch("select subject, type from event order by seq")
    return [(row["subject"], row["type"].split(".")[2]) for row in rows]


async def test_a_replay_that_fails_again_goes_on_waiting(bad: Town, records: Records):
    await bad.inbound.process([records(amended("a", "bad"), "a", 1), *records.matter("a", [2])])
    [letter, _] = await bad.letters()
    await bad.ask("replay", letter["id"])
    [again, _] = await bad.letters()
    assert (again["id"], again["attempts"], again["asked"]) == (letter["id"], 2, None)
    assert again["first_failed_at"] == letter["first_failed_at"]
    assert await bad.applied() == []


async def test_replays_asked_for_in_any_order_are_done_in_the_order_of_the_versions(
    bad: Town, records: Records
):
    await bad.inbound.process([records(amended("a", "bad"), "a", version) for version in (1, 2, 3)])
    assert [fate for fate, _, _ in await bad.fates()] == ["failed", "gap", "gap"]
    bad.bad_words.clear()
    first, second, third = (row["id"] for row in await bad.letters())
    await bad.ask("replay", third)
    assert await bad.applied() == []
    await bad.ask("replay", second, first)
    assert await bad.versions("a") == [1, 2, 3]


async def test_a_replayed_letter_is_told_with_who_and_why(bad: Town, records: Records):
    await bad.inbound.process([records(amended("a", "bad"), "a", 1)])
    bad.bad_words.clear()
    [letter] = await bad.letters()
    await bad.ask("replay", letter["id"], because="the rule was mended")
    name = str(letter["id"])
    assert await told(bad) == [(name, "recorded"), (name, "settled")]
    [event] = await bad.fetch("select type, data from event where type like '%settled%'")
    said = EVENTS[event["type"]].model_validate_json(event["data"]).model_dump()
    assert said["because"] == "the rule was mended"
    assert said["actor"] == {"role": "operator", "party": "operator"}
    assert said["state"] == "replayed"


async def test_a_replay_asked_for_twice_applies_once(bad: Town, records: Records):
    await bad.inbound.process([records(amended("a", "bad"), "a", 1)])
    bad.bad_words.clear()
    [letter] = await bad.letters()
    await bad.ask("replay", letter["id"])
    async with bad.db.transaction() as conn:
        assert await ask(conn, [letter["id"]], "replay", "operator", None) == []
    assert await bad.settle() == 0
    assert await bad.versions("a") == [1]


async def test_two_replicas_asked_at_once_apply_once(bad: Town, records: Records):
    await bad.inbound.process([records(amended(f"m{n}", "bad"), f"m{n}", 1) for n in range(10)])
    bad.bad_words.clear()
    await bad.execute("update dead_letter set asked = 'replay', asked_by = 'operator'")
    replicas = [bad.make_inbound() for _ in range(3)]

    async def settle(replica) -> None:
        while await replica.replay_next():
            pass

    await asyncio.gather(*(settle(replica) for replica in replicas))
    assert sorted(await bad.applied()) == [(f"m{n}", 1) for n in range(10)]
    assert len(await bad.letters("replayed")) == 10


async def test_a_mended_value_is_applied(bad: Town, records: Records):
    whole = records(amended("a", "mended"), "a", 1)
    broken = Raw(whole.topic, 0, whole.offset, whole.key, b"{", whole.headers)
    await bad.inbound.process([broken, *records.matter("a", [2])])
    [letter, _] = await bad.letters()
    assert whole.value is not None
    async with bad.db.transaction() as conn:
        assert await mend_letter(conn, letter["id"], whole.value)
    await bad.ask("replay", letter["id"])
    assert await bad.versions("a") == [1, 2]
    await bad.inbound.process([whole])
    assert await bad.versions("a") == [1, 2], "the sender's own mended copy comes too late"


async def test_a_mended_value_that_is_no_better_goes_on_waiting(bad: Town, records: Records):
    whole = records(amended("a"), "a", 1)
    await bad.inbound.process([Raw(whole.topic, 0, whole.offset, None, b"{", whole.headers)])
    [letter] = await bad.letters()
    async with bad.db.transaction() as conn:
        await mend_letter(conn, letter["id"], b"[]")
    await bad.ask("replay", letter["id"])
    [again] = await bad.letters()
    assert (again["id"], again["value"], again["attempts"]) == (letter["id"], b"[]", 2)


async def test_a_discard_lets_the_rest_go_on(bad: Town, records: Records):
    batch = [records(amended("a", "bad"), "a", 1), *records.matter("a", [2, 3])]
    await bad.inbound.process(batch)
    await bad.ask("discard", (await bad.letters())[0]["id"])
    assert await bad.versions("a") == [2, 3]
    assert await bad.letters() == []
    assert len(await bad.letters("discarded")) == 1
    await bad.inbound.process(batch + records.matter("a", [4]))
    assert await bad.versions("a") == [2, 3, 4]


async def test_a_discard_before_anything_came_after(bad: Town, records: Records):
    await bad.inbound.process([records(amended("a", "bad"), "a", 1)])
    await bad.ask("discard", (await bad.letters())[0]["id"])
    await bad.inbound.process(records.matter("a", [2]))
    assert await bad.versions("a") == [2]


async def test_discards_of_later_versions_are_stepped_over_when_their_turn_comes(
    bad: Town, records: Records
):
    """The last is discarded first: once the first is replayed, what comes after both goes on."""
    await bad.inbound.process([records(amended("a", "bad"), "a", version) for version in (1, 2, 3)])
    first, second, third = (row["id"] for row in await bad.letters())
    await bad.ask("discard", third)
    await bad.ask("discard", second)
    await bad.inbound.process(records.matter("a", [4]))
    assert await bad.applied() == []
    bad.bad_words.clear()
    await bad.ask("replay", first)
    assert await bad.versions("a") == [1, 4]
    await bad.inbound.process(records.matter("a", [5]))
    assert await bad.versions("a") == [1, 4, 5]


async def test_a_discarded_gap_does_not_hide_that_more_is_missing(town: Town, records: Records):
    await town.inbound.process(records.matter("a", [1, 4]))
    await town.ask("discard", (await town.letters())[0]["id"])
    await town.inbound.process(records.matter("a", [5]))
    assert await town.versions("a") == [1]
    await town.inbound.process(records.matter("a", [2, 3]))
    assert await town.versions("a") == [1, 2, 3, 5]


async def test_a_stranger_s_poison_does_not_push_the_true_version_out(town: Town, records: Records):
    """Poison that claims the next version is discarded; the event of that version comes later."""
    true = records.matter("a", [1, 2, 3])
    claims = Raw(true[1].topic, 0, next(records.offsets), None, b"{", true[1].headers)
    await town.inbound.process([true[0], claims])
    await town.ask("discard", (await town.letters())[0]["id"])
    await town.inbound.process(true[1:])
    assert await town.versions("a") == [1, 2, 3]


async def test_poison_without_a_subject_can_be_discarded(town: Town, records: Records):
    await town.inbound.process([records.raw(topics.REQUESTS, b"{")])
    [letter] = await town.letters()
    await town.ask("discard", letter["id"])
    assert await town.letters() == []
    assert [kind for _, kind in await told(town)] == ["recorded", "settled"]


async def test_an_early_letter_asked_for_applies_when_it_can(town: Town, records: Records):
    await town.inbound.process([records(ruled("a"), "a", 1)])
    [letter] = await town.letters()
    await town.ask("replay", letter["id"])
    assert await town.fates() == [("early", "a", 1)]
    await town.inbound.process(records.matter("a", [1]))
    assert await town.versions("a", topics.ASSIGNMENTS) == [1]


async def test_what_is_asked_survives_a_sweep(
    town: Town, records: Records, monkeypatch: pytest.MonkeyPatch
):
    """A letter that is given a new try meanwhile is not forgotten by the operator's wish."""
    monkeypatch.setattr(consumer, "SWEEP_SECONDS", 0)
    await town.inbound.process([records(ruled("a"), "a", 1)])
    await town.execute("update dead_letter set last_failed_at = now() - interval '1 hour'")
    await town.ask("discard", (await town.letters())[0]["id"])
    assert await town.letters() == []


async def test_operators_see_what_waits_for_them(bad: Town, records: Records):
    await bad.inbound.process(
        [
            records(amended("a", "bad"), "a", 1),
            records(ruled("b"), "b", 1),
            records.raw(topics.REQUESTS, b"x"),
        ]
    )
    async with bad.db.reading() as conn:
        listed = await list_letters(conn, 10)
        assert {row["fate"] for row in listed} == {"failed", "poison"}, (
            "what is early is on its way"
        )
        assert len(await list_letters(conn, 1)) == 1
        shown = await show_letter(conn, listed[0]["id"])
        assert shown is not None
        assert shown["value"] is not None
        assert await show_letter(conn, UUID(new_id())) is None
    await bad.execute("update dead_letter set first_failed_at = now() - interval '2 minutes'")
    async with bad.db.reading() as conn:
        assert {row["fate"] for row in await list_letters(conn, 10)} == {
            "failed",
            "poison",
            "early",
        }
    await bad.ask("discard", *(row["id"] for row in listed))
    async with bad.db.reading() as conn:
        assert {row["fate"] for row in await list_letters(conn, 10)} == {"early"}
        assert len(await list_letters(conn, 10, settled=True)) == 3
