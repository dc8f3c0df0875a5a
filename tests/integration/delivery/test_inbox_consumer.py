"""Each event once and each subject in order, whatever comes twice, too soon or after a crash."""

import asyncio
import random

import pytest

from shared.contracts import topics
from shared.contracts.events.published import EVENTS
from shared.delivery.cloudevents import read
from shared.delivery.inbox import consumer, letters
from tests.integration.delivery.town import Records, Town, ruled


async def test_a_batch_is_applied_in_one_transaction_and_in_order(town: Town, records: Records):
    await town.inbound.process(records.matter("a", [1, 2]) + records.matter("b", [1]))
    assert await town.versions("a") == [1, 2]
    assert await town.versions("b") == [1]
    assert town.batches == [3]
    assert await town.letters() == []


async def test_what_is_delivered_again_is_harmless(town: Town, records: Records):
    batch = records.matter("a", [1, 2, 3])
    await town.inbound.process(batch)
    await town.inbound.process(batch)
    await town.inbound.process([batch[1]])
    assert await town.versions("a") == [1, 2, 3]


async def test_a_record_twice_in_one_batch_is_applied_once(town: Town, records: Records):
    one, two = records.matter("a", [1, 2])
    await town.inbound.process([one, two, one, two])
    assert await town.versions("a") == [1, 2]


async def test_a_crash_between_commit_and_acknowledgement_is_harmless(town: Town, records: Records):
    """The records come again with others behind them, to another process."""
    first = records.matter("a", [1, 2])
    await town.inbound.process(first)
    await town.make_inbound().process(first + records.matter("a", [3]))
    assert await town.versions("a") == [1, 2, 3]


async def test_a_crash_before_the_commit_leaves_nothing(town: Town, records: Records):
    batch = records.matter("a", [1, 2])

    async def crash(conn, messages):
        raise asyncio.CancelledError

    town.before_apply.append(crash)
    with pytest.raises(asyncio.CancelledError):
        await town.inbound.process(batch)
    assert await town.fetch("select 1 from inbox") == []
    town.before_apply.clear()
    await town.inbound.process(batch)
    assert await town.versions("a") == [1, 2]


async def test_two_consumers_of_the_same_records_apply_each_once(town: Town, records: Records):
    batch = [raw for number in range(50) for raw in records.matter(f"m{number}", [1, 2])]
    other = list(batch)
    random.Random(7).shuffle(other)  # noqa: S311 - the same order in each run
    other.sort(key=lambda raw: int(raw.header("ce_sequence") or ""))
    await asyncio.gather(town.inbound.process(batch), town.make_inbound().process(other))
    await town.settle()
    assert sorted(await town.applied()) == sorted((f"m{n}", v) for n in range(50) for v in (1, 2))
    assert await town.letters() == []


async def test_a_gap_holds_and_heals(town: Town, records: Records):
    one, two, three, four = records.matter("a", [1, 2, 3, 4])
    await town.inbound.process([one, three, four])
    assert await town.versions("a") == [1]
    assert await town.fates() == [("gap", "a", 3), ("gap", "a", 4)]
    await town.inbound.process([two])
    assert await town.versions("a") == [1, 2, 3, 4]
    assert await town.letters() == []
    assert await town.fetch("select 1 from seen where held") == []


async def test_other_subjects_do_not_wait_for_a_gap(town: Town, records: Records):
    await town.inbound.process(records.matter("a", [2]) + records.matter("b", [1]))
    assert await town.applied() == [("b", 1)]


async def test_versions_that_come_backwards_are_applied_forwards(town: Town, records: Records):
    for raw in reversed(records.matter("a", range(1, 8))):
        await town.inbound.process([raw])
    assert await town.versions("a") == [1, 2, 3, 4, 5, 6, 7]
    assert await town.letters() == []


async def test_an_old_version_under_a_new_id_is_not_applied_again(town: Town, records: Records):
    await town.inbound.process(records.matter("a", [1, 2]))
    await town.inbound.process(records.matter("a", [1, 2, 3]))
    assert await town.versions("a") == [1, 2, 3]


async def test_what_comes_early_waits_for_its_subject(town: Town, records: Records):
    await town.inbound.process([records(ruled("a"), "a", 1), records(ruled("a"), "a", 2)])
    assert await town.applied() == []
    assert await town.fates() == [("early", "a", 1), ("early", "a", 2)]
    await town.inbound.process(records.matter("a", [1]))
    assert await town.versions("a", topics.ASSIGNMENTS) == [1, 2]
    assert await town.letters() == []


async def test_within_a_batch_the_order_of_the_topics_does_not_matter(town: Town, records: Records):
    await town.inbound.process([records(ruled("a"), "a", 1), *records.matter("a", [1])])
    assert await town.applied() == [("a", 1), ("a", 1)]
    assert await town.letters() == []


async def test_later_events_wait_behind_an_early_one(town: Town, records: Records):
    await town.inbound.process([records(ruled("a"), "a", 1)])
    await town.inbound.process([records(ruled("a"), "a", 2)])
    assert await town.fates() == [("early", "a", 1), ("gap", "a", 2)]
    await town.inbound.process(records.matter("a", [1]))
    assert await town.versions("a", topics.ASSIGNMENTS) == [1, 2]


async def test_two_consumers_that_miss_each_other_are_swept_up(
    town: Town, records: Records, monkeypatch: pytest.MonkeyPatch
):
    """One finds the subject unknown while the other, not yet committed, makes it known."""
    early_is_kept = asyncio.Event()

    async def wait(conn, messages):
        if messages and messages[0].raw.topic == topics.REQUESTS:
            await early_is_kept.wait()

    town.before_apply.append(wait)
    opening = asyncio.create_task(town.inbound.process(records.matter("a", [1])))
    while not town.batches:
        await asyncio.sleep(0.01)
    await town.make_inbound().process([records(ruled("a"), "a", 1)])
    early_is_kept.set()
    await opening
    assert await town.fates() == [("early", "a", 1)]
    await town.execute("update dead_letter set last_failed_at = now() - interval '3 seconds'")
    monkeypatch.setattr(consumer, "SWEEP_SECONDS", 0)
    await town.settle()
    assert await town.versions("a", topics.ASSIGNMENTS) == [1]
    assert await town.letters() == []


async def test_a_letter_that_is_swept_up_in_vain_rests_longer_each_time(
    town: Town, records: Records, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(consumer, "SWEEP_SECONDS", 0)
    await town.inbound.process([records(ruled("a"), "a", 1)])

    async def attempts(first: str, last: str) -> int:
        await town.execute(
            f"""update dead_letter set first_failed_at = now() - interval '{first}',
                                       last_failed_at = now() - interval '{last}'"""
        )
        await town.settle()
        return (await town.letters())[0]["attempts"]

    assert await attempts("1 second", "1 second") == 1, "a moment is waited at least"
    assert await attempts("3 seconds", "3 seconds") == 2
    assert await attempts("60 seconds", "20 seconds") == 2, "it rests as long as it had waited"
    assert await attempts("60 seconds", "31 seconds") == 3
    assert await attempts("2 days", "4 minutes") == 3
    assert await attempts("2 days", "6 minutes") == 4, "but never longer than five minutes"


async def test_a_subject_that_is_stuck_keeps_no_other_from_its_turn(town: Town, records: Records):
    """More letters of one subject than a pass takes lie before those of the other."""
    await town.inbound.process(records.matter("a", range(2, 603)))
    await town.inbound.process(records.matter("b", [2]))
    assert len(await town.letters()) == 602
    await town.inbound.process(records.matter("a", [700]) + records.matter("b", [1]))
    assert await town.versions("b") == [1, 2]
    await town.inbound.process(records.matter("a", [1]))
    assert await town.versions("a") == list(range(1, 603))
    assert await town.fates() == [("gap", "a", 700)]


async def test_letters_of_many_subjects_are_released_together(town: Town, records: Records):
    subjects = [f"s{number:03}" for number in range(300)]
    for version in (1, 2, 3):
        await town.inbound.process([records(ruled(name), name, version) for name in subjects])
    assert len(await town.letters()) == 900
    half = subjects[150:]
    await town.inbound.process([raw for name in half for raw in records.matter(name, [1])])
    assert len(await town.letters()) == 450
    for name in half:
        assert await town.versions(name, topics.ASSIGNMENTS) == [1, 2, 3]


async def test_a_release_that_fails_half_way_loses_nothing(town: Town, records: Records):
    """A ruling among the letters fails: what had been applied in that attempt is applied in the next."""
    town.bad_words.add("bad")
    await town.inbound.process(records.matter("a", [2, 3]) + records.matter("b", [2]))
    await town.inbound.process(
        [
            records(ruled("a"), "a", 1),
            records(ruled("b", "bad"), "b", 1),
            records(ruled("b"), "b", 2),
        ]
    )
    await town.inbound.process(records.matter("a", [1]) + records.matter("b", [1]))
    assert await town.versions("a") == [1, 2, 3]
    assert await town.versions("b") == [1, 2]
    assert await town.versions("a", topics.ASSIGNMENTS) == [1]
    assert [
        (fate, name, version) for fate, name, version in await town.fates() if fate == "failed"
    ] == [("failed", "b", 1)]
    town.bad_words.clear()
    [letter, _] = await town.letters()
    await town.ask("replay", letter["id"])
    assert await town.versions("b", topics.ASSIGNMENTS) == [1, 2]


async def test_a_consumer_asked_to_release_what_it_cannot_read_keeps_it(
    town: Town, records: Records
):
    """A newer replica held it; an older one touches its subject."""
    await town.inbound.process([records(ruled("a"), "a", 1)])
    older = town.make_inbound({k: v for k, v in EVENTS.items() if "objection" not in k})
    await older.process(records.matter("a", [1]))
    assert await town.fates() == [("unknown_version", "a", 1)]


def test_an_item_is_named_by_its_event_or_its_place(records: Records):
    raw = records.matter("a", [1])[0]
    message = read(raw, EVENTS)
    assert letters.identity(message) == message.id
    broken = records.raw(topics.REQUESTS, b"{")
    assert letters.identity(read(broken, EVENTS)) == letters.place_id(broken)
