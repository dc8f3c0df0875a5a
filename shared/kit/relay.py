"""Carries recorded events to Kafka in order, one relay at work per service; what is not acknowledged stays pending."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.contracts.topics import MAX_MESSAGE_BYTES
from shared.kit.cloudevents import Recorded, headers_of
from shared.kit.db import Database, connect
from shared.kit.telemetry import RELAYED

log = structlog.get_logger()

BATCH = 1000
POLL_SECONDS = 0.05
STANDBY_SECONDS = 0.25
SEND_SECONDS = 30.0
STOP_SECONDS = 5.0
RETRY_SECONDS = 1.0

TRY_LEAD = "select pg_try_advisory_lock(hashtextextended('liaison.relay.' || current_schema(), 0))"

SELECT_PENDING = """
select event.seq, event.id, event.subject, event.version, event.type, event.topic, event.at,
       event.causation_id, event.traceparent, event.data
from outbox join event using (seq) order by outbox.seq limit $1"""

DELETE_SENT = "delete from outbox where seq = any($1::bigint[])"


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """Where Kafka is; `prefix` comes before every topic and group, so that several towns can share a cluster."""

    bootstrap: str
    prefix: str = ""

    def topic(self, name: str) -> str:
        """The name of a topic on this cluster."""
        return self.prefix + name


class Relay:
    """Sends the events of one schema as `source`. Run it in every replica: an advisory lock lets one work."""

    def __init__(self, db: Database, kafka: KafkaAddress, source: str) -> None:
        self._db = db
        self._kafka = kafka
        self._source = source

    async def run(self) -> None:
        """Relay until cancelled. Raises what PostgreSQL or Kafka raise: the caller starts it again."""
        # A relay that was stopped in its tracks must not keep the lock: its silent session ends after 5 s.
        connection = await connect(self._db.url, self._db.schema, idle_session_timeout="5000")
        try:
            await _become_leader(connection)
            await self._lead(connection)
        finally:
            with contextlib.suppress(Exception):
                await connection.close(timeout=STOP_SECONDS)

    async def _lead(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        producer = make_producer(self._kafka)
        try:
            await asyncio.wait_for(producer.start(), SEND_SECONDS)
            log.info("relay.leads", schema=self._db.schema)
            while True:
                sent = await self._carry(connection, producer)
                if sent < BATCH:
                    await self._db.committed.wait(POLL_SECONDS)
        finally:
            await stop_producer(producer)

    async def _carry(
        self, connection: "asyncpg.Connection[asyncpg.Record]", producer: AIOKafkaProducer
    ) -> int:
        rows = [Recorded(*row.values()) for row in await connection.fetch(SELECT_PENDING, BATCH)]
        if rows:
            await asyncio.wait_for(self._send(producer, rows), SEND_SECONDS)
            await connection.execute(DELETE_SENT, [row.seq for row in rows])
            RELAYED.labels(self._db.schema).inc(len(rows))
        return len(rows)

    async def _send(self, producer: AIOKafkaProducer, rows: Sequence[Recorded]) -> None:
        acknowledgements = [
            await producer.send(
                self._kafka.topic(row.topic),
                value=row.data.encode(),
                key=row.subject.encode(),
                headers=headers_of(row, self._source),
                timestamp_ms=int(row.at.timestamp() * 1000),
            )
            for row in rows
        ]
        await asyncio.gather(*acknowledgements)


async def _become_leader(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    while not await connection.fetchval(TRY_LEAD):  # noqa: ASYNC110 - the lock is another process's
        await asyncio.sleep(STANDBY_SECONDS)


def make_producer(kafka: KafkaAddress) -> AIOKafkaProducer:
    """An idempotent producer that waits for all replicas and refuses what the topics would refuse."""
    return AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap,
        enable_idempotence=True,
        acks="all",
        linger_ms=2,
        max_batch_size=256 * 1024,
        # Below the topics' limit: a record that the broker refuses jams an idempotent producer for good.
        max_request_size=MAX_MESSAGE_BYTES - 64 * 1024,
        request_timeout_ms=10_000,
        retry_backoff_ms=100,
    )


async def stop_producer(producer: AIOKafkaProducer) -> None:
    """Stop a producer, waiting 5 s at most: without a broker its own stop would wait for ever."""
    with contextlib.suppress(KafkaError, TimeoutError, OSError):
        await asyncio.wait_for(producer.stop(), STOP_SECONDS)
