"""The Kafka consumer, in batches; the only place that sets FastStream up."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.annotations import KafkaMessage
from faststream.message import StreamMessage

from shared.delivery.cloudevents import Raw
from shared.delivery.kafka import unpacking
from shared.delivery.kafka.address import KafkaAddress
from shared.delivery.kafka.continuity import Continuity
from shared.delivery.kafka.fetching import READ_AHEAD_BYTES, LingeringConsumer
from shared.delivery.kafka.losses import ReadingLog
from shared.delivery.kafka.polling import REBALANCE_SECONDS, Drain
from shared.delivery.kafka.watchdog import STARTING, BrokersSilent, Watchdog
from shared.observability.metrics import BATCH_SECONDS, TAKEN
from shared.observability.redaction import reason_of
from shared.runtime.cancellation import ended

log = structlog.get_logger()

Take: TypeAlias = Callable[[Sequence[Raw]], Awaitable[None]]
"""Takes records in, durably; when it returns they are acknowledged, when it raises they are read again."""

Records: TypeAlias = tuple[ConsumerRecord, ...]
Parse: TypeAlias = Callable[[Records], Awaitable[StreamMessage[Records]]]

MAX_RECORDS = 500
PAUSE_MS = 5
"""FastStream's own time-out of a batch, and its pause after one that stayed empty."""
START_SECONDS = 60.0
STOP_SECONDS = 13.0
CUT_SECONDS = 1.0
AGAIN_SECONDS = 1.0
METADATA_SECONDS = 10.0


async def _parse(records: Records, original: Parse) -> StreamMessage[Records]:
    # FastStream decodes every header as UTF-8 and loses the batch's record that has another; it sees none.
    # Of a batch it looks at the first and the last.
    message = await original((_without_headers(records[0]), _without_headers(records[-1])))
    message.raw_message = records
    return message


def _without_headers(record: ConsumerRecord) -> ConsumerRecord:
    return ConsumerRecord(
        record.topic, record.partition, record.offset, record.timestamp, record.timestamp_type,
        None, b"", record.checksum, 0, 0, (),
    )  # fmt: skip


async def _decode(message: StreamMessage[Records]) -> list[Any]:
    # The bytes are read by whoever takes them in; JSON is not tried here.
    return []


class Consumer:
    """A service's consumer of some topics, in one group with its replicas."""

    def __init__(
        self,
        kafka: KafkaAddress,
        service: str,
        topics: Sequence[str],
        take: Take,
        *,
        linger_seconds: float = 0.0,
        reading_log: ReadingLog | None = None,
    ) -> None:
        self._kafka = kafka
        self._service = service
        self._topics = {kafka.topic(name): name for name in topics}
        self._take = take
        self._linger_seconds = linger_seconds
        self._continuity = Continuity(self.group, self._topics, reading_log)
        self._watch = Watchdog(service, self.group, self._topics, self._continuity)
        self._drain = Drain(self._continuity.forget)
        self._subscriber: Any = None

    @property
    def group(self) -> str:
        """The consumer group, shared by the replicas of the service."""
        return f"{self._kafka.prefix}liaison.{self._service}"

    @property
    def hindrance(self) -> str | None:
        """Why the consumer does not work; None when it does."""
        return self._watch.hindrance

    def broker(self) -> KafkaBroker:
        """Return a broker with this consumer's one subscriber, not started."""
        unpacking.install()
        broker = KafkaBroker(
            # A string would be taken for one server's name.
            self._kafka.bootstrap.split(","),
            security=self._kafka.security(),
            consumer_only=True,
            graceful_timeout=10,
            logger=None,
            client_id=f"liaison-{self._service}",
            # A topic that is made after the consumer began is found within this time.
            metadata_max_age_ms=int(METADATA_SECONDS * 1000),
        )
        self._drain = Drain(self._continuity.forget)
        subscribe(broker, tuple(self._topics), self.group, self._drain)(self._on_records)
        self._subscriber = next(iter(broker.subscribers))
        return broker

    async def _on_records(self, message: KafkaMessage) -> None:
        batch: Any = message
        async with self._drain.holding(batch):
            await self._process_batch(batch.raw_message)

    async def run(self) -> None:
        """Consume until cancelled. Raises KafkaError or OSError when Kafka is unreachable, Stalled when stuck."""
        broker, patience = self.broker(), STOP_SECONDS
        try:
            async with asyncio.timeout(START_SECONDS):
                await _start(broker, self._linger_seconds)
            log.info("consumer.started", group=self.group)
            await self._watch.run(self._subscriber.consumer)
        except BrokersSilent:
            patience = CUT_SECONDS
            raise
        finally:
            self._watch.over()
            await _stop(broker, patience)

    async def _process_batch(self, records: Sequence[ConsumerRecord]) -> None:
        begun = time.monotonic()
        raws = [
            Raw(self._topics[r.topic], r.partition, r.offset, r.key, r.value, tuple(r.headers))
            for r in records
        ]
        try:
            places = {TopicPartition(r.topic, r.partition) for r in records}
            await self._continuity.follow(places, self._subscriber.consumer.committed)
            with self._watch.working():
                await self._take(raws)
                self._continuity.note(records)
        except Exception as fault:
            # FastStream says nothing of it and reads the records again at once.
            log.error("batch.failed", group=self.group, fault=reason_of(fault), records=len(raws))
            await asyncio.sleep(AGAIN_SECONDS)
            raise
        BATCH_SECONDS.labels(self._service).observe(time.monotonic() - begun)
        for topic, count in Counter(raw.topic for raw in raws).items():
            TAKEN.labels(self._service, topic).inc(count)


def hindrances(service: str, consumers: Sequence[Consumer]) -> dict[str, str]:
    """Return by consumer group why it does not work (readiness); empty when all work."""
    if not consumers:
        return {f"liaison.{service}": STARTING}
    return {each.group: each.hindrance for each in consumers if each.hindrance is not None}


async def _start(broker: KafkaBroker, linger_seconds: float) -> None:
    # Between the two, since the first makes what makes the consumers; there is no setting for it.
    await broker.connect()
    config: Any = broker.config.broker_config
    config.builder = partial(
        LingeringConsumer, linger_seconds=linger_seconds, **config.builder.keywords
    )
    await broker.start()


async def _stop(broker: KafkaBroker, patience: float) -> None:
    # Whatever goes wrong here must not stand in for why the consumer ends.
    subscriber: Any = next(iter(broker.subscribers))
    consumer = subscriber.consumer
    try:
        fault = await ended(broker.stop, patience)
        if fault is not None:
            log.warning("consumer.cut", fault=reason_of(fault))
    finally:
        # Told to end while it was ending already, too: what is left of it would go on by itself.
        await _cut(consumer)


async def _cut(consumer: AIOKafkaConsumer | None) -> None:
    """Stop what aiokafka's own stop leaves running.

    Its stop ends half way when it is cut off while it waits for a broker, and when a fetch of its own was waiting for
    its next try; of the latter FastStream says nothing.
    """
    coordinator = getattr(consumer, "_coordinator", None)
    if consumer is None or coordinator is None:
        return
    consumer._closed = True
    tasks = {coordinator._coordination_task, *consumer._fetcher._pending_tasks}
    for task in tasks:
        task.cancel()
    for step in (
        partial(asyncio.wait, tasks),
        coordinator._stop_heartbeat_task,
        coordinator._stop_commit_offsets_refresh_task,
        consumer._fetcher.close,
        consumer._client.close,
    ):
        await ended(step, CUT_SECONDS)


def subscribe(
    broker: KafkaBroker,
    topics: tuple[str, ...],
    group: str,
    drain: Drain,
) -> Any:  # noqa: ANN401 - FastStream's own
    """Add the only form of subscriber without losses, to be given its handler; docs/decisions has the reasons.

    `drain` keeps each batch to its assignment.
    """
    return broker.subscriber(
        *topics,
        batch=True,
        group_id=group,
        max_records=MAX_RECORDS,
        batch_timeout_ms=PAUSE_MS,
        fetch_max_wait_ms=100,
        auto_offset_reset="earliest",
        # Every other policy acknowledges what was not handled.
        ack_policy=AckPolicy.NACK_ON_ERROR,
        parser=_parse,
        decoder=_decode,
        listener=drain,
        no_reply=True,
        isolation_level="read_committed",
        session_timeout_ms=10_000,
        heartbeat_interval_ms=2_000,
        rebalance_timeout_ms=int(REBALANCE_SECONDS * 1000),
        max_partition_fetch_bytes=READ_AHEAD_BYTES,
    )
