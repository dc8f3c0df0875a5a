"""A broker that is a cluster by itself, for whoever tries or measures something with a real Kafka."""

from collections.abc import Mapping
from pathlib import Path

from deploy.local.embedded import jars
from deploy.local.embedded.kafka import Broker, new_cluster_id


def prepared_broker(
    folder: Path, port: int, controller: int, settings: Mapping[str, str] | None = None
) -> Broker:
    """Its storage, formatted, and its log lie in `folder`; it is not started."""
    broker = Broker(
        folder=folder / "kafka",
        port=port,
        log=folder / "kafka.log",
        classpath=jars.classpath(lambda come, expected: None),
        controllers={1: controller},
        settings=settings or {},
    )
    broker.prepare(new_cluster_id())
    return broker
