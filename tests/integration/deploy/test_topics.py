"""Topics that strangers write to: the broker's time, bounded transactions, and what operators set left alone."""

import asyncio
import time

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from deploy.jobs.topics import ensure_topics
from shared.contracts import topics
from shared.contracts.topics import TOPICS
from shared.delivery.kafka.address import KafkaAddress
from shared.delivery.kafka.topic_settings import change_topic_settings, topic_settings

LONG_AGO_MS = 1_000_000_000_000
NAMES = (
    "message.timestamp.type", "retention.ms", "segment.ms", "max.message.bytes", "cleanup.policy"
)  # fmt: skip


@pytest.fixture
async def admin(kafka: str):
    client = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await client.start()
    yield client
    await client.close()


async def settings_of(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    wanted = {name: dict.fromkeys(NAMES, "") for name in names}
    return {name: dict(found) for name, found in (await topic_settings(admin, wanted)).items()}


async def times_of(admin: AIOKafkaAdminClient, address: KafkaAddress) -> set[str]:
    """The topics on which the broker says the time."""
    found = await settings_of(admin, [address.topic(each.name) for each in TOPICS])
    return {
        name.removeprefix(address.prefix)
        for name, each in found.items()
        if each["message.timestamp.type"] == "LogAppendTime"
    }


async def test_case_29_a_record_s_own_time_does_not_have_it_deleted(
    admin: AIOKafkaAdminClient, kafka: str
):
    """Topics as an earlier version made them, with what an operator has set on one of them."""
    address = KafkaAddress(kafka, "upheld.")
    old = [
        NewTopic(address.topic(each.name), 1, 1, topic_configs={"retention.ms": "86400000"})
        for each in TOPICS
    ]
    await admin.create_topics(old)
    submissions = address.topic(topics.SUBMISSIONS)
    async with asyncio.timeout(20):
        # The controller has made them; the broker that answers learns of it a moment later.
        while not {each.name for each in old} <= set(await admin.list_topics()):
            await asyncio.sleep(0.1)
    await change_topic_settings(admin, {submissions: {"segment.ms": "7200000"}})
    for _ in range(2):
        assert await ensure_topics(address, topics=TOPICS, partitions=1) == []
        async with asyncio.timeout(20):
            # The controller has changed it; the broker that answers learns of it a moment later.
            while await times_of(admin, address) != {topics.SUBMISSIONS, topics.COMMANDS}:
                await asyncio.sleep(0.1)
    found = await settings_of(admin, [address.topic(each.name) for each in TOPICS])
    assert {each["retention.ms"] for each in found.values()} == {"86400000"}
    assert found[submissions]["segment.ms"] == "7200000"
    before = int(time.time() * 1000)
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        await producer.send_and_wait(submissions, b"{}", timestamp_ms=LONG_AGO_MS)
    reader = AIOKafkaConsumer(submissions, bootstrap_servers=kafka, auto_offset_reset="earliest")
    await reader.start()
    record = await asyncio.wait_for(reader.getone(), 20)
    await reader.stop()
    assert record.timestamp_type == 1
    assert before - 60_000 <= record.timestamp <= time.time() * 1000 + 60_000


async def test_new_topics_have_all_that_is_stated(admin: AIOKafkaAdminClient, kafka: str):
    address = KafkaAddress(kafka, "stated.")
    await ensure_topics(address, topics=TOPICS, partitions=1)
    found = await settings_of(admin, [address.topic(each.name) for each in TOPICS])
    for each in TOPICS:
        mine = found[address.topic(each.name)]
        assert {name: mine[name] for name in each.settings} == each.settings


async def test_case_92_the_directory_keeps_the_newest_of_each_key_also_where_it_was_made_before(
    admin: AIOKafkaAdminClient, kafka: str
):
    """The policy is upheld: records of a key that is not written for a month must not go."""
    address = KafkaAddress(kafka, "kept.")
    names = {address.topic(each.name) for each in TOPICS}
    await admin.create_topics([NewTopic(name, 1, 1) for name in names])
    compacted: list[str] = []
    async with asyncio.timeout(30):
        while not names <= set(await admin.list_topics()):
            await asyncio.sleep(0.1)
        await ensure_topics(address, topics=TOPICS, partitions=1)
        while not compacted:
            found = await settings_of(admin, sorted(names))
            compacted = [each for each, mine in found.items() if mine["cleanup.policy"] != "delete"]
            await asyncio.sleep(0.1)
    assert compacted == [address.topic(topics.DIRECTORY)]


async def test_a_setting_that_kafka_refuses_is_an_error(admin: AIOKafkaAdminClient, kafka: str):
    address = KafkaAddress(kafka, "refused.")
    await ensure_topics(address, topics=TOPICS[:1], partitions=1)
    name = address.topic(TOPICS[0].name)
    with pytest.raises(KafkaError):
        await change_topic_settings(admin, {name: {"message.timestamp.type": "Moon"}})


async def test_case_30_a_transaction_holds_others_up_for_a_minute_at_most(make_topics, kafka: str):
    await make_topics(["held"], 1)
    longest = AIOKafkaProducer(
        bootstrap_servers=kafka, transactional_id="t-long", transaction_timeout_ms=60_001
    )
    with pytest.raises(KafkaError):
        await longest.start()
    await longest.stop()
    short = AIOKafkaProducer(
        bootstrap_servers=kafka, transactional_id="t-short", transaction_timeout_ms=2_000
    )
    await short.start()
    await short.begin_transaction()
    await short.send_and_wait("held", b"open")
    async with AIOKafkaProducer(bootstrap_servers=kafka) as other:
        await other.send_and_wait("held", b"another's")
    reader = AIOKafkaConsumer(
        bootstrap_servers=kafka, auto_offset_reset="earliest", isolation_level="read_committed"
    )
    await reader.start()
    reader.assign([TopicPartition("held", 0)])
    begun = time.monotonic()
    record = await asyncio.wait_for(reader.getone(), 30)
    assert record.value == b"another's"
    assert time.monotonic() - begun < 15
    await reader.stop()
    await short.stop()
