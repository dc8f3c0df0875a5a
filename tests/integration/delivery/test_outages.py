"""Kafka away, slow or silent; a process that is stopped in its tracks: work waits, and goes on by itself."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from deploy.jobs.topics import ensure_topics
from shared.contracts import topics
from shared.contracts.topics import TOPICS
from shared.delivery.kafka import watchdog
from shared.delivery.kafka.address import KafkaAddress
from shared.delivery.kafka.consumer import Consumer
from shared.delivery.kafka.watchdog import STARTING
from shared.delivery.outbox import relay as relay_module
from shared.delivery.outbox.recording import record
from shared.delivery.outbox.relay import Relay
from shared.runtime.supervisor import running
from tests.integration.delivery.machine import PATIENCE, Machine
from tests.integration.delivery.test_relay import facts, header, is_empty
from tests.integration.delivery.town import Records, Town
from tests.integration.delivery.wire import read_until, until

SOURCE = "urn:liaison:town"
ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.timeout(300)


async def recorded(town: Town, subject: str, versions: range) -> list[UUID]:
    async with town.db.transaction() as conn:
        return await record(conn, facts(subject, versions))


async def sequence(machine: Machine, subject: str, last: int) -> list[int]:
    """The versions of a subject in the topic, in order, each where it first came."""

    def is_last(item: ConsumerRecord) -> bool:
        return item.key == subject.encode() and int(header(item, "ce_sequence")) == last

    found = await read_until(machine.address, [topics.REQUESTS], is_last, PATIENCE)
    return list(
        dict.fromkeys(
            int(header(item, "ce_sequence")) for item in found if item.key == subject.encode()
        )
    )


async def test_kafka_is_away_at_the_start_and_comes(town: Town, records: Records, machine: Machine):
    """Neither the relay nor the consumer needs it to begin; both take up their work when it is there."""
    machine.kill()
    await recorded(town, "away-first", range(1, 4))
    consumer = Consumer(machine.address, "first", [topics.REQUESTS], town.inbound.process)
    relay = Relay(town.db, machine.address, SOURCE)
    async with running("town", {"relay": relay.run, "consumer": consumer.run}):
        await asyncio.sleep(1.5)
        assert consumer.hindrance == STARTING
        assert not await is_empty(town)
        await machine.up()
        await ensure_topics(KafkaAddress(machine.broker.address), topics=TOPICS, partitions=3)
        await until(partial(is_empty, town), PATIENCE)
        await until(partial(has_applied, town, "away-first", 3), PATIENCE)
        assert consumer.hindrance is None


async def has_applied(town: Town, subject: str, count: int) -> bool:
    return len(await town.versions(subject)) >= count


async def test_kafka_is_killed_in_the_middle_and_comes_back(town: Town, kafka_up: Machine):
    machine = kafka_up
    consumer = Consumer(machine.address, "middle", [topics.REQUESTS], town.inbound.process)
    relay = Relay(town.db, machine.address, SOURCE)
    async with running("town", {"relay": relay.run, "consumer": consumer.run}):
        await recorded(town, "middle", range(1, 101))
        await until(partial(has_applied, town, "middle", 100), PATIENCE)
        machine.kill()
        await recorded(town, "middle", range(101, 201))
        await until(partial(says, consumer, False), PATIENCE)
        assert not await is_empty(town)
        await machine.up()
        await until(partial(has_applied, town, "middle", 200), PATIENCE)
        await until(partial(is_empty, town), PATIENCE)
        await until(partial(says, consumer, True), PATIENCE)
    assert await town.versions("middle") == list(range(1, 201))
    assert await town.letters() == []


@pytest.fixture
def soon_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "SILENT_SECONDS", 1.0)
    monkeypatch.setattr(watchdog, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(watchdog, "LAG_SECONDS", 0.2)


@pytest.mark.usefixtures("soon_given_up")
async def test_a_consumer_that_kafka_does_not_answer_is_begun_with_new_connections(
    town: Town, kafka_up: Machine
):
    """Old ones may be dead without a word; each would be waited for, one after the other."""
    consumer = Consumer(kafka_up.address, "unanswered", [topics.REQUESTS], town.inbound.process)
    reading = asyncio.create_task(consumer.run())
    await until(partial(says, consumer, True), PATIENCE)
    kafka_up.silence()
    with pytest.raises(watchdog.Stalled, match="told nothing"):
        await asyncio.wait_for(reading, PATIENCE)
    assert consumer.hindrance == STARTING
    kafka_up.wake()


@pytest.mark.usefixtures("soon_given_up")
async def test_a_consumer_whose_brokers_are_gone_is_begun_again_however_it_ends(
    town: Town, kafka_up: Machine, monkeypatch: pytest.MonkeyPatch
):
    """Stopped while it waits for its next try, aiokafka lets out the cancellation of its own task."""
    consumer = Consumer(kafka_up.address, "gone", [topics.REQUESTS], town.inbound.process)
    lag = consumer._watch._lag

    async def patient(inner: AIOKafkaConsumer) -> object:
        inner._fetcher._retry_backoff = 60.0
        return await lag(inner)

    monkeypatch.setattr(consumer._watch, "_lag", patient)
    before = asyncio.all_tasks()
    async with running("town", {"consumer": consumer.run}):
        await until(partial(says, consumer, True), PATIENCE)
        kafka_up.kill()
        await until(partial(begins, consumer), PATIENCE)
        await kafka_up.up()
        await until(partial(says, consumer, True), PATIENCE)
    await nothing_runs_but(before)


async def nothing_runs_but(before: set[asyncio.Task[Any]]) -> None:
    await asyncio.sleep(0.2)
    assert [task for task in asyncio.all_tasks() - before if not task.done()] == []


async def begins(consumer: Consumer) -> bool:
    return consumer.hindrance == STARTING


async def says(consumer: Consumer, started: bool) -> bool:
    return (consumer.hindrance is None) is started


async def test_a_broker_that_falls_silent_costs_no_order_and_no_event(
    town: Town, kafka_up: Machine, monkeypatch: pytest.MonkeyPatch
):
    """It is stopped while events are on their way, and wakes after the relay has given up and begun again."""
    monkeypatch.setattr(relay_module, "SEND_SECONDS", 2.0)
    machine = kafka_up
    async with running("town", {"relay": Relay(town.db, machine.address, SOURCE).run}):
        await recorded(town, "silent", range(1, 51))
        await until(partial(is_empty, town), PATIENCE)
        machine.silence()
        await recorded(town, "silent", range(51, 101))
        await asyncio.sleep(6)
        assert not await is_empty(town)
        machine.wake()
        await until(partial(is_empty, town), PATIENCE)
    assert await sequence(machine, "silent", 100) == list(range(1, 101))


async def test_a_stop_without_kafka_is_bounded_and_leaves_nothing_running(
    town: Town, kafka_up: Machine
):
    machine = kafka_up
    consumer = Consumer(machine.address, "stopping", [topics.REQUESTS], town.inbound.process)
    before = asyncio.all_tasks()
    loop = asyncio.get_running_loop()
    async with running(
        "town", {"relay": Relay(town.db, machine.address, SOURCE).run, "consumer": consumer.run}
    ):
        await recorded(town, "stopping", range(1, 3))
        await until(partial(has_applied, town, "stopping", 2), PATIENCE)
        machine.silence()
        await recorded(town, "stopping", range(3, 500))
        await asyncio.sleep(1)
        begun = loop.time()
    assert loop.time() - begun < 20
    machine.wake()
    left = [task for task in asyncio.all_tasks() - before if not task.done()]
    await asyncio.sleep(0.2)
    left = [task for task in left if not task.done()]
    assert left == []


async def test_what_is_told_to_end_while_it_is_ending_leaves_nothing_running(
    town: Town, kafka_up: Machine, monkeypatch: pytest.MonkeyPatch
):
    """The relay has given up sending, and waits for what it has sent, when its service stops."""
    monkeypatch.setattr(relay_module, "SEND_SECONDS", 1.0)
    machine, ending = kafka_up, asyncio.Event()
    flush = AIOKafkaProducer.flush

    async def flushing(producer: AIOKafkaProducer) -> None:
        ending.set()
        await flush(producer)

    monkeypatch.setattr(AIOKafkaProducer, "flush", flushing)
    before = asyncio.all_tasks()
    relay = asyncio.create_task(Relay(town.db, machine.address, SOURCE).run())
    await recorded(town, "ending", range(1, 3))
    await until(partial(is_empty, town), PATIENCE)
    machine.silence()
    await recorded(town, "ending", range(3, 500))
    await asyncio.wait_for(ending.wait(), PATIENCE)
    await asyncio.sleep(0.2)
    relay.cancel()
    with pytest.raises(asyncio.CancelledError):
        await relay
    machine.wake()
    await nothing_runs_but(before)
