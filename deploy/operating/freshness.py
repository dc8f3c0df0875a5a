"""Sees to it that a restored history meets no other one in Kafka, and that what others sent there is read again."""

from collections.abc import Collection

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.embedded.trouble import Trouble
from deploy.folder import Folder
from shared.contracts.topics import COMMANDS, SUBMISSIONS, TOPICS

ASK_MS = 20_000
GROUPS = {
    "liaison.intake.submissions": SUBMISSIONS,
    "liaison.routing.commands": COMMANDS,
    "liaison.followup.commands": COMMANDS,
}
"""Who reads what others write."""
OURS = tuple(topic.name for topic in TOPICS if topic.name not in GROUPS.values())


def require_no_kafka(folder: Folder) -> None:
    """Raises Trouble when the folder's own Kafka has ever run: it may hold what the backup does not know."""
    if (folder.kafka / "data" / "meta.properties").exists():
        raise Trouble("restore.kafka.folder", folder=folder.root)


async def make_ready(bootstrap: str, prefix: str) -> list[str]:
    """Look that no topic of ours holds anything, and have what others wrote read from its beginning.

    The names of the topics that will be read again. Raises Trouble when there is something, when services are at
    work, or when Kafka is away.
    """
    try:
        await require_empty(bootstrap, [prefix + name for name in OURS])
        return [
            topic
            for group, name in GROUPS.items()
            if (topic := prefix + name) and await read_again(bootstrap, prefix + group, topic)
        ]
    except (KafkaError, OSError) as fault:
        raise Trouble("restore.kafka.away", kafka=bootstrap, reason=fault) from fault


async def require_empty(bootstrap: str, topics: Collection[str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=ASK_MS)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, request_timeout_ms=ASK_MS)
    try:
        await admin.start()
        await consumer.start()
        ends = await consumer.end_offsets(await places_of(admin, topics))
    finally:
        await consumer.stop()
        await admin.close()
    if held := sorted({place.topic for place, end in ends.items() if end}):
        raise Trouble("restore.kafka.topics", topics=", ".join(held))


async def places_of(admin: AIOKafkaAdminClient, topics: Collection[str]) -> list[TopicPartition]:
    """All partitions of those of `topics` that are there."""
    there = sorted(set(topics) & set(await admin.list_topics()))
    return [
        TopicPartition(topic["topic"], partition["partition"])
        for topic in (await admin.describe_topics(there) if there else ())
        for partition in topic["partitions"]
    ]


async def read_again(bootstrap: str, group: str, topic: str) -> bool:
    """Let a group begin at the beginning; whether it had begun. Raises Trouble while it is at work."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=ASK_MS)
    await admin.start()
    try:
        known = {name for name, *_ in await admin.list_consumer_groups()}
        begun = group in known and await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    places = [place for place in begun or () if place.topic == topic]
    if places:
        await commit_beginning(bootstrap, group, places)
    return bool(places)


async def commit_beginning(bootstrap: str, group: str, places: Collection[TopicPartition]) -> None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        request_timeout_ms=ASK_MS,
    )
    await consumer.start()
    try:
        consumer.assign(list(places))
        await consumer.commit(await consumer.beginning_offsets(list(places)))
    except KafkaError as fault:
        if fault.retriable:
            raise
        raise Trouble("restore.working", group=group) from fault
    finally:
        await consumer.stop()
