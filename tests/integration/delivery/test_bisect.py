"""One bad message costs no other its place; a fault of the infrastructure costs no message anything."""

import asyncio
import math
import os
import signal

import asyncpg
import pytest

from shared.contracts import topics
from shared.contracts.events.published import EVENTS
from shared.delivery.inbox import bisect
from shared.runtime.database import is_transient
from tests.integration.delivery.town import Records, Town, amended


async def test_one_bad_message_in_five_hundred(town: Town, records: Records):
    """Exactly one dead letter and 499 applied; its later versions wait; a replay brings them in order."""
    town.bad_words.add("bad")
    batch = [raw for number in range(499) for raw in records.matter(f"m{number:03}", [1])]
    batch.insert(250, records(amended("bad matter", "bad"), "bad matter", 1))
    await town.inbound.process(batch)
    assert len(await town.applied()) == 499
    assert await town.fates() == [("failed", "bad matter", 1)]
    # The whole batch twice, then both halves of each part that holds it: not one attempt for each message.
    assert len(town.batches) <= 2 + 2 * math.ceil(math.log2(500))

    await town.inbound.process(records.matter("bad matter", [2, 3]) + records.matter("m007", [2]))
    assert await town.versions("m007") == [1, 2]
    assert await town.fates() == [
        ("failed", "bad matter", 1),
        ("gap", "bad matter", 2),
        ("gap", "bad matter", 3),
    ]

    town.bad_words.clear()
    await town.ask("replay", (await town.letters())[0]["id"])
    assert await town.versions("bad matter") == [1, 2, 3]
    assert await town.letters() == []
    assert len(await town.letters("replayed")) == 1


async def test_a_bad_message_between_others_of_its_subject(town: Town, records: Records):
    town.bad_words.add("bad")
    batch = records.matter("a", [1, 2])
    batch += [records(amended("a", "bad"), "a", 3)]
    batch += records.matter("a", [4, 5])
    await town.inbound.process(batch)
    assert await town.versions("a") == [1, 2]
    assert await town.fates() == [("failed", "a", 3), ("gap", "a", 4), ("gap", "a", 5)]


async def test_many_bad_messages_each_have_a_letter(town: Town, records: Records):
    town.bad_words.add("bad")
    good = {f"m{number:02}" for number in range(60) if number % 7}
    names = [f"m{number:02}" for number in range(60)]
    await town.inbound.process(
        [records(amended(name, "fine" if name in good else "bad"), name, 1) for name in names]
    )
    assert {subject for subject, _ in await town.applied()} == good
    assert {subject for _, subject, _ in await town.fates()} == set(names) - good


async def test_a_redelivered_bad_message_has_one_letter(town: Town, records: Records):
    town.bad_words.add("bad")
    raw = records(amended("a", "bad"), "a", 1)
    await town.inbound.process([raw])
    await town.make_inbound().process([raw, *records.matter("b", [1])])
    [letter] = await town.letters()
    assert letter["attempts"] == 1
    assert len(await town.fetch("select 1 from event where type like '%dead_letter%'")) == 1


async def test_a_letter_is_told_on_its_topic(town: Town, records: Records):
    town.bad_words.add("bad")
    await town.inbound.process([records(amended("a", "bad"), "a", 1)])
    [letter] = await town.letters()
    [event] = await town.fetch("select subject, version, type, topic, data from event")
    assert (event["topic"], event["type"]) == (
        topics.DEAD_LETTERS,
        "liaison.dead_letter.recorded.v1",
    )
    assert (event["subject"], event["version"]) == (str(letter["id"]), 1)
    told = EVENTS[event["type"]].model_validate_json(event["data"])
    assert told.model_dump(include={"service", "topic", "fate", "subject"}) == {
        "service": "town",
        "topic": topics.REQUESTS,
        "fate": "failed",
        "subject": "a",
    }
    assert len(await town.fetch("select 1 from outbox")) == 1


async def test_a_reason_names_the_place_and_never_the_values(town: Town, records: Records):
    """A handler's or PostgreSQL's own words quote the row, and rows hold people."""
    town.bad_words.add("bad")
    await town.execute("alter table effect add constraint no_phone check (words <> '13800138000')")
    await town.inbound.process(
        [
            records(amended("a", "bad"), "a", 1),
            records(amended("b", "13800138000"), "b", 1),
        ]
    )
    reasons = [row["reason"] for row in await town.letters()]
    assert reasons[0].startswith("Refused at tests/integration/delivery/town.py:")
    assert reasons[1].startswith("CheckViolationError (23514 effect no_phone) at tests/")
    assert "13800138000" not in "".join(reasons)


async def test_what_no_table_can_hold_is_the_data_s_fault(town: Town, records: Records):
    """U+0000 in a text: valid JSON, a valid event, and no text for PostgreSQL."""
    await town.inbound.process(
        [records(amended("a", "nul \0 inside"), "a", 1), *records.matter("b", [1])]
    )
    assert await town.applied() == [("b", 1)]
    [letter] = await town.letters()
    assert (letter["fate"], letter["subject"]) == ("failed", "a")


async def test_a_topic_without_a_handler_is_set_aside(town: Town, records: Records):
    event = EVENTS["liaison.matter.contacted.v1"].model_validate(
        {
            "actor": {"role": "clock", "party": "x"},
            "matter_id": "a",
            "state": "in_progress",
            "round": 1,
        }
    )
    await town.inbound.process([records(event, "a", 1)])
    assert [fate for fate, _, _ in await town.fates()] == ["failed"]


KILL_OTHERS = """
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()"""


async def test_sessions_cut_in_the_middle_of_a_batch_are_retried_in_place(
    town: Town, records: Records
):
    cut = 0

    async def cut_session(conn, messages):
        nonlocal cut
        if cut < 3:
            cut += 1
            killer = await asyncpg.connect(town.url)
            await killer.execute(KILL_OTHERS)
            await killer.close()

    town.before_apply.append(cut_session)
    await town.inbound.process(records.matter("a", [1, 2]) + records.matter("b", [1]))
    assert cut == 3
    assert await town.versions("a") == [1, 2]
    assert await town.versions("b") == [1]
    assert await town.letters() == []


async def test_a_session_cut_while_the_bad_message_is_looked_for(town: Town, records: Records):
    """The search begins again; nothing of the first search is left."""
    town.bad_words.add("bad")
    batch = [raw for number in range(20) for raw in records.matter(f"m{number:02}", [1])]
    batch.insert(9, records(amended("bad matter", "bad"), "bad matter", 1))

    async def cut_once(conn, messages):
        if len(town.batches) == 5:
            killer = await asyncpg.connect(town.url)
            await killer.execute(KILL_OTHERS)
            await killer.close()

    town.before_apply.append(cut_once)
    await town.inbound.process(batch)
    assert len(await town.applied()) == 20
    assert await town.fates() == [("failed", "bad matter", 1)]
    assert (await town.letters())[0]["attempts"] == 1


async def test_a_session_that_fell_silent_is_left_behind(town: Town):
    """It is closed, not asked to roll back: that would wait as long again, and PostgreSQL does it by itself."""
    silent: list[int] = []

    async def ask() -> None:
        async with town.db.transaction() as conn:
            silent.append(await conn.fetchval("select pg_backend_pid()"))
            os.kill(silent[0], signal.SIGSTOP)
            await conn.execute("select 1", timeout=1)

    try:
        with pytest.raises(asyncpg.InterfaceError, match="closed") as found:
            await ask()
        assert is_transient(found.value)
    finally:
        os.kill(silent[0], signal.SIGCONT)


async def test_a_lock_that_another_holds_is_waited_for(town: Town, records: Records):
    await town.inbound.process(records.matter("a", [1]))
    other = await asyncpg.connect(town.url, server_settings={"search_path": "town"})
    async with other.transaction():
        await other.execute("select from seen where subject = 'a' for update")
        taking = asyncio.create_task(town.inbound.process(records.matter("a", [2])))
        await asyncio.sleep(0.3)
        assert not taking.done()
    await taking
    await other.close()
    assert await town.versions("a") == [1, 2]
    assert await town.letters() == []


async def test_a_fault_that_lasts_is_raised_with_nothing_applied(
    town: Town, records: Records, monkeypatch: pytest.MonkeyPatch
):
    """Then the partition is read again: no letter, no claim, no loss."""
    monkeypatch.setattr(bisect, "PATIENCE_SECONDS", 0.3)
    batch = records.matter("a", [1])

    async def no_network(conn, messages):
        raise ConnectionResetError("gone")

    town.before_apply.append(no_network)
    with pytest.raises(ConnectionResetError):
        await town.inbound.process(batch)
    assert len(town.batches) > 1, "it was tried again in place"
    assert await town.letters() == []
    town.before_apply.clear()
    await town.inbound.process(batch)
    assert await town.versions("a") == [1]


async def test_a_table_that_is_not_there_is_no_message_s_fault(
    town: Town, records: Records, monkeypatch: pytest.MonkeyPatch
):
    """A program that runs ahead of its migration must not fill the dead letters."""
    monkeypatch.setattr(bisect, "PATIENCE_SECONDS", 0.3)

    async def newer(conn, messages):
        await conn.execute("select from not_migrated_yet")

    town.before_apply.append(newer)
    with pytest.raises(asyncpg.UndefinedTableError):
        await town.inbound.process(records.matter("a", [1]))
    assert await town.letters() == []


async def test_a_mistake_in_a_query_is_not_retried_for_ever(town: Town, records: Records):
    """asyncpg reports a wrong argument and a wrong number of them as errors of its own."""

    async def wrong(conn, messages):
        if messages and messages[0].subject == "a":
            await conn.fetch("select $1::int", "no number")
        if messages and messages[0].subject == "b":
            await conn.fetch("select $1::int", 1, 2)

    town.before_apply.append(wrong)
    for name in ("a", "b", "c"):
        await town.inbound.process(records.matter(name, [1]))
    assert await town.applied() == [("c", 1)]
    assert await town.fates() == [("failed", "a", 1), ("failed", "b", 1)]
