"""The relay of the transactional outbox: publishes recorded events in order, one relay per service."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import TYPE_CHECKING, TypeAlias

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.contracts.topics import MAX_MESSAGE_BYTES
from shared.delivery.cloudevents import Recorded
from shared.delivery.kafka.address import KafkaAddress
from shared.delivery.outbox.packing import Packing, Sending
from shared.delivery.spans import departing, export_sent
from shared.observability.metrics import RELAYED
from shared.observability.tracing import Tracer
from shared.runtime.cancellation import ended
from shared.runtime.database import Database, connect

if TYPE_CHECKING:
    Session: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    Session = asyncpg.Connection

log = structlog.get_logger()

BATCH = 1000
FEW = 8
REST_SECONDS = 0.005
"""Pause in seconds after a batch of more than FEW events; a send costs about 1 ms whatever its size."""
POLL_SECONDS = 0.05
STANDBY_SECONDS = 0.25
START_SECONDS = 30.0
SEND_SECONDS = 30.0
STOP_SECONDS = 5.0
CUT_SECONDS = 2.0
REQUEST_SECONDS = 10.0
IDLE_SECONDS = 5.0
SIGN_OF_LIFE_SECONDS = 1.0

TRY_LEAD = "select pg_try_advisory_lock(hashtextextended('liaison.relay.' || current_schema(), 0))"

# As many as fit into 8 MiB, one at least: a batch is held in memory, and sent within its time. Lateral: each event is
# looked up by its key, whatever the statistics say of the tables.
SELECT_PENDING = """
select seq, id, subject, version, type, topic, at, causation_id, traceparent, data
from (
    select event.seq, event.id, event.subject, event.version, event.type, event.topic, event.at,
           event.causation_id, event.traceparent, event.data,
           sum(octet_length(event.data::text)) over (order by outbox.seq)
               - octet_length(event.data::text) as before
    from (select seq from outbox order by seq limit $1) as outbox
    cross join lateral (select * from event where event.seq = outbox.seq offset 0) as event
) as pending
where before < 8 * 1024 * 1024 order by seq"""

DELETE_SENT = "delete from outbox where seq = any($1::bigint[])"


class Relay:
    """Relay of one schema's events as `source`. Run it in every replica: an advisory lock lets one work.

    Lingers for `gather_seconds` after each batch that is not full.
    """

    def __init__(
        self,
        db: Database,
        kafka: KafkaAddress,
        source: str,
        tracer: Tracer | None = None,
        *,
        linger_seconds: float = 0.0,
    ) -> None:
        self._db = db
        self._kafka = kafka
        self._source = source
        self._tracer = tracer
        self._linger_seconds = linger_seconds

    async def run(self) -> None:
        """Relay until cancelled. Raises what PostgreSQL or Kafka raise; the supervisor restarts it."""
        producer = make_producer(self._kafka)
        try:
            # Before the lock: whoever holds it can send, and is not idle meanwhile.
            async with asyncio.timeout(START_SECONDS):
                await producer.start()
            await self._stand_by(producer)
        finally:
            await stop_producer(producer)

    async def _stand_by(self, producer: AIOKafkaProducer) -> None:
        connection = await open_session(self._db)
        try:
            while not await connection.fetchval(TRY_LEAD):  # noqa: ASYNC110 - another process holds it
                await asyncio.sleep(STANDBY_SECONDS)
            log.info("relay.leads", schema=self._db.schema)
            await self._lead(connection, producer)
        finally:
            await _close(connection)

    async def _lead(self, connection: Session, producer: AIOKafkaProducer) -> None:
        while True:
            before = self._db.committed.count
            sent = await self._carry(connection, producer)
            if not sent:
                await self._db.committed.wait(POLL_SECONDS, before)
            elif sent < BATCH:
                rest = REST_SECONDS if sent > FEW else 0.0
                await asyncio.sleep(max(rest, self._linger_seconds))

    async def _carry(self, connection: Session, producer: AIOKafkaProducer) -> int:
        rows = [Recorded(*row.values()) for row in await connection.fetch(SELECT_PENDING, BATCH)]
        if not rows:
            return 0
        sending = Sending(departing(self._tracer, rows))
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await _alive_meanwhile(connection, self._send(producer, sending))
        except (KafkaError, TimeoutError):
            # What was acknowledged stays sent, so that one partition in trouble does not hold up the others.
            acknowledged = sending.acknowledged()
            known = set(acknowledged)
            export_sent(self._tracer, (row for row in rows if row.seq in known))
            await connection.execute(DELETE_SENT, acknowledged)
            raise
        export_sent(self._tracer, rows)
        await connection.execute(DELETE_SENT, [row.seq for row in rows])
        RELAYED.labels(self._db.schema).inc(len(rows))
        return len(rows)

    async def _send(self, producer: AIOKafkaProducer, sending: Sending) -> None:
        packing = Packing(producer, self._source, sending)
        for place, row in enumerate(sending.rows):
            await packing.add(place, row, self._kafka.topic(row.topic))
        await packing.finish()


async def open_session(db: Database) -> Session:
    """Open a session for the relay's own statements."""
    return await connect(
        db.url,
        db.schema,
        # A relay that was stopped in its tracks must not keep the lock: its silent session ends.
        idle_session_timeout=str(int(IDLE_SECONDS * 1000)),
        # All that is written here is that something was sent; a crash that forgets it has it sent once more.
        synchronous_commit="off",
        # A few rows by their keys, always: while a table's statistics are of a smaller one, another plan would read
        # all of it for each batch.
        enable_seqscan="off",
        enable_hashjoin="off",
        enable_mergejoin="off",
    )


async def _alive_meanwhile(connection: Session, work: Coroutine[None, None, None]) -> None:
    """Run `work` while a keep-alive holds the lock's session. Raises when the session has ended."""
    task = asyncio.create_task(work)
    try:
        while not (await asyncio.wait((task,), timeout=SIGN_OF_LIFE_SECONDS))[0]:
            await connection.execute("select")
        task.result()
    finally:
        task.cancel()


async def _close(connection: Session) -> None:
    with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
        await connection.close(timeout=STOP_SECONDS)


def make_producer(kafka: KafkaAddress) -> AIOKafkaProducer:
    """Return an idempotent producer with acks=all that refuses what the topics would refuse."""
    return AIOKafkaProducer(
        **kafka.client(),
        enable_idempotence=True,
        acks="all",
        # The relay gives it all there is at once: there is nothing to wait for.
        linger_ms=0,
        max_batch_size=256 * 1024,
        # Below the topics' limit: a record that the broker refuses jams an idempotent producer for good.
        max_request_size=MAX_MESSAGE_BYTES - 64 * 1024,
        request_timeout_ms=int(REQUEST_SECONDS * 1000),
        retry_backoff_ms=100,
    )


async def stop_producer(producer: AIOKafkaProducer) -> None:
    """Stop a producer within 15 s; pending records are delivered if Kafka accepts them within five."""
    try:
        for step in (producer.flush, producer.stop):
            fault = await ended(step, STOP_SECONDS)
            if fault is not None:
                log.warning("relay.cut", fault=type(fault).__name__)
                await _cut(producer)
                return
    except asyncio.CancelledError:
        # Told to end while it was ending already: what is left of it would go on by itself.
        await _cut(producer)
        raise


async def _cut(producer: AIOKafkaProducer) -> None:
    # Its own stop waits for ever for a broker that is away, and when that is cut off its sender goes on: aiokafka has
    # no public way to give up what cannot be delivered.
    producer._closed = True
    for step in (producer._sender.close, producer.client.close):
        await ended(step, CUT_SECONDS)
