"""Recording: the events and their place in the outbox in one statement, in order, or not at all."""

import asyncio
import time
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from shared.contracts.events.published import EVENTS
from shared.delivery.cloudevents import Raw, Recorded, headers_of, read
from shared.delivery.outbox.recording import Outgoing, record
from tests.integration.delivery.town import AT, Town, amended, ruled

SELECT = """
select seq, id, subject, version, type, topic, at, causation_id, traceparent, data
from event order by seq"""


async def test_what_is_recorded_is_what_a_reader_gets(town: Town):
    cause = uuid4()
    outgoing = [
        Outgoing(
            "b",
            1,
            amended("b", "路灯坏了 \u2028 \U0001f4a1"),
            AT,
            cause,
            f"00-{'a' * 32}-{'b' * 16}-00",
        ),
        Outgoing("a", 1, ruled("a"), AT + timedelta(microseconds=1)),
        Outgoing("a", 2, amended("a"), AT),
    ]
    async with town.db.transaction() as conn:
        ids = await record(conn, outgoing)
    rows = [Recorded(*row.values()) for row in await town.fetch(SELECT)]
    assert [str(row.id) for row in rows] == ids
    for row, sent in zip(rows, outgoing, strict=True):
        raw = Raw(
            row.topic, 0, 0, None, row.data.encode(), tuple(headers_of(row, "urn:liaison:town"))
        )
        message = read(raw, EVENTS)
        assert (message.event, message.time) == (sent.event, sent.at)
        assert (message.id, message.source) == (row.id, "urn:liaison:town")
        assert (message.subject, message.sequence) == (sent.subject, sent.version)
        assert (message.causation_id, message.traceparent) == (sent.causation_id, sent.traceparent)
    assert [row["seq"] for row in await town.fetch("select seq from outbox order by seq")] == [
        row.seq for row in rows
    ]


async def test_the_order_of_a_large_batch_is_the_order_of_its_sequence(town: Town):
    outgoing = [Outgoing(f"s{n % 7}", n // 7 + 1, amended("x"), AT) for n in range(700)]
    async with town.db.transaction() as conn:
        ids = await record(conn, outgoing)
    assert [str(row["id"]) for row in await town.fetch(SELECT)] == ids


async def test_a_version_is_recorded_once(town: Town):
    async with town.db.transaction() as conn:
        await record(conn, [Outgoing("a", 1, amended("a"), AT)])
    with pytest.raises(asyncpg.UniqueViolationError, match="event_subject_version"):
        async with town.db.transaction() as conn:
            await record(
                conn, [Outgoing("b", 1, amended("b"), AT), Outgoing("a", 1, ruled("a"), AT)]
            )
    assert len(await town.fetch("select 1 from event")) == 1
    assert len(await town.fetch("select 1 from outbox")) == 1


async def test_nothing_is_recorded_of_nothing(town: Town):
    async with town.db.transaction() as conn:
        assert await record(conn, []) == []


async def fail(town: Town) -> None:
    async with town.db.transaction() as conn:
        await record(conn, [Outgoing("a", 1, amended("a"), AT)])
        raise KeyError


async def test_a_commit_wakes_whoever_waits_and_a_rollback_does_not(town: Town):
    waiting = asyncio.create_task(town.db.committed.wait(5))
    await asyncio.sleep(0)
    with pytest.raises(KeyError):
        await fail(town)
    await asyncio.sleep(0.05)
    assert not waiting.done()
    begun = time.monotonic()
    async with town.db.transaction() as conn:
        await record(conn, [Outgoing("a", 1, amended("a"), AT)])
    assert await waiting
    assert time.monotonic() - begun < 4
    assert not await town.db.committed.wait(0.01), "a commit that has been is not waited for"
