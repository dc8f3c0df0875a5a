"""Relays that are stopped in their tracks or killed, and one topic in trouble among others."""

import asyncio
import signal
import sys
from functools import partial

import pytest

from shared.contracts import topics
from shared.delivery.kafka.address import KafkaAddress
from shared.delivery.outbox import relay as relay_module
from shared.delivery.outbox.recording import Outgoing, record
from shared.delivery.outbox.relay import Relay
from shared.runtime.supervisor import running
from tests.integration.delivery.machine import PATIENCE, Machine
from tests.integration.delivery.test_outages import ROOT, SOURCE, recorded, sequence
from tests.integration.delivery.test_relay import facts, is_empty, leader
from tests.integration.delivery.town import AT, Town, ruled
from tests.integration.delivery.wire import until

pytestmark = pytest.mark.timeout(300)

RELAY_PROCESS = """
import asyncio, sys
from shared.runtime.database import open_database
from shared.delivery.kafka.address import KafkaAddress
from shared.delivery.outbox.relay import Relay

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
