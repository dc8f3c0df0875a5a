"""The stack's own Kafka asks for a password: who comes in, and what each may do there."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from deploy.jobs.topics import ensure_topics
from deploy.local.embedded import jars
from deploy.local.embedded.kafka import Broker, new_cluster_id
from deploy.local.embedded.ports import pick_apart
from deploy.local.embedded.process import running
from shared.contracts import topics
from shared.contracts.topics import TOPICS
from shared.delivery.kafka.address import KafkaAddress, Login
from tests.integration.deploy.stacks import Stack, until
from tests.support.rights import may_join, may_read, may_write

pytestmark = pytest.mark.timeout(300)

NAMES = [topic.name for topic in TOPICS]
FROM_OTHERS = {topics.SUBMISSIONS, topics.COMMANDS}
PUBLISHED = {
    topics.REQUESTS, topics.ASSIGNMENTS, topics.DIRECTORY, topics.MATTERS, topics.REPLIES
}  # fmt: skip


def leave_what_an_earlier_version_left(folder: Path) -> None:
    """A Kafka without users and rules, with a message that nobody can read on its topic."""
    port, controller = pick_apart(2)
    memory = {"ports": {"kafka": port, "controller": controller}, "cluster_id": new_cluster_id()}
    folder.mkdir(mode=0o700)
    (folder / "stack.json").write_text(json.dumps(memory))
    broker = Broker(
        folder=folder / "kafka",
        port=port,
        log=folder / "logs" / "kafka.log",
        classpath=jars.classpath(lambda come, expected: None),
        controllers={1: controller},
    )
    broker.prepare(memory["cluster_id"])
    with running(broker.program(), 90):
        asyncio.run(ensure_topics(KafkaAddress(broker.address)))
        asyncio.run(send(KafkaAddress(broker.address), topics.SUBMISSIONS, b"of an earlier day"))


async def send(kafka: KafkaAddress, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(**kafka.client(), acks="all", enable_idempotence=True)
    try:
        await producer.start()
        await producer.send_and_wait(topic, value, partition=0, key=b"key")
    finally:
        await producer.stop()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("guarded") / "data")
    leave_what_an_earlier_version_left(stack.folder)
    stack.up("--port", "0")
    yield stack
    stack.down()


def as_user(stack: Stack, name: str, *options: str) -> KafkaAddress:
    added = stack.run("kafka-users", "add", name, *options)
    assert added.code == 0, added.out + added.err
    return KafkaAddress(stack.endpoints()["kafka_sasl"], login=Login(name, added.out.strip()))


async def rights(kafka: KafkaAddress) -> tuple[set[str], set[str]]:
    """The topics that may be read, and those that may be written."""
    reads = await asyncio.gather(*(may_read(kafka, name) for name in NAMES))
    writes = await asyncio.gather(*(may_write(kafka, name) for name in NAMES))
    return (
        {name for name, may in zip(NAMES, reads, strict=True) if may},
        {name for name, may in zip(NAMES, writes, strict=True) if may},
    )


def letters(stack: Stack) -> list[dict[str, str]]:
    return json.loads(stack.run("dead-letters", "list", "--json").out)


def test_case_90_an_earlier_versions_data_go_on_behind_a_password(stack: Stack):
    endpoints = stack.endpoints()
    assert endpoints["kafka"] == endpoints["kafka_sasl"]
    until(lambda: bool(letters(stack)), 40)
    [letter] = letters(stack)
    shown = stack.run("dead-letters", "show", letter["id"]).out
    assert "of an earlier day" in shown
    assert stack.run("dead-letters", "discard", letter["id"], "--reason", "tried").code == 0
    now = json.loads(stack.run("status", "--json").out)
    assert now["ready"] is True
    assert now["lag"]["intake"] == 0
    assert stack.run("doctor").code == 0


async def test_case_90_nobody_comes_in_without_the_password(stack: Stack):
    address = stack.endpoints()["kafka"]
    for login in (None, Login("liaison", "a guess"), Login("nobody", "a guess")):
        with pytest.raises(KafkaError):
            await send(KafkaAddress(address, login=login), topics.MATTERS, b"{}")


async def leave_something_to_read(stack: Stack) -> None:
    own = Login("liaison", (stack.folder / "kafka/liaison.password").read_text())
    for name in NAMES:
        await send(KafkaAddress(stack.endpoints()["kafka_sasl"], login=own), name, b"{}")


async def test_case_90_another_system_sends_and_forges_nothing(stack: Stack):
    await leave_something_to_read(stack)
    kafka = await asyncio.to_thread(as_user, stack, "hotline")
    assert await rights(kafka) == ({topics.REPLIES}, FROM_OTHERS)
    groups = ("hotline", "hotline.one", "senders.one", "liaison.intake.submissions", "other")
    joined = await asyncio.gather(*(may_join(kafka, group, topics.REPLIES) for group in groups))
    assert joined == [True, True, True, False, False]
    again = await asyncio.to_thread(as_user, stack, "hotline", "--reads")
    assert again == kafka
    assert await rights(kafka) == (PUBLISHED, FROM_OTHERS)
    [listed] = json.loads(stack.run("kafka-users", "list", "--json").out)
    assert (listed["name"], listed["reads"], set(listed["topics"])) == ("hotline", True, PUBLISHED)
    assert kafka.login is not None
    assert kafka.login.password not in stack.run("kafka-users", "list").out
    assert (await asyncio.to_thread(stack.run, "kafka-users", "remove", "hotline")).code == 0
    with pytest.raises(KafkaError):
        await send(kafka, topics.SUBMISSIONS, b"{}")


async def test_case_102_a_system_reads_the_topics_that_it_was_given(stack: Stack):
    await leave_something_to_read(stack)
    reads = ("--reads", "requests,matters")
    kafka = await asyncio.to_thread(as_user, stack, "dashboard", *reads)
    given = {topics.REQUESTS, topics.MATTERS}
    assert await rights(kafka) == (given | {topics.REPLIES}, FROM_OTHERS)
    groups = ("dashboard", "dashboard.one", "dashboards", "hotline", "liaison.intake")
    joined = await asyncio.gather(*(may_join(kafka, group, topics.MATTERS) for group in groups))
    assert joined == [True, True, False, False, False]
    # Fewer topics the next time are fewer rights.
    again = await asyncio.to_thread(as_user, stack, "dashboard", "--reads", "liaison.matters")
    assert again == kafka
    assert await rights(kafka) == ({topics.MATTERS, topics.REPLIES}, FROM_OTHERS)
    before = stack.run("kafka-users", "list", "--json").out
    for wrong in ("requests,nothing", "dead-letters", "submissions", ","):
        refused = stack.run("kafka-users", "add", "dashboard", "--reads", wrong)
        assert refused.code == 1, wrong
        assert wrong.split(",")[-1] in refused.err
        assert "requests, assignments" in refused.err
    assert stack.run("kafka-users", "list", "--json").out == before
    assert await rights(kafka) == ({topics.MATTERS, topics.REPLIES}, FROM_OTHERS)


@pytest.mark.parametrize("name", ["broker", "ANONYMOUS", "liaison", "liaison.intake", "a b", "*"])
def test_case_90_a_name_that_would_be_somebody_else_is_refused(stack: Stack, name: str):
    refused = stack.run("kafka-users", "add", name)
    assert refused.code == 1
    assert "Traceback" not in refused.err
    assert "cannot be the name of a Kafka user" in refused.err


def test_case_90_every_password_is_in_a_file_for_its_owner_alone(stack: Stack):
    stack.run("kafka-users", "add", "another")
    secrets = ("kafka-users.json", "kafka/liaison.password", "kafka/broker.password")
    for name in (*secrets, "kafka/server.properties"):
        assert (stack.folder / name).stat().st_mode & 0o077 == 0, name
    told = "".join(stack.processes())
    for secret in secrets[1:]:
        assert (stack.folder / secret).read_text() not in told


async def test_case_90_in_the_sample_town_a_stranger_may_send_and_read_and_forge_nothing(
    stack: Stack,
):
    kept = await asyncio.to_thread(as_user, stack, "kept")
    gone = await asyncio.to_thread(as_user, stack, "gone")
    assert (await asyncio.to_thread(stack.down)).code == 0
    assert (await asyncio.to_thread(stack.run, "kafka-users", "remove", "gone")).code == 0
    said = await asyncio.to_thread(stack.run, "up", "--detach", "--demo", "--port", "0")
    assert said.code == 0, said.out + said.err
    await leave_something_to_read(stack)
    endpoints = stack.endpoints()
    assert endpoints["kafka"] != endpoints["kafka_sasl"]
    assert "without a password" in said.out
    assert endpoints["kafka"] in said.out
    stranger = KafkaAddress(endpoints["kafka"])
    assert await rights(stranger) == (PUBLISHED, FROM_OTHERS)
    groups = ("mine", "liaison.intake.submissions", "liaison.new")
    joined = await asyncio.gather(*(may_join(stranger, group, topics.MATTERS) for group in groups))
    assert joined == [True, False, False]
    now = KafkaAddress(endpoints["kafka_sasl"], login=kept.login)
    assert await may_write(now, topics.SUBMISSIONS)
    with pytest.raises(KafkaError):
        await send(KafkaAddress(now.bootstrap, login=gone.login), topics.SUBMISSIONS, b"{}")
