"""Consumer watchdog: restarts a consumer that has lag and makes no progress, or that Kafka does not answer."""

import asyncio
import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from shared.delivery.kafka.continuity import Continuity
from shared.delivery.kafka.lag import PartitionPosition
from shared.observability.metrics import CONSUMER_HELD, CONSUMER_LAG
from shared.observability.redaction import Plain

log = structlog.get_logger()

LATE_SECONDS = 30.0
STALL_SECONDS = 60.0
WORKING_SECONDS = 240.0
"""How long one batch may take: looking for bad messages in it takes its time; within the poll interval (300 s)."""
SILENT_SECONDS = 20.0
"""Kafka says nothing for so long where a broker has died and others lead, and where a firewall has forgotten the
connections. aiokafka would wait 40 s for each connection, one after the other; new ones are there at once."""
LAG_SECONDS = 2.0
ANSWER_SECONDS = 5.0

STARTING: Final = "starting"
SILENT: Final = "kafka does not answer"
MISSING: Final = "its topics are not there"
IDLE: Final = "records wait and none is taken in"
"""What may keep a consumer from working."""


class Stalled(Plain):
    """The consumer is stuck and must be restarted: records wait and none is processed, or Kafka does not answer."""


class BrokersSilent(Stalled):
    """Kafka's brokers do not answer at all."""


class Watchdog:
    """Watches one consumer group's reader of `topics` (our name by Kafka's)."""

    def __init__(
        self, service: str, group: str, topics: Mapping[str, str], continuity: Continuity
    ) -> None:
        self._service = service
        self._group = group
        self._topics = topics
        self._continuity = continuity
        self._places: dict[TopicPartition, PartitionPosition] = {}
        self._held: dict[TopicPartition, tuple[int, float]] = {}
        self._progress = self._answered = time.monotonic()
        self._working = False
        self.hindrance: str | None = STARTING
        """What keeps it from working; None while Kafka answers and, when something waits, some of it was taken in
        within the last 30 s."""

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Exclude a batch's processing time during the block; without an exception its records count as progress."""
        self._working = True
        try:
            yield
            self._progress = time.monotonic()
        finally:
            self._working = False

    def over(self) -> None:
        """Record that the consumer has ended; another may begin."""
        self.hindrance = STARTING

    async def run(self, consumer: AIOKafkaConsumer) -> None:
        """Publish the lag until cancelled. Raises Stalled without progress, BrokersSilent when Kafka does not
        answer.
        """
        self._progress = self._answered = time.monotonic()
        while True:
            lag = await self._lag(consumer)
            now = time.monotonic()
            if lag is not None:
                self._answered = now
                self._publish(now)
                await self._look_for_losses(consumer)
            if lag and not any(lag.values()) and not self._working:
                self._progress = now
            self._note_hindrance(lag, now - self._progress)
            self._end_when_stuck(lag, now)
            await asyncio.sleep(LAG_SECONDS)

    def _note_hindrance(self, lag: dict[str, int] | None, idle: float) -> None:
        hindrance = _hindrance(lag, idle)
        if hindrance != self.hindrance:
            log.info(
                "consumer.hindered" if hindrance else "consumer.working",
                group=self._group,
                hindrance=hindrance,
                before=self.hindrance,
                idle=round(idle, 1),
                lag=lag,
            )
        self.hindrance = hindrance

    def _end_when_stuck(self, lag: dict[str, int] | None, now: float) -> None:
        idle, silent = now - self._progress, now - self._answered
        if idle > (WORKING_SECONDS if self._working else STALL_SECONDS):
            raise Stalled(f"{self._group} took nothing in for {idle:.0f} s with {lag} waiting")
        # What it takes in meanwhile is an answer too: one partition without a leader is no reason to begin again.
        if min(idle, silent) > SILENT_SECONDS and not self._working:
            raise BrokersSilent(f"{self._group} was told nothing by Kafka for {silent:.0f} s")

    async def _look_for_losses(self, consumer: AIOKafkaConsumer) -> None:
        # While a batch is at work its records may be deleted behind it, and are not lost.
        if self._working:
            return
        with contextlib.suppress(KafkaError, TimeoutError, IllegalStateError):
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._continuity.follow(self._places, consumer.committed)
                if not self._working:
                    starts = {partition: place.start for partition, place in self._places.items()}
                    await self._continuity.keep(starts)

    def _publish(self, now: float) -> None:
        lag = dict.fromkeys(self._topics.values(), 0)
        held = dict.fromkeys(self._topics.values(), 0.0)
        for partition, place in self._places.items():
            topic = self._topics[partition.topic]
            lag[topic] += place.lag
            held[topic] = max(held[topic], self._held_for(partition, place, now))
        for topic in self._topics.values():
            CONSUMER_LAG.labels(self._service, topic).set(lag[topic])
            CONSUMER_HELD.labels(self._service, topic).set(held[topic])

    def _held_for(self, partition: TopicPartition, place: PartitionPosition, now: float) -> float:
        """Return for how many seconds a transaction has held this partition; 0 without one."""
        if not place.held:
            self._held.pop(partition, None)
            return 0.0
        stable, since = self._held.get(partition, (place.stable, now))
        if stable != place.stable:
            since = now
        self._held[partition] = (place.stable, since)
        return now - since

    async def _lag(self, consumer: AIOKafkaConsumer) -> dict[str, int] | None:
        """Return the number of readable, unread records by topic, as Kafka states it.

        None when it does not answer, nothing when the topics are not there. What a transaction holds is no sign of a
        reader that is stuck.

        What the consumer itself remembers of the ends comes with what it fetches, and a stuck one fetches nothing.
        """
        lag = dict.fromkeys(self._topics.values(), 0)
        known = {
            TopicPartition(topic, number)
            for topic in self._topics
            for number in consumer.partitions_for_topic(topic) or ()
        }
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                self._places = await self._look(consumer, known)
                for partition, place in self._places.items():
                    lag[self._topics[partition.topic]] += place.readable
        except IllegalStateError:
            return lag  # Partitions came or went meanwhile.
        except (KafkaError, TimeoutError):
            return None
        return lag if known else {}

    async def _look(
        self, consumer: AIOKafkaConsumer, known: set[TopicPartition]
    ) -> dict[TopicPartition, PartitionPosition]:
        # A reader of committed records is told the end of those; of what lies behind it, with what it fetches.
        ends = await consumer.end_offsets(list(known))
        assigned = consumer.assignment() & known
        tops = {partition: consumer.highwater(partition) or 0 for partition in assigned}
        starts = await consumer.beginning_offsets(list(assigned))
        return {
            partition: PartitionPosition(
                start=starts[partition],
                stable=ends[partition],
                end=max(ends[partition], tops[partition]),
                position=await consumer.position(partition),
            )
            for partition in assigned
        }


def _hindrance(lag: dict[str, int] | None, idle: float) -> str | None:
    if lag is None:
        return SILENT
    if not lag:
        return MISSING
    return IDLE if idle >= LATE_SECONDS else None
