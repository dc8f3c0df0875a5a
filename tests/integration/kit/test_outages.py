"""Kafka away, slow or silent; a process that is stopped in its tracks: work waits, and goes on by itself."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord

from deploy.embedded import jars
from deploy.embedded.kafka import Broker, new_cluster_id
from deploy.embedded.ports import pick_apart
from deploy.embedded.process import start, wait_ready
from deploy.topics import ensure_topics
from shared.contracts import topics
from shared.contracts.topics import TOPICS
from shared.kit import relay as relay_module
from shared.kit import watching
from shared.kit.address import KafkaAddress
from shared.kit.events import Outgoing, record
from shared.kit.kafka import Consumer
from shared.kit.relay import Relay
from shared.kit.running import running
from shared.kit.watching import STARTING
from tests.integration.kit.test_relay import facts, header, is_empty, leader
from tests.integration.kit.town import AT, Records, Town, ruled
from tests.integration.kit.wire import read_until, until

SOURCE = "urn:liaison:town"
ROOT = Path(__file__).parents[3]

# A broker may take half a minute to come back on a busy machine; a wait ends as soon as its end has come.
PATIENCE = 120.0
pytestmark = pytest.mark.timeout(300)


class Machine:
    """A broker of the module's own, to be taken away and brought back."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> KafkaAddress:
        return KafkaAddress(self.broker.address)

    def start(self) -> None:
        if self.process is None:
            self.process = start(self.broker.program())

    async def up(self) -> None:
        self.start()
        assert self.process is not None
        await asyncio.to_thread(wait_ready, self.process, self.broker.program(), PATIENCE)

    def kill(self) -> None:
        """As a power cut does it."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.process = None

    def silence(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("outages")
    port, controller = pick_apart(2)
    broker = Broker(
        folder=folder / "kafka",
        port=port,
        log=folder / "kafka.log",
        classpath=jars.classpath(lambda come, expected: None),
        controllers={1: controller},
    )
    broker.prepare(new_cluster_id())
    machine = Machine(broker)
    yield machine
    machine.kill()


@pytest.fixture
async def kafka_up(machine: Machine) -> Machine:
    """The machine, running, with the project's topics empty or not: tests look at their own subjects."""
    await machine.up()
    await ensure_topics(KafkaAddress(machine.broker.address), topics=TOPICS, partitions=3)
    return machine


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
    consumer = Consumer(machine.address, "first", [topics.REQUESTS], town.inbound.take)
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
    consumer = Consumer(machine.address, "middle", [topics.REQUESTS], town.inbound.take)
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


async def test_a_consumer_that_kafka_does_not_answer_is_begun_with_new_connections(
    town: Town, kafka_up: Machine, monkeypatch: pytest.MonkeyPatch
):
    """Old ones may be dead without a word; each would be waited for, one after the other."""
    monkeypatch.setattr(watching, "SILENT_SECONDS", 2.0)
    monkeypatch.setattr(watching, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(watching, "LAG_SECONDS", 0.2)
    consumer = Consumer(kafka_up.address, "unanswered", [topics.REQUESTS], town.inbound.take)
    reading = asyncio.create_task(consumer.run())
    await until(partial(says, consumer, True), PATIENCE)
    kafka_up.silence()
    with pytest.raises(watching.Stalled, match="told nothing"):
        await asyncio.wait_for(reading, PATIENCE)
    assert consumer.hindrance == STARTING
    kafka_up.wake()


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
    consumer = Consumer(machine.address, "stopping", [topics.REQUESTS], town.inbound.take)
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
    await asyncio.sleep(0.2)
    assert [task for task in asyncio.all_tasks() - before if not task.done()] == []


RELAY_PROCESS = """
import asyncio, sys
from shared.kit.db import open_database
from shared.kit.address import KafkaAddress
from shared.kit.relay import Relay

async def main(url, bootstrap):
    db = await open_database(url, "town")
    await Relay(db, KafkaAddress(bootstrap), "urn:liaison:town").run()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_leader_stopped_in_its_tracks_is_replaced_and_does_no_harm_when_it_wakes(
    town: Town, kafka_up: Machine
):
    machine = kafka_up
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RELAY_PROCESS, town.url, machine.broker.address, cwd=ROOT
    )
    try:
        first = await until(partial(leader, town), PATIENCE)
        await recorded(town, "stopped", range(1, 51))
        await until(partial(is_empty, town), PATIENCE)
        # Cut off within its work: some of what it fetched is sent, some is not.
        await recorded(town, "stopped", range(51, 1051))
        child.send_signal(signal.SIGSTOP)
        async with running("town", {"relay": Relay(town.db, machine.address, SOURCE).run}):
            await recorded(town, "stopped", range(1051, 1101))
            await until(partial(is_empty, town), PATIENCE)
            assert await leader(town) != first
            child.send_signal(signal.SIGCONT)
            await recorded(town, "stopped", range(1101, 1151))
            await until(partial(is_empty, town), PATIENCE)
            assert await asyncio.wait_for(child.wait(), PATIENCE) != 0, (
                "it must not go on as a leader"
            )
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    assert await sequence(machine, "stopped", 1150) == list(range(1, 1151))


async def test_a_relay_that_is_killed_at_work_is_followed_by_another(town: Town, kafka_up: Machine):
    """Killed again and again, at any point: each subject's first arrivals keep their order, and all arrive."""
    machine = kafka_up

    async def killed_after(seconds: float) -> None:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", RELAY_PROCESS, town.url, machine.broker.address, cwd=ROOT
        )
        await until(partial(leader, town), PATIENCE)
        await asyncio.sleep(seconds)
        child.kill()
        await child.wait()

    for round_number in range(4):
        begin = 1 + round_number * 400
        await recorded(town, "killed", range(begin, begin + 400))
        await killed_after(0.01 + 0.03 * round_number)
    async with running("town", {"relay": Relay(town.db, machine.address, SOURCE).run}):
        await until(partial(is_empty, town), PATIENCE)
    assert await sequence(machine, "killed", 1600) == list(range(1, 1601))


async def test_one_topic_in_trouble_does_not_keep_the_others_from_being_sent(
    town: Town, kafka_up: Machine, monkeypatch: pytest.MonkeyPatch
):
    """A producer that fails for one partition: what Kafka has of the others is not sent again without end."""
    monkeypatch.setattr(relay_module, "SEND_SECONDS", 1.0)
    await recorded(town, "good", range(1, 4))
    async with town.db.transaction() as conn:
        await record(conn, [Outgoing("bad", 1, ruled("bad"), AT), *facts("good", range(4, 6))])
    names = {topics.REQUESTS: topics.REQUESTS, topics.ASSIGNMENTS: "made.by.nobody"}
    monkeypatch.setattr(KafkaAddress, "topic", lambda self, name: names[name])
    with pytest.raises(TimeoutError):
        await Relay(town.db, kafka_up.address, SOURCE).run()
    left = await town.fetch(
        "select subject, version from outbox join event using (seq) order by seq"
    )
    assert [tuple(row) for row in left] == [("bad", 1), ("good", 4), ("good", 5)]
