"""The embedded servers as the tests themselves use them."""

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.jobs.topics import ensure_topics
from deploy.local.embedded.kafka import Broker
from deploy.local.embedded.postgres import Postgres
from shared.delivery.kafka.address import KafkaAddress


async def test_a_database_of_ones_own_is_migrated_and_empty(database_url: str):
    connection = await asyncpg.connect(database_url)
    for schema in ("intake", "routing", "followup"):
        assert await connection.fetchval(f"select count(*) from {schema}.event") == 0
    assert (await connection.fetchval("show server_version")).startswith("18.")
    await connection.close()


async def test_changes_of_one_test_are_not_seen_by_another(
    postgres_server: Postgres, database_url: str, bare_database_url: str
):
    assert database_url != bare_database_url
    connection = await asyncpg.connect(bare_database_url)
    assert await connection.fetchval("select to_regclass('intake.event')") is None
    await connection.close()


async def test_messages_go_through_the_broker(kafka: str, make_topics):
    [topic] = await make_topics(["servers.echo"], partitions=2)
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True)
    await producer.start()
    await producer.send_and_wait(topic, b"value", key=b"key")
    await producer.stop()
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka, group_id="servers.echo", auto_offset_reset="earliest"
    )
    await consumer.start()
    record = await consumer.getone()
    await consumer.stop()
    assert (record.key, record.value) == (b"key", b"value")


async def test_making_topics_twice_makes_them_once(kafka_prefix: str, kafka: str):
    assert await ensure_topics(KafkaAddress(kafka, kafka_prefix)) == []


async def test_the_broker_keeps_its_log(kafka_server: Broker, kafka: str):
    assert "started" in kafka_server.log.read_text()
