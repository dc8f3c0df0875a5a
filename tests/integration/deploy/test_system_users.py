"""A system has a user of its own where the settings name a Kafka, as in compose."""

import asyncio
import json
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from typer.testing import CliRunner

from deploy.cli import kafka_commands
from deploy.jobs.access import ACCESS, SENDERS
from shared.contracts import topics
from shared.delivery.kafka.address import KafkaAddress
from tests.integration.deploy.test_users import (
    ANSWER_MS,
    Guarded,
    coming_in,
    guarded,
    kafka_of_users,
    those,
)
from tests.support.rights import may_join, may_read, may_write

__all__ = ["guarded", "kafka_of_users"]

pytestmark = pytest.mark.timeout(120)


async def is_let_in(kafka: KafkaAddress) -> bool:
    producer = AIOKafkaProducer(**kafka.client(), request_timeout_ms=ANSWER_MS)
    try:
        await producer.start()
    except KafkaError:
        return False
    finally:
        await producer.stop()
    return True


async def reads_in_the_end(kafka: KafkaAddress, expected: set[str]) -> None:
    """A broker learns of its controller's changes a moment after they were acknowledged."""
    async with asyncio.timeout(30):
        while await those(may_read, kafka) != expected:
            await asyncio.sleep(0.1)


async def test_case_102_a_system_has_a_user_of_its_own_where_kafka_is_not_the_stacks_own(
    guarded: Guarded, kafka_of_users: str
) -> None:
    """As `docker compose run users liaison kafka-users …` does it, by the listener that may do everything."""
    local = {"LIAISON_KAFKA": guarded.local}

    async def run(*arguments: str) -> Any:
        return await asyncio.to_thread(
            CliRunner().invoke, kafka_commands.app, list(arguments), env=local
        )

    added = await run("add", "dashboard", "--reads", "requests,matters")
    assert added.exit_code == 0, added.output
    own = coming_in(kafka_of_users, "dashboard", added.stdout.strip())
    reads = {topics.REQUESTS, topics.MATTERS, topics.REPLIES}
    assert await those(may_read, own) == reads
    assert await those(may_write, own) == set(ACCESS[SENDERS].writes)
    groups = ("dashboard", "dashboard.one", "liaison.intake.tried", "dashboards")
    joined = await asyncio.gather(*(may_join(own, group, topics.MATTERS) for group in groups))
    assert joined == [True, True, False, False]
    # Its rights are changed, its password is not.
    again = await run("add", "dashboard", "--reads", "matters")
    assert "its password stays" in again.output or "密码不变" in again.output
    await reads_in_the_end(own, {topics.MATTERS, topics.REPLIES})
    listed = json.loads((await run("list", "--json")).stdout)
    assert listed == [
        {"name": "dashboard", "reads": True, "topics": [topics.MATTERS, topics.REPLIES]}
    ]
    for name in ("intake", SENDERS, "nobody-there"):
        assert (await run("remove", name)).exit_code == 1
    for name in ("intake", SENDERS, "ANONYMOUS", "liaison.x"):
        assert (await run("add", name)).exit_code == 1
    assert (await run("remove", "dashboard")).exit_code == 0
    async with asyncio.timeout(30):
        while await is_let_in(own):
            await asyncio.sleep(0.1)
    assert json.loads((await run("list", "--json")).stdout) == []
    # Nobody else lost anything by it.
    assert await may_read(coming_in(kafka_of_users, "routing"), topics.REQUESTS)
