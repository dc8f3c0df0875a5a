"""What was recorded reaches Kafka: all of it, each subject in order, whatever stops meanwhile."""

import asyncio
import contextlib
from collections import defaultdict
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from shared.contracts import topics
from shared.contracts.topics import MAX_MESSAGE_BYTES
from shared.delivery.cloudevents import MAX_VALUE_BYTES
from shared.delivery.kafka.address import KafkaAddress
from shared.delivery.outbox import relay as relay_module
from shared.delivery.outbox.recording import EventTooLarge, Outgoing, record
from shared.delivery.outbox.relay import Relay
from shared.runtime.database import is_transient
from tests.integration.delivery.town import AT, Town, amended
from tests.integration.delivery.wire import read_records, under_way, until

SOURCE = "urn:liaison:town"


def facts(subject: str, versions: range, words: str = "a fact") -> list[Outgoing]:
    return [Outgoing(subject, version, amended(subject, words), AT) for version in versions]


async def recorded(town: Town, outgoing: list[Outgoing]) -> list[str]:
    async with town.db.transaction() as conn:
        return await record(conn, outgoing)


async def is_empty(town: Town) -> bool:
    return await town.fetch("select 1 from outbox limit 1") == []


def header(item, name: str) -> str:
    return dict(item.headers)[name].decode()


async def test_an_event_travels_as_a_cloudevent(town: Town, address: KafkaAddress):
    cause = UUID("018f3c1e-0000-7000-8000-000000000001")
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    async with town.db.transaction() as conn:
        [event_id] = await record(
            conn, [Outgoing("a", 1, amended("a", "路灯坏了"), AT, cause, trace)]
        )
    async with under_way(Relay(town.db, address, SOURCE).run):
        [item] = await read_records(address, [topics.REQUESTS], 1)
        await until(lambda: is_empty(town))
    assert item.key == b"a"
    assert {name: value.decode() for name, value in item.headers} == {
        "ce_specversion": "1.0",
        "ce_id": str(event_id),
        "ce_source": SOURCE,
        "ce_type": "liaison.request.amended.v1",
        "ce_time": "2026-03-02T09:30:00+00:00",
        "ce_subject": "a",
        "ce_sequence": "1",
        "ce_causationid": str(cause),
        "content-type": "application/json",
        "traceparent": trace,
    }
    assert b"\\u" not in item.value
    assert "路灯坏了" in item.value.decode()


HOT = 5
WRITERS = 8
EACH = 60

NEXT = """
insert into hot (subject) values ($1)
on conflict (subject) do update set version = hot.version + 1 returning version"""


async def write(town: Town, writer: int, every_other: str) -> None:
    """Record events of hot subjects, some in transactions that wrote something else long before."""
    for number in range(EACH):
        subject = f"hot{(writer + number) % HOT}"
        async with town.db.transaction() as conn:
            # An early write gives the transaction a low id, whatever the order of the locks.
            await conn.execute("insert into known (subject) values ($1)", f"{writer}-{number}")
            await asyncio.sleep(0.001 * (number % 4))
            version = await conn.fetchval(NEXT, subject)
            await record(conn, facts(subject, range(version, version + 1), every_other))


async def test_order_is_kept_under_concurrent_writers_and_nothing_is_skipped(
    town: Town, address: KafkaAddress
):
    await town.execute(
        "create table hot (subject text primary key, version int not null default 1)"
    )
    async with under_way(Relay(town.db, address, SOURCE).run):
        await asyncio.gather(*(write(town, writer, "w") for writer in range(WRITERS)))
        found = await read_records(address, [topics.REQUESTS], WRITERS * EACH)
        await until(lambda: is_empty(town))
    versions = defaultdict(list)
    for item in found:
        versions[header(item, "ce_subject")].append(int(header(item, "ce_sequence")))
    assert sum(map(len, versions.values())) == WRITERS * EACH
    for subject, came in versions.items():
        assert came == list(range(1, len(came) + 1)), subject
    stored = await town.fetch("select id from event")
    assert {row["id"] for row in stored} == {UUID(header(item, "ce_id")) for item in found}


async def test_an_open_transaction_elsewhere_holds_nothing_up(town: Town, address: KafkaAddress):
    other = await asyncpg.connect(town.url, server_settings={"search_path": "town"})
    async with under_way(Relay(town.db, address, SOURCE).run), other.transaction():
        await other.execute("insert into known (subject) values ('open')")
        await recorded(town, facts("a", range(1, 4)))
        assert len(await read_records(address, [topics.REQUESTS], 3)) == 3
    await other.close()


async def test_business_time_far_from_now_is_no_matter(town: Town, address: KafkaAddress):
    """A rehearsal's clock runs days ahead; brokers refuse records of the future, and forget those of the past."""
    ahead, long_ago = AT + timedelta(days=3650), AT - timedelta(days=3650)
    await recorded(
        town, [Outgoing("a", 1, amended("a"), ahead), Outgoing("a", 2, amended("a"), long_ago)]
    )
    async with under_way(Relay(town.db, address, SOURCE).run):
        found = await read_records(address, [topics.REQUESTS], 2)
        await until(lambda: is_empty(town))
    assert [header(item, "ce_time")[:4] for item in found] == ["2036", "2016"]
    assert abs(found[0].timestamp - found[1].timestamp) < 60_000


async def test_pending_events_are_read_by_their_keys_whatever_the_statistics_say(town: Town):
    """Those of an empty table, which are every town's on its first day, once led to reading all events a batch."""
    await town.execute("analyze event")
    await town.execute("analyze outbox")
    await recorded(town, facts("a", range(1, 2001)))
    session = await relay_module.open_session(town.db)
    try:
        plan = await session.fetch(f"explain {relay_module.SELECT_PENDING}", 1000)
    finally:
        await session.close()
    lines = "\n".join(row[0] for row in plan)
    assert "Index Scan using event_pkey" in lines
    assert "Seq Scan" not in lines


async def test_a_crash_between_acknowledgement_and_delete_sends_the_same_ids_again(
    town: Town, address: KafkaAddress, monkeypatch: pytest.MonkeyPatch
):
    ids = await recorded(town, facts("a", range(1, 4)))
    with monkeypatch.context() as crash:
        crash.setattr(relay_module, "DELETE_SENT", "select 1/0 where $1::bigint[] is not null")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await Relay(town.db, address, SOURCE).run()
    assert not await is_empty(town)
    async with under_way(Relay(town.db, address, SOURCE).run):
        found = await read_records(address, [topics.REQUESTS], 6)
        await until(lambda: is_empty(town))
    assert [header(item, "ce_id") for item in found] == ids * 2
    assert [header(item, "ce_sequence") for item in found] == ["1", "2", "3"] * 2


async def test_rewinding_sends_history_again(town: Town, address: KafkaAddress):
    ids = await recorded(town, facts("a", range(1, 4)))
    async with under_way(Relay(town.db, address, SOURCE).run):
        await until(lambda: is_empty(town))
        await town.execute("insert into outbox (seq) select seq from event")
        found = await read_records(address, [topics.REQUESTS], 6)
    assert [header(item, "ce_id") for item in found] == ids * 2


LEADERS = """
select pid from pg_locks where locktype = 'advisory' and granted
and database = (select oid from pg_database where datname = current_database())"""


async def leader(town: Town) -> int | None:
    rows = await town.fetch(LEADERS)
    assert len(rows) <= 1
    return rows[0]["pid"] if rows else None


async def test_a_second_relay_stands_by_and_takes_over(town: Town, address: KafkaAddress):
    """The first one's session is ended under it, as by a network that went away."""
    relays = [Relay(town.db, address, SOURCE) for _ in range(2)]
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    try:
        first = await until(lambda: leader(town))
        await recorded(town, facts("a", range(1, 3)))
        await until(lambda: is_empty(town))
        assert not any(task.done() for task in tasks)
        await town.execute(f"select pg_terminate_backend({first})")
        await recorded(town, facts("a", range(3, 5)))
        await until(lambda: is_empty(town))
        assert await leader(town) != first
        [ended] = await asyncio.wait_for(ends(tasks), 10)
        with pytest.raises(Exception) as fault:  # noqa: PT011 - one of many kinds, judged below
            await ended
        assert is_transient(fault.value)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    found = await read_records(address, [topics.REQUESTS], 4)
    assert [header(item, "ce_sequence") for item in found] == ["1", "2", "3", "4"]


async def ends(tasks):
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    return done


async def test_a_leader_that_fell_silent_loses_its_lock(
    town: Town, address: KafkaAddress, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(relay_module, "IDLE_SECONDS", 0.5)
    silent = await relay_module.connect(town.url, "town", idle_session_timeout="500")
    assert await silent.fetchval(relay_module.TRY_LEAD)
    async with under_way(Relay(town.db, address, SOURCE).run):
        await recorded(town, facts("a", range(1, 2)))
        await until(lambda: is_empty(town))
    with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        await silent.close(timeout=1)


async def test_a_leader_whose_sends_take_long_keeps_its_lock(
    town: Town, address: KafkaAddress, monkeypatch: pytest.MonkeyPatch
):
    """A slow broker must not make two relays take the work from one another without end."""
    monkeypatch.setattr(relay_module, "IDLE_SECONDS", 0.6)
    monkeypatch.setattr(relay_module, "SIGN_OF_LIFE_SECONDS", 0.2)
    relay = Relay(town.db, address, SOURCE)
    send = relay._send

    async def slowly(producer, sending):
        await asyncio.sleep(2)
        await send(producer, sending)

    monkeypatch.setattr(relay, "_send", slowly)
    await recorded(town, facts("a", range(1, 4)))
    async with under_way(relay.run), under_way(Relay(town.db, address, SOURCE).run):
        await until(lambda: is_empty(town))
    assert len(await read_records(address, [topics.REQUESTS], 3)) == 3


async def test_an_event_above_the_limit_is_refused_before_it_is_kept(
    town: Town, address: KafkaAddress
):
    with pytest.raises(EventTooLarge):
        await recorded(town, facts("a", range(1, 2), "长" * (MAX_VALUE_BYTES // 3)))
    with pytest.raises(EventTooLarge):
        await recorded(town, facts("s" * 201, range(1, 2)))
    with pytest.raises(EventTooLarge):
        await recorded(town, [Outgoing("a", 1, amended("a"), AT, traceparent="x" * 201)])
    assert await town.fetch("select 1 from event") == []


async def test_the_largest_event_that_may_be_recorded_passes(town: Town, address: KafkaAddress):
    room = MAX_VALUE_BYTES - len(amended("a", "").model_dump_json())
    await recorded(town, facts("a", range(1, 2), "x" * room))
    async with under_way(Relay(town.db, address, SOURCE).run):
        [item] = await read_records(address, [topics.REQUESTS], 1)
    assert len(item.value) == MAX_VALUE_BYTES < MAX_MESSAGE_BYTES


async def test_a_hundred_large_events_pass(town: Town, address: KafkaAddress):
    """More than fits into the producer's memory or into one batch."""
    for number in range(40):
        await recorded(town, facts(f"m{number}", range(1, 2), "x" * 900_000))
    async with under_way(Relay(town.db, address, SOURCE).run):
        await until(lambda: is_empty(town))
    assert len(await read_records(address, [topics.REQUESTS], 40)) == 40
