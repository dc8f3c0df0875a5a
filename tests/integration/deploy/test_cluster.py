"""Three brokers on the loopback interface, as fault tests use them."""

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from deploy.jobs.topics import ensure_topics
from deploy.local.embedded import jars
from deploy.local.embedded.kafka import Broker, new_cluster_id
from deploy.local.embedded.ports import pick
from deploy.local.embedded.process import all_running
from shared.contracts.topics import Topic
from shared.delivery.kafka.address import KafkaAddress


def brokers(folder: Path, count: int) -> list[Broker]:
    taken: set[int] = set()

    def port() -> int:
        found = pick(None, taken)
        taken.add(found)
        return found

    controllers = {node: port() for node in range(1, count + 1)}
    classpath = jars.classpath(lambda come, expected: None)
    return [
        Broker(
            folder=folder / f"kafka-{node}",
            port=port(),
            log=folder / f"kafka-{node}.log",
            classpath=classpath,
            controllers=controllers,
            node=node,
            heap_mb=256,
        )
        for node in controllers
    ]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[list[Broker]]:
    made = brokers(tmp_path, 3)
    cluster_id = new_cluster_id()
    for broker in made:
        broker.prepare(cluster_id)
    # The last ones of a cluster wait long for the others before they end by themselves.
    programs = [replace(broker.program(), stop_signal=signal.SIGKILL) for broker in made]
    with all_running(programs, 50):
        yield made


async def test_three_brokers_keep_three_copies(cluster: list[Broker]):
    addresses = ",".join(broker.address for broker in cluster)
    await ensure_topics(KafkaAddress(addresses), topics=[Topic("three", "a test")], partitions=3)
    admin = AIOKafkaAdminClient(bootstrap_servers=addresses)
    await admin.start()
    assert len((await admin.describe_cluster())["brokers"]) == 3
    [described] = await admin.describe_topics(["three"])
    await admin.close()
    assert {len(partition["replicas"]) for partition in described["partitions"]} == {3}
