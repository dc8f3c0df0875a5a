"""What happens to PostgreSQL and Kafka: stopped, crowded, full, slow, wiped."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator

import asyncpg

from shared.delivery.outbox.republish import GONE_SECONDS, rewind
from tests.faults.cluster import NODES, SERVICES
from tests.faults.injecting.readiness import told_not_ready
from tests.faults.stand import Stand

POLL_SECONDS = 0.25
DRAIN_SECONDS = 60.0
DOWN_SECONDS = 1.0
MOST_CONNECTIONS = 400
CROWD_SECONDS = 60.0
CROWD_PAUSE_SECONDS = 0.05

TERMINATE = """
select count(pg_terminate_backend(pid)) from pg_stat_activity
where application_name like 'liaison-%' and datname = current_database()"""


async def terminate(stand: Stand) -> None:
    """End every session of the services at PostgreSQL's side."""
    await stand.sql(TERMINATE)


async def sessions_ended(stand: Stand, times: int) -> None:
    """pg_terminate_backend of all sessions of the services, again and again."""
    for _ in range(times):
        await terminate(stand)
        await asyncio.sleep(0.7)


async def postgres_stopped(stand: Stand, seconds: float = DOWN_SECONDS) -> None:
    """An immediate stop, as by a power cut, and a start that recovers from the log."""
    postgres = stand.cluster.postgres
    assert postgres is not None
    await postgres.end(signal.SIGQUIT)
    await asyncio.sleep(seconds)
    await told_not_ready(stand, seconds, "without PostgreSQL")
    postgres.start()
    await postgres.ready()


async def long_transaction(stand: Stand, seconds: float) -> None:
    """Somebody else's transaction, with a number and a snapshot, stays open: nothing before it can be cleared away."""
    with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        async with stand.connection() as conn, conn.transaction(isolation="repeatable_read"):
            await conn.execute("create temporary table mine on commit drop as select 1")
            await asyncio.sleep(seconds)


async def crowded(stand: Stand, seconds: float) -> None:
    """Somebody takes every connection that PostgreSQL has, those of the services too."""
    held: list[asyncpg.Connection] = []
    try:
        await _crowd(stand, held, time.monotonic() + CROWD_SECONDS)
        await _crowd(stand, held, time.monotonic() + seconds, stay=True)
        await told_not_ready(stand, seconds, "without a connection")
    finally:
        for connection in held:
            connection.terminate()


async def _crowd(
    stand: Stand, held: list[asyncpg.Connection], until: float, *, stay: bool = False
) -> None:
    """Take connections until there is none, or whatever becomes free until then."""
    while time.monotonic() < until and len(held) < MOST_CONNECTIONS:
        try:
            held.append(await asyncpg.connect(stand.url(), timeout=5))
        except (asyncpg.PostgresError, OSError, TimeoutError):
            if not held:
                break
            await held[0].execute(TERMINATE)
            if not stay:
                break
            await asyncio.sleep(CROWD_PAUSE_SECONDS)


async def disk_full(stand: Stand, seconds: float) -> None:
    """No space is left on PostgreSQL's volume."""
    volume, postgres = stand.cluster.volume, stand.cluster.postgres
    assert volume is not None
    assert postgres is not None
    await asyncio.to_thread(volume.fill)
    try:
        await asyncio.sleep(seconds)
        await told_not_ready(stand, seconds, "with a full disk", ["intake-1", "intake-2"])
    finally:
        await asyncio.to_thread(volume.free)
    if postgres.child is None or postgres.child.poll() is not None:
        # It may give up when it cannot write its log.
        await postgres.end(signal.SIGQUIT)
        postgres.start()
    await postgres.ready()


SLOW = """
create or replace function public.slow() returns trigger language plpgsql
as $$ begin perform pg_sleep(11); return new; end $$"""


async def slow_statements(stand: Stand, service: str, seconds: float) -> None:
    """Every insert into the service's history takes longer than a statement may."""
    table = f"{service}.event"
    await stand.sql(SLOW)
    await stand.sql(
        f"create trigger slow before insert on {table} for each row execute function public.slow()"
    )
    try:
        await asyncio.sleep(seconds)
    finally:
        await stand.sql(f"drop trigger slow on {table}")


async def brokers_killed(stand: Stand, seconds: float, count: int = 1) -> None:
    """SIGKILL of `count` brokers, which come back; without two of three nothing is acknowledged."""
    nodes = [stand.cluster.kafka[number] for number in stand.chance.sample(NODES, count)]
    await asyncio.gather(*(node.end(signal.SIGKILL) for node in nodes))
    await asyncio.sleep(seconds)
    for node in nodes:
        node.start()
    await stand.cluster.kafka_ready()


async def broker_frozen(stand: Stand, seconds: float) -> None:
    """SIGSTOP of one broker for longer than the others wait for it."""
    node = stand.cluster.kafka[stand.chance.choice(NODES)]
    node.send(signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        node.send(signal.SIGCONT)
    await stand.cluster.kafka_ready()


async def all_brokers_killed(stand: Stand, seconds: float) -> None:
    """SIGKILL of all brokers at once; intake goes on, and everybody says that Kafka is away."""
    nodes = list(stand.cluster.kafka.values())
    await asyncio.gather(*(node.end(signal.SIGKILL) for node in nodes))
    async with _taking_without_kafka(stand):
        await asyncio.sleep(seconds)
        await told_not_ready(stand, seconds, "without Kafka")
    for node in nodes:
        node.start()
    await stand.cluster.kafka_ready()


async def all_brokers_frozen(stand: Stand, seconds: float) -> None:
    """SIGSTOP of all brokers: connections stay open and nobody answers on them."""
    nodes = list(stand.cluster.kafka.values())
    for node in nodes:
        node.send(signal.SIGSTOP)
    try:
        async with _taking_without_kafka(stand):
            await asyncio.sleep(seconds)
            await told_not_ready(stand, seconds, "while Kafka says nothing")
    finally:
        for node in nodes:
            node.send(signal.SIGCONT)
    await stand.cluster.kafka_ready()


@contextlib.asynccontextmanager
async def _taking_without_kafka(stand: Stand) -> AsyncIterator[None]:
    acked = len(stand.load.journal.acked)
    yield
    if len(stand.load.journal.acked) == acked:
        stand.load.journal.complain("intake took nothing while Kafka was away")


async def kafka_wiped(stand: Stand, sent_again: bool = True) -> None:
    """Kafka loses everything, and the histories are sent again; strangers' records had been read before."""
    stand.load.on_kafka = False
    await _submissions_read(stand)
    await stand.reader.end()
    await stand.cluster.wipe_kafka()
    if sent_again:
        for service in SERVICES:
            async with stand.connection() as conn:
                await conn.execute(f"set search_path = {service}")
                await rewind(conn)
        await asyncio.sleep(GONE_SECONDS)
    await stand.cluster.make_topics(stand.prefix, stand.size.partitions)
    stand.reader.begin()
    stand.load.on_kafka = True


async def _submissions_read(stand: Stand) -> None:
    """Wait until intake has all that was put on its topic, while nothing more is."""
    async with asyncio.timeout(DRAIN_SECONDS):
        while stand.load.sending or await stand.checker.missing():
            await asyncio.sleep(POLL_SECONDS)
