"""The checker's own reader: everything that the topics hold, by its first appearance; none of the services' code."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from tests.faults.load import stop_quietly

DIRECTORY = "liaison.directory"
"""Compacted: of a subject's events the newest is there, whose key is the id in the subject `<kind>/<id>`."""
TOPICS = (
    "liaison.requests",
    "liaison.assignments",
    "liaison.matters",
    "liaison.dead-letters",
    DIRECTORY,
)
MARK = "x-poison"
AGAIN_SECONDS = 0.5
POLL_MS = 200
# Of these several may have one cause; of every other type one cause has one effect.
MANY = ("reminded", "supervised", "escalated", "resumed")
ONCE = ("request.registered", "matter.opened")
MOST_TOLD = 20


@dataclass(slots=True)
class TopicReader:
    """Follows all topics of `prefix` from their beginning, for as long as it is entered."""

    bootstrap: str
    prefix: str
    partitions: int
    seen: set[bytes] = field(default_factory=set)
    versions: dict[tuple[bytes, bytes], int] = field(default_factory=dict)
    effects: set[tuple[bytes, ...]] = field(default_factory=set)
    registered: Counter[tuple[str, str]] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    worded: Counter[tuple[str, str]] = field(default_factory=Counter)
    disordered: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    again: int = 0
    foreign: int = 0
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    task: "asyncio.Task[None] | None" = None
    recent: list[ConsumerRecord] = field(default_factory=list)
    """Every tenth record since they were last taken, for copies of them to be sent."""
    keeping: bool = False

    async def __aenter__(self) -> Self:
        self.begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    def begin(self) -> None:
        """Read from the beginning; what was seen before is known."""
        self.positions = {}
        self.task = asyncio.create_task(self._follow())

    async def end(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    async def _follow(self) -> None:
        while True:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self.bootstrap,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                max_partition_fetch_bytes=4 * 1024 * 1024,
                request_timeout_ms=10_000,
                metadata_max_age_ms=5_000,
            )
            try:
                await consumer.start()
                await self._read(consumer)
            except (KafkaError, OSError):
                await asyncio.sleep(AGAIN_SECONDS)
            finally:
                await stop_quietly(consumer)

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        consumer.assign(await self._places(consumer))
        for partition in consumer.assignment():
            consumer.seek(partition, self.positions.get(partition, 0))
        while True:
            found = await consumer.getmany(timeout_ms=POLL_MS, max_records=2000)
            for partition, records in found.items():
                for record in records:
                    self._take(record)
                self.positions[partition] = records[-1].offset + 1

    async def _places(self, consumer: AIOKafkaConsumer) -> list[TopicPartition]:
        """Every partition, once all topics are there: they may just be made anew."""
        names = {self.prefix + topic for topic in TOPICS}
        while not names <= set(await consumer.topics()):
            await asyncio.sleep(AGAIN_SECONDS)
        return [TopicPartition(name, n) for name in sorted(names) for n in range(self.partitions)]

    async def caught_up(self) -> bool:
        """Whether everything that the topics hold at this moment has been read. Raises what ended the reading."""
        if self.task is not None and self.task.done():
            self.task.result()
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False)
        try:
            async with asyncio.timeout(20):
                await consumer.start()
                ends = await consumer.end_offsets(await self._places(consumer))
        except (KafkaError, OSError, TimeoutError):
            return False
        finally:
            await stop_quietly(consumer)
        return all(self.positions.get(place, 0) >= end for place, end in ends.items())

    def _take(self, record: ConsumerRecord) -> None:
        headers = dict(record.headers)
        if MARK in headers:
            self.foreign += 1
            return
        event_id = headers["ce_id"]
        if self.keeping and record.offset % 10 == 0:
            self.recent.append(record)
        if event_id in self.seen:
            self.again += 1
            return
        self.seen.add(event_id)
        self._in_order(record, headers)
        self._once(record, headers)

    def _in_order(self, record: ConsumerRecord, headers: dict[str, bytes]) -> None:
        place = (headers["ce_source"], headers["ce_subject"])
        version, before = int(headers["ce_sequence"]), self.versions.get(place, 0)
        is_compacted = record.topic == self.prefix + DIRECTORY
        if version <= before or (version != before + 1 and not is_compacted):
            tell(self.disordered, f"{record.topic}: {place} has {version} after {before}")
        subject = headers["ce_subject"]
        if record.key != (subject.partition(b"/")[2] if is_compacted else subject):
            tell(self.disordered, f"{record.topic}: {place} has the key {record.key!r}")
        self.versions[place] = max(version, before)

    def _once(self, record: ConsumerRecord, headers: dict[str, bytes]) -> None:
        kind = headers["ce_type"].decode().removeprefix("liaison.").removesuffix(".v1")
        subject, cause = headers["ce_subject"], headers.get("ce_causationid")
        effects: list[tuple[bytes, ...]] = []
        if kind in ONCE:
            effects.append((headers["ce_type"], subject))
        if cause is not None and kind.split(".")[1] not in MANY:
            effects.append((headers["ce_source"], headers["ce_type"], subject, cause))
        for effect in effects:
            if effect in self.effects:
                tell(self.doubled, f"{record.topic}: again {effect}")
            self.effects.add(effect)
        self._words(kind, record.value)

    def _words(self, kind: str, value: bytes) -> None:
        """What is found again by its words."""
        match kind:
            case "request.registered":
                data = orjson.loads(value)
                self.registered[data["source"], data["source_ref"]] += 1
            case "request.rejected":
                self.rejected[orjson.loads(value)["source_ref"]] += 1
            case "matter.fed_back":
                self.worded[kind, orjson.loads(value)["text"]] += 1
            case "request.amended" | "matter.amended":
                self.worded[kind, orjson.loads(value)["message"]] += 1

    def missing(self, ids: Iterable[Any]) -> list[str]:
        """Those of the events' ids that have not appeared."""
        return [str(found) for found in ids if str(found).encode() not in self.seen]


def tell(told: list[str], what: str) -> None:
    """Count a finding; the first ones in words, the others as a blank."""
    told.append(what if len(told) < MOST_TOLD else "")
