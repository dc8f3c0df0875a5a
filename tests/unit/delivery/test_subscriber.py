"""Each setting that keeps records from being lost, asserted on the objects that FastStream and aiokafka are given.

The defaults lose messages, each in a way of its own; a setting that an upgrade renames or drops must be noticed.
"""

import ast
import importlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from faststream import AckPolicy
from faststream.exceptions import IncorrectState
from faststream.kafka import KafkaBroker

from shared.contracts.topics import MAX_MESSAGE_BYTES
from shared.delivery.kafka import consumer as module
from shared.delivery.kafka import polling, watchdog
from shared.delivery.kafka.address import KafkaAddress
from shared.delivery.kafka.consumer import Consumer
from shared.delivery.kafka.polling import Drain
from shared.delivery.outbox.relay import Relay, make_producer

ROOT = Path(__file__).parents[3]


async def take(raws: object) -> None:
    raise AssertionError("nothing is consumed here")


@pytest.fixture
def broker() -> KafkaBroker:
    address = KafkaAddress("127.0.0.1:9", "town.")
    return Consumer(address, "routing", ["liaison.requests", "liaison.matters"], take).broker()


@pytest.fixture
def subscriber(broker: KafkaBroker) -> Any:
    [subscriber] = broker.subscribers
    return subscriber


@pytest.fixture
async def consumer(subscriber: Any) -> AsyncIterator[AIOKafkaConsumer]:
    """What aiokafka makes of it, not started."""
    made = subscriber.builder(
        group_id=subscriber.group_id, client_id=subscriber.client_id, **subscriber._connection_args
    )
    yield made
    await made.stop()


async def test_any_of_several_brokers_will_do_to_begin_with():
    [subscriber] = (
        Consumer(KafkaAddress("127.0.0.1:9,127.0.0.2:9"), "routing", ["t"], take)
        .broker()
        .subscribers
    )
    made: Any = subscriber
    consumer = made.builder(**made._connection_args)
    assert {host for host, *_ in consumer._client.hosts} == {"127.0.0.1", "127.0.0.2"}
    await consumer.stop()


def test_what_was_not_handled_is_not_acknowledged(subscriber: Any):
    assert subscriber.ack_policy is AckPolicy.NACK_ON_ERROR
    assert subscriber._connection_args["enable_auto_commit"] is False


def test_replicas_share_a_group(subscriber: Any):
    assert subscriber.group_id == "town.liaison.routing"
    assert subscriber.topic_names == ["town.liaison.requests", "town.liaison.matters"]


def test_batches_are_read(subscriber: Any):
    assert type(subscriber).__name__ == "BatchSubscriber"
    assert subscriber.max_records == 500
    assert subscriber.batch_timeout_ms == 5


def test_headers_and_values_are_not_decoded_by_faststream(subscriber: Any):
    assert subscriber._call_options.parser is module._parse
    assert subscriber._call_options.decoder is module._decode
    assert subscriber._connection_args["key_deserializer"] is None
    assert subscriber._connection_args["value_deserializer"] is None


def test_a_rebalance_waits_for_the_batch_at_work(subscriber: Any):
    assert isinstance(subscriber._listener, Drain)


def test_nothing_is_published_by_the_consumer(broker: KafkaBroker, subscriber: Any):
    assert subscriber._no_reply is True
    assert broker.config.consumer_only is True


def test_no_topic_is_made_by_the_consumer(broker: KafkaBroker):
    # With a single partition it would hide that the job which makes the topics has not run.
    assert broker.config.consumer_only is True
    with pytest.raises(IncorrectState):
        _ = broker.config.admin_client


def test_a_stop_is_bounded(broker: KafkaBroker):
    assert broker.config.graceful_timeout == 10
    assert broker.config.graceful_timeout < module.STOP_SECONDS


async def test_every_setting_reaches_the_consumer(consumer: AIOKafkaConsumer):
    assert consumer._auto_offset_reset == "earliest"
    assert consumer._enable_auto_commit is False
    assert consumer._isolation_level == "read_committed"
    assert consumer._session_timeout_ms == 10_000
    assert consumer._heartbeat_interval_ms == 2_000
    assert consumer._rebalance_timeout_ms == 30_000
    assert consumer._max_poll_interval_ms == 300_000
    assert consumer._max_partition_fetch_bytes == MAX_MESSAGE_BYTES // 4
    assert consumer._fetch_max_wait_ms == 100
    assert consumer._key_deserializer is None
    assert consumer._value_deserializer is None
    assert consumer._client._metadata_max_age_ms == 10_000
    assert consumer._group_id == "town.liaison.routing"
    # A rebalance is answered when it is over; who is not answered at all gets new connections sooner.
    assert consumer._request_timeout_ms / 1000 > polling.REBALANCE_SECONDS
    assert consumer._request_timeout_ms / 1000 > watchdog.SILENT_SECONDS


def test_the_drain_ends_before_the_group_gives_up():
    assert polling.ACKNOWLEDGE_SECONDS < polling.DRAIN_SECONDS < polling.REBALANCE_SECONDS
    assert watchdog.WORKING_SECONDS < 300, "aiokafka's poll interval"
    assert module.PAUSE_MS <= 10, "an empty poll sleeps as long"


async def test_every_setting_reaches_the_producer():
    producer = make_producer(KafkaAddress("127.0.0.1:9"))
    try:
        assert producer._txn_manager is not None, "idempotent"
        assert producer._sender._acks == -1
        assert producer._max_request_size == MAX_MESSAGE_BYTES - 64 * 1024
        assert producer._message_accumulator._batch_size == 256 * 1024
        assert producer._message_accumulator._linger_time == 0
        assert producer._request_timeout_ms == 10_000
    finally:
        await producer.stop()


def imported(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def test_no_service_reads_or_writes_kafka_in_another_way():
    """The one place that sets FastStream and aiokafka up is `shared.delivery`."""
    own = {
        str(file.relative_to(ROOT))
        for folder in ("services", "shared")
        for file in (ROOT / folder).rglob("*.py")
        if imported(file) & {"faststream", "aiokafka"}
    }
    kafka = (
        "address", "consumer", "continuity", "fetching", "polling", "tail", "topic_settings", "unpacking", "watchdog",
    )  # fmt: skip
    assert own == {f"shared/delivery/kafka/{name}.py" for name in kafka} | {
        f"shared/delivery/outbox/{name}.py" for name in ("packing", "relay")
    }
    makers = [name for name in own if "AIOKafkaConsumer(" in (ROOT / name).read_text("utf-8")]
    assert makers == ["shared/delivery/kafka/tail.py"]


@pytest.mark.parametrize("service", ["intake", "routing", "followup"])
def test_every_service_consumes_through_shared_delivery(service: str):
    """Its composition root makes the consumers of `shared.delivery` and no other, and runs each of them."""
    root = importlib.import_module(f"services.{service}.app")
    assert root.Consumer is Consumer
    assert root.Relay is Relay
    text = Path(root.__file__ or "").read_text(encoding="utf-8")
    assert "consumer.run for consumer in" in text
