"""Creates missing topics and corrects the settings of existing ones.

A job: `python -m deploy.jobs.topics`. Of an existing topic only the settings in `Topic.upheld` are changed.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, KafkaError, for_code

from shared.contracts.topics import PARTITIONS, TOPICS, Topic
from shared.delivery.kafka.address import KafkaAddress
from shared.delivery.kafka.topic_settings import change_topic_settings
from shared.service.settings import ServerSettings, read_settings

log = structlog.get_logger()

ALREADY_THERE = 36
MOST_COPIES = 3
RETRY_SECONDS = 0.5


async def ensure_topics(
    kafka: KafkaAddress,
    *,
    topics: Sequence[Topic] = TOPICS,
    partitions: int = PARTITIONS,
    seconds: float = 60.0,
) -> list[str]:
    """Create the missing topics and correct the others; return the created names. Idempotent, also concurrently.

    Waits for a broker for up to `seconds`. Raises KafkaError when none came or one refused.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            return await make_missing(kafka, topics, partitions)
        except KafkaConnectionError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(RETRY_SECONDS)


async def make_missing(kafka: KafkaAddress, topics: Sequence[Topic], partitions: int) -> list[str]:
    admin = AIOKafkaAdminClient(**kafka.client(), request_timeout_ms=20_000)
    await admin.start()
    try:
        there = set(await admin.list_topics())
        brokers = (await admin.describe_cluster())["brokers"]
        copies = min(MOST_COPIES, len(brokers))
        missing = [
            NewTopic(
                kafka.topic(topic.name),
                partitions,
                copies,
                topic_configs=topic.settings,
            )
            for topic in topics
            if kafka.topic(topic.name) not in there
        ]
        made = refused_none(await admin.create_topics(missing)) if missing else []
        upheld = {kafka.topic(topic.name): topic.upheld for topic in topics if topic.upheld}
        changed = await change_topic_settings(
            admin, {name: wanted for name, wanted in upheld.items() if name in there}
        )
        if changed:
            log.info("topics.changed", topics=changed)
        return made
    finally:
        await admin.close()


def refused_none(answer: object) -> list[str]:
    """Return the topics that this call created. Raises the KafkaError of the first one refused."""
    made = []
    for name, code, reason in answer.topic_errors:  # type: ignore[attr-defined]
        if code == 0:
            made.append(name)
        elif code != ALREADY_THERE:
            error: KafkaError = for_code(code)(f"{name}: {reason}")
            raise error
    return made


def main() -> None:
    """Read the address from the settings and create the topics."""
    parser = argparse.ArgumentParser(prog="python -m deploy.jobs.topics")
    parser.add_argument("--partitions", type=int, default=PARTITIONS)
    asked = parser.parse_args()
    kafka = read_settings(ServerSettings).kafka_address
    if not kafka.bootstrap:
        parser.error("name Kafka's servers: LIAISON_KAFKA")
    asyncio.run(ensure_topics(kafka, partitions=asked.partitions))


if __name__ == "__main__":
    main()
