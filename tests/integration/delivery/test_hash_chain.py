"""The chain covers every event once, in the order of their numbers, whoever is late, and is made by one at a time."""

import asyncio
import json
from uuid import uuid4

from shared.audit.hash_chain import Sealed, Sealer, chained, own_digest
from tests.integration.delivery.sealed import (
    INSERT,
    add,
    found,
    open_transaction,
    seal_all,
    seals,
    walked,
)
from tests.integration.delivery.town import AT, Town


async def test_all_is_sealed_in_bounded_steps(town: Town):
    await add(town, 25)
    await seal_all(town, most=10)
    assert await seals(town) == [(1, 1, 10, 10), (2, 11, 20, 10), (3, 21, 25, 5)]
    verdict = await walked(town)
    assert (verdict.seals, verdict.events, verdict.unsealed) == (3, 25, 0)
    assert verdict.altered is None


async def test_nothing_new_makes_no_seal(town: Town):
    await add(town, 3)
    sealer = await seal_all(town)
    assert await sealer.step() is False
    assert len(await seals(town)) == 1


async def test_what_is_not_sealed_yet_is_counted(town: Town):
    await add(town, 3)
    await seal_all(town)
    await add(town, 4, "t")
    assert (await walked(town)).unsealed == 4


async def test_an_event_that_is_late_is_waited_for(town: Town):
    """Its number is drawn before others that are committed; a seal that passed over it would never hold it."""
    sealer = Sealer(town.db)
    async with open_transaction(town) as late:
        transaction = late.transaction()
        await transaction.start()
        await late.execute(INSERT, 1, 2, "late")
        await add(town, 3)
        assert await town.fetch("select min(seq) from event") == [(3,)]
        for _ in range(3):
            assert await sealer.step() is False
        assert await seals(town) == []
        await transaction.commit()
    await sealer.step()
    assert await seals(town) == [(1, 1, 5, 5)]
    assert await found(town) is None


async def test_an_event_that_is_late_and_never_comes_is_passed_over(town: Town):
    sealer = Sealer(town.db)
    async with open_transaction(town) as late:
        await late.execute("begin")
        await late.execute(INSERT, 1, 2, "late")
        await add(town, 3)
        await sealer.step()
        await late.execute("rollback")
    await sealer.step()
    assert await seals(town) == [(1, 1, 5, 3)]


async def test_who_begins_to_write_later_is_not_waited_for(town: Town):
    """There is always somebody who writes; only those count who may precede what is to be sealed."""
    sealer = Sealer(town.db)
    async with open_transaction(town) as first, open_transaction(town) as second:
        await first.execute("begin")
        await first.execute(INSERT, 1, 1, "first")
        await add(town, 1)
        await sealer.step()
        await second.execute("begin")
        await second.execute(INSERT, 1, 1, "second")
        await first.execute("commit")
        await sealer.step()
        assert await seals(town) == [(1, 1, 2, 2)]
        await add(town, 1, "t")
        assert await sealer.step() is False
        await second.execute("commit")
    await sealer.step()
    assert await seals(town) == [(1, 1, 2, 2), (2, 3, 4, 2)]
    assert await found(town) is None


async def test_a_transaction_that_only_reads_is_not_waited_for(town: Town):
    await add(town, 1)
    async with open_transaction(town) as reader:
        await reader.execute("begin isolation level repeatable read")
        await reader.fetch("select * from event")
        await seal_all(town)
    assert len(await seals(town)) == 1


async def test_two_sealers_make_one_chain(town: Town):
    await add(town, 400)
    done = asyncio.Event()

    async def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            await add(town, 3, f"w{number}-")

    async def run() -> None:
        sealer = Sealer(town.db, most=7, rest_seconds=0)
        for _ in range(60):
            await sealer.step()

    writing = asyncio.create_task(write())
    try:
        await asyncio.gather(run(), run())
    finally:
        done.set()
        await writing
    await seal_all(town)
    verdict = await walked(town)
    assert verdict.altered is None
    assert verdict.unsealed == 0
    [counted] = await town.fetch("select count(*) from event")
    assert verdict.events == counted[0] > 400


async def test_while_another_has_the_chain_nothing_is_sealed(town: Town):
    await add(town, 2)
    async with open_transaction(town) as other:
        await other.execute("begin")
        await other.execute(
            "select pg_advisory_xact_lock(hashtextextended('liaison.seal.town', 0))"
        )
        assert await Sealer(town.db).step() is False
        assert await seals(town) == []


async def test_the_chain_can_be_computed_by_hand(town: Town):
    """As docs/operations/audit.md describes it, for whoever trusts no program of ours."""
    odd = ["plain", "店小二", 'quote " and \\', "tab\t line\n bell\x07 delete\x7f", "é😀"]
    for subject in odd:
        await town.execute(
            """insert into event (id, subject, version, type, topic, at, causation_id, data)
               values ($1, $2, 7, 'type', 'topic', $3, $4, $5)""",
            uuid4(),
            subject,
            AT,
            uuid4(),
            json.dumps({"words": subject}, indent=2),
        )
    await seal_all(town)
    rows = await town.fetch(
        "select *, sha256(convert_to(data::text, 'UTF8')) as sha from event order by seq"
    )
    own = [
        own_digest(Sealed(r["id"], r["subject"], 7, "type", r["at"], r["causation_id"], r["sha"]))
        for r in rows
    ]
    [seal] = await town.fetch("select digest, marks from seal")
    assert seal["digest"] == chained(bytes(32), own)
    assert seal["marks"] == b"".join(digest[:8] for digest in own)
