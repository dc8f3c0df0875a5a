"""What happens to the services' processes: killed, frozen, restarted in turn, joined by others."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Sequence

import asyncpg

from tests.faults.cluster import SERVICES
from tests.faults.injecting.readiness import told_not_ready
from tests.faults.replicas import Replica
from tests.faults.stand import Stand

KAFKA = ("kafka-1", "kafka-2", "kafka-3")
BATCH_OUT_SECONDS = 1.0
MIDDLE_SECONDS = 1.5
JOINS = 2
MOST_STOP_SECONDS = 30
LATE_SECONDS = 45.0

HOLDER = """
select activity.client_port from pg_locks as held join pg_stat_activity as activity using (pid)
where held.locktype = 'advisory' and held.granted and activity.datname = current_database()
  and (held.classid::bigint << 32) | held.objid::bigint = hashtextextended('liaison.relay.' || $1, 0)"""


async def killed(stand: Stand, service: str) -> None:
    """SIGKILL of one replica, which is started again; the other faults of this kind kill both at a chosen moment."""
    stand.chance.choice(stand.replicas.of(service)).send(signal.SIGKILL)


async def frozen(stand: Stand, service: str, seconds: float) -> None:
    """SIGSTOP of one replica for longer than its session at Kafka lasts; it wakes and believes that no time passed."""
    replica = stand.chance.choice(stand.replicas.of(service))
    await _freeze(replica, seconds)


async def _freeze(replica: Replica, seconds: float) -> None:
    replica.send(signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        replica.send(signal.SIGCONT)


async def relay_holder(stand: Stand, service: str) -> Replica | None:
    """The replica whose relay is at work: the one whose connection to PostgreSQL holds the lock."""
    async with stand.connection() as conn:
        seen = await conn.fetchval(HOLDER, service)
    assert stand.cluster.proxies is not None
    callers = await stand.cluster.proxies.callers(f"postgres-{service}")
    for replica in stand.replicas.of(service):
        if callers.get(seen) in replica.ports_in_use():
            return replica
    return None


async def relay_killed(stand: Stand, service: str) -> None:
    """SIGKILL of the relay's process while a batch is out: Kafka has it, and its answers are on their way."""
    async with _batch_out(stand):
        holder = await relay_holder(stand, service)
        (holder or stand.replicas.of(service)[0]).send(signal.SIGKILL)


async def relay_frozen(stand: Stand, service: str, seconds: float) -> None:
    """SIGSTOP of the relay's process while a batch is out: another takes over, and then there are two for a moment."""
    async with _batch_out(stand):
        holder = await relay_holder(stand, service) or stand.replicas.of(service)[0]
        holder.send(signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        holder.send(signal.SIGCONT)


@contextlib.asynccontextmanager
async def _batch_out(stand: Stand) -> AsyncIterator[None]:
    assert stand.cluster.proxies is not None
    await stand.cluster.proxies.order("half", *KAFKA)
    try:
        await asyncio.sleep(BATCH_OUT_SECONDS)
        yield
    finally:
        await stand.cluster.proxies.order("clear", *KAFKA)


async def killed_before_acknowledging(stand: Stand, service: str) -> None:
    """SIGKILL of both replicas after a batch was committed and before Kafka heard of it."""
    async with _batch_out(stand):
        for replica in stand.replicas.of(service):
            replica.send(signal.SIGKILL)


async def killed_before_forgetting(stand: Stand, service: str) -> None:
    """SIGKILL of both replicas after the relay's batch was sent and before its marks were seen to be deleted."""
    assert stand.cluster.proxies is not None
    await stand.cluster.proxies.order("half", f"postgres-{service}")
    try:
        await asyncio.sleep(BATCH_OUT_SECONDS)
        for replica in stand.replicas.of(service):
            replica.send(signal.SIGKILL)
    finally:
        await stand.cluster.proxies.order("clear", f"postgres-{service}")


TABLES = {"intake": "intake.request", "routing": "routing.matter", "followup": "followup.matter"}


async def locked(stand: Stand, service: str, seconds: float) -> None:
    """Somebody else holds a lock on the service's main table."""
    # Another fault may end the session that holds it.
    with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        async with stand.connection() as conn, conn.transaction():
            await conn.execute(f"lock table {TABLES[service]} in access exclusive mode", timeout=60)
            await asyncio.sleep(seconds)
            if seconds > LATE_SECONDS:
                names = [replica.name for replica in stand.replicas.of(service)]
                await told_not_ready(stand, seconds, "behind a lock", names)


async def killed_in_the_middle(stand: Stand, service: str) -> None:
    """SIGKILL of both replicas while a batch waits inside its transaction."""
    async with asyncio.TaskGroup() as group:
        group.create_task(locked(stand, service, MIDDLE_SECONDS))
        await asyncio.sleep(MIDDLE_SECONDS * 0.8)
        for replica in stand.replicas.of(service):
            replica.send(signal.SIGKILL)


async def rebalanced(stand: Stand) -> None:
    """More replicas come and go while batches are at work, so that partitions change hands."""
    for _ in range(JOINS):
        async with _joined(stand):
            await stand.replicas.ready()


async def relays_without_lock(stand: Stand, seconds: float) -> None:
    """Replicas whose relay does not ask for the lock, beside those that hold it."""
    launcher = ("-m", "tests.faults.launcher", "relay_without_lock")
    async with _joined(stand, launcher):
        await stand.replicas.ready()
        await asyncio.sleep(seconds)


@contextlib.asynccontextmanager
async def _joined(stand: Stand, launcher: Sequence[str] | None = None) -> AsyncIterator[None]:
    """One more replica of each service."""
    more = [stand.replicas.add(service, 3, launcher) for service in SERVICES]
    try:
        for replica in more:
            replica.start()
        yield
    finally:
        await asyncio.gather(*(replica.stop() for replica in more))
        for replica in more:
            stand.replicas.all.remove(replica)


async def rolled(stand: Stand) -> None:
    """SIGTERM of each replica in turn, the next when the one before is ready again."""
    for replica in list(stand.replicas.all):
        took = await replica.stop()
        assert took < MOST_STOP_SECONDS, f"{replica.name} took {took:.0f} s to stop"
        replica.start()
        await stand.replicas.ready()
