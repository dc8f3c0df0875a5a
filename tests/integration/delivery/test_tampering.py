"""Whoever changes a history is refused; whoever changes it in spite of that is found, and the place is named."""

import asyncpg
import pytest

from shared.audit.hash_chain import SEAL_EVENTS
from shared.audit.verification import Anchor
from tests.integration.delivery.sealed import (
    INSERT,
    KEPT,
    add,
    erase,
    found,
    open_transaction,
    seal_all,
    seals,
    tamper,
    walked,
)
from tests.integration.delivery.town import Town


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize("statement", ["delete from {}", "truncate {} cascade", "update {} set {}"])
async def test_history_refuses_to_be_changed(town: Town, table: str, statement: str):
    await add(town, 2, "m")
    await seal_all(town)
    assert await erase(town, "m1")
    columns = {"event": "data = data", "seal": "count = 0", "erasure": "erased_by = ''"}
    change = statement.format(table, columns.get(table, "seq = seq"))
    async with town.db.reading() as conn:
        before = await conn.fetch(f"select row::text from {table} as row order by 1")
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            await conn.execute(change)
        assert await conn.fetch(f"select row::text from {table} as row order by 1") == before


async def test_what_is_empty_may_be_emptied(town: Town):
    """A restore begins so."""
    await town.execute("truncate event, seal, erasure, erased_event")


TAMPERINGS = {
    "data changed": (
        """update event set data = '{"message": "nothing happened"}' where seq = 13""",
        ("event", 2, 13),
    ),
    "an actor's moment changed": (
        "update event set at = at + interval '1 microsecond' where seq = 1",
        ("event", 1, 1),
    ),
    "a cause taken away": ("update event set causation_id = null where seq = 15", ("event", 2, 15)),
    "another subject": ("update event set subject = 'other' where seq = 25", ("event", 3, 25)),
    "a row deleted": ("delete from event where seq = 12", ("event", 2, 13)),
    "the last row of a seal deleted": (
        "delete from event where seq = 19",
        ("event_missing", 2, 19),
    ),
    "a row inserted in between": (
        """insert into event (seq, id, subject, version, type, topic, at, data) overriding system value
           values (5, uuidv7(), 'forged', 1, 'type', 'topic', now(), '{}')""",
        ("event", 1, 5),
    ),
    "the data of two exchanged": (
        """update event set data = other.data from event as other
           where event.seq in (2, 3) and other.seq = 5 - event.seq""",
        ("event", 1, 2),
    ),
    "a seal's digest changed": (
        "update seal set digest = sha256('x') where number = 2",
        ("seal", 2, None),
    ),
    "a seal that names another one before": (
        "update seal set previous = sha256('x') where number = 2",
        ("seal", 2, None),
    ),
    "a seal of fewer": ("update seal set count = 8 where number = 2", ("seal", 2, None)),
    "a seal that leaves a hole": (
        "update seal set first_seq = 12 where number = 2",
        ("seal", 2, None),
    ),
    "a seal that swallows what came after it": (
        """insert into event (id, subject, version, type, topic, at, data)
           values (uuidv7(), 'forged', 1, 'type', 'topic', now(), '{}');
           update seal set last_seq = (select max(seq) from event) where number = 3""",
        ("event", 3, 27),
    ),
    "a seal deleted": ("delete from seal where number = 2", ("seal_missing", 2, None)),
    "marks changed with the event": (
        """update event set data = '{}' where seq = 13;
           update seal set marks = overlay(marks placing substring(
               (select sha256(convert_to(json_build_array(id, subject, version, type,
                    (extract(epoch from at) * 1000000)::bigint, causation_id,
                    encode(sha256('{}'), 'hex'))::text, 'UTF8')) from event where seq = 13) for 8)
               from 2 * 8 + 1 for 8) where number = 2""",
        ("seal", 2, None),
    ),
}


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_what_was_changed_is_found_and_named(town: Town, name: str):
    statement, expected = TAMPERINGS[name]
    await add(town, 4)
    async with open_transaction(town) as gone:
        await gone.execute("begin")
        await gone.execute(INSERT, 1, 1, "gone")
        await gone.execute("rollback")
    await add(town, 21, "t")
    await seal_all(town, most=9)
    assert await seals(town) == [(1, 1, 10, 9), (2, 11, 19, 9), (3, 20, 26, 7)]
    await tamper(town)
    assert await found(town) is None
    await tamper(town, statement)
    assert await found(town) == expected


async def test_a_chain_that_was_rewritten_whole_is_found_by_what_is_kept_elsewhere(town: Town):
    await add(town, 20)
    await seal_all(town, most=10)
    last = (await walked(town)).last
    kept = Anchor(last.number, last.digest)
    assert await found(town, kept) is None
    await tamper(town, "update event set data = '{}' where seq = 4", "delete from seal")
    await seal_all(town, most=10)
    assert await found(town) is None, "it agrees with itself"
    assert await found(town, kept) == ("anchor", 2, None)


async def test_a_chain_that_was_cut_short_is_found_by_what_is_kept_elsewhere(town: Town):
    await add(town, 20)
    await seal_all(town, most=10)
    last = (await walked(town)).last
    await tamper(town, "delete from seal where number = 2", "delete from event where seq > 10")
    assert await found(town) is None
    assert await found(town, Anchor(last.number, last.digest)) == ("anchor_beyond", 2, None)


async def test_a_seal_that_was_made_anew_does_not_fit_the_next(town: Town):
    await add(town, 20)
    await seal_all(town, most=10)
    await tamper(
        town, "update event set data = '{}' where seq = 4", "delete from seal where number = 1"
    )
    async with town.db.transaction() as conn:
        assert await conn.fetchval(SEAL_EVENTS, 0, 0, bytes(32), 10, 10) == 10
    assert await found(town) == ("seal", 2, None)
