"""Prepares Kafka for a restore: requires topics without another history, and rewinds groups that read other systems."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.common.folder import Folder
from deploy.common.trouble import Trouble
from shared.contracts.topics import COMMANDS, SUBMISSIONS, TOPICS
from shared.delivery.kafka.address import KafkaAddress

ASK_MS = 20_000
GROUPS = {
    "liaison.intake.submissions": SUBMISSIONS,
    "liaison.routing.commands": COMMANDS,
    "liaison.followup.commands": COMMANDS,
}
"""Who reads what others write."""
KEPT = timedelta(days=6)
"""How far back a command is sure to be known by its Idempotency-Key, kept for 7 days: others would be done again."""
LATE = timedelta(days=1)
"""How long before the backup commands may have lain unread."""
OURS = tuple(topic.name for topic in TOPICS if topic.name not in GROUPS.values())


def require_no_kafka(folder: Folder) -> None:
    """Raises Trouble when the folder's own Kafka has ever run: it may hold records that the backup lacks."""
    if (folder.kafka / "data" / "meta.properties").exists():
        raise Trouble("restore.kafka.folder", folder=folder.root)


def commands_since(made_at: datetime, now: datetime) -> datetime:
    """Return the time from which commands are consumed again: a safe margin before the backup, a day at most."""
    return made_at - min(LATE, max(timedelta(), KEPT - (now - made_at)))


async def make_ready(kafka: KafkaAddress, made_at: datetime) -> list[str]:
    """Check that no topic of ours has records, and rewind the groups that read other systems' topics.

    Submissions are read again from the beginning, which their (source, source_ref) makes harmless; commands from a
    while before the backup.

    Return the names of the topics to be read again. Raises Trouble when topics have records, when services run, or when
    Kafka is unreachable.
    """
    commands = commands_since(made_at, datetime.now(UTC))
    begin = {SUBMISSIONS: datetime.fromtimestamp(0, UTC), COMMANDS: commands}
    try:
        await require_empty(kafka, [kafka.topic(name) for name in OURS])
        return [
            topic
            for group, name in GROUPS.items()
            if (topic := kafka.topic(name))
            and await read_again(kafka, kafka.topic(group), topic, begin[name])
        ]
    except (KafkaError, OSError) as fault:
        raise Trouble("restore.kafka.away", kafka=kafka.bootstrap, reason=fault) from fault


async def require_empty(kafka: KafkaAddress, topics: Collection[str]) -> None:
    admin = AIOKafkaAdminClient(**kafka.client(), request_timeout_ms=ASK_MS)
    consumer = AIOKafkaConsumer(**kafka.client(), request_timeout_ms=ASK_MS)
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
    """Return all partitions of the `topics` that exist."""
    there = sorted(set(topics) & set(await admin.list_topics()))
    return [
        TopicPartition(topic["topic"], partition["partition"])
        for topic in (await admin.describe_topics(there) if there else ())
        for partition in topic["partitions"]
    ]


async def read_again(kafka: KafkaAddress, group: str, topic: str, since: datetime) -> bool:
    """Rewind a group to the records `since` then; return whether it had offsets. Raises Trouble while it has
    members.
    """
    admin = AIOKafkaAdminClient(**kafka.client(), request_timeout_ms=ASK_MS)
    await admin.start()
    try:
        known = {name for name, *_ in await admin.list_consumer_groups()}
        begun = group in known and await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    places = {place: seen.offset for place, seen in (begun or {}).items() if place.topic == topic}
    if places:
        await go_back(kafka, group, places, since)
    return bool(places)


async def go_back(
    kafka: KafkaAddress, group: str, places: Mapping[TopicPartition, int], since: datetime
) -> None:
    consumer = AIOKafkaConsumer(
        **kafka.client(),
        group_id=group,
        enable_auto_commit=False,
        request_timeout_ms=ASK_MS,
    )
    await consumer.start()
    try:
        consumer.assign(list(places))
        moment = int(since.timestamp() * 1000)
        found = await consumer.offsets_for_times(dict.fromkeys(places, moment))
        back = {
            place: min(offset, first.offset)
            for place, offset in places.items()
            if (first := found[place]) is not None
        }
        # An empty commit would not be refused while the group is at work.
        await consumer.commit({**places, **back})
    except KafkaError as fault:
        if fault.retriable:
            raise
        raise Trouble("restore.working", group=group) from fault
    finally:
        await consumer.stop()
