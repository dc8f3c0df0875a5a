"""Kafka knows each service by a user of its own, who may read and write its own topics and no others."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from deploy.access import ACCESS, SENDERS
from deploy.embedded import jars
from deploy.embedded.kafka import Broker, new_cluster_id
from deploy.embedded.ports import LOOPBACK, pick
from deploy.embedded.process import running
from deploy.topics import ensure_topics
from deploy.users import ensure_users
from shared.contracts import asyncapi, topics
from shared.contracts.topics import TOPICS
from shared.kit.address import KafkaAddress, Login
from shared.kit.kafka import Consumer
from shared.kit.relay import make_producer
from tests.conftest import COUNTED
from tests.rights import may_join, may_read, may_write

pytestmark = pytest.mark.timeout(120)
START_SECONDS = 60.0
CHANNELS = [channel["address"] for channel in asyncapi.document()["channels"].values()]
PASSWORDS = {user: f"the password of {user}" for user in ACCESS}
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A broker with two listeners: of whoever may do everything, and of users."""
    folder = tmp_path_factory.mktemp("guarded")
    ports = [pick(None) for _ in range(3)]
    local, controller, users = ports
    names = (("LOCAL", local), ("CONTROLLER", controller), ("USERS", users))
    broker = Broker(
        folder=folder / "kafka",
        port=local,
        log=folder / "kafka.log",
        classpath=jars.classpath(lambda come, expected: None),
        controllers={1: controller},
        settings={
            "listeners": ",".join(f"{name}://{LOOPBACK}:{port}" for name, port in names),
            "advertised.listeners": f"LOCAL://{LOOPBACK}:{local},USERS://{LOOPBACK}:{users}",
            "listener.security.protocol.map": "LOCAL:PLAINTEXT,CONTROLLER:PLAINTEXT,USERS:SASL_PLAINTEXT",
            "inter.broker.listener.name": "LOCAL",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.users.scram-sha-512.sasl.jaas.config": SCRAM,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
        },
    )
    broker.prepare(new_cluster_id())
    with running(broker.program(), START_SECONDS):
        yield broker.address, f"{LOOPBACK}:{users}"


@pytest.fixture
async def kafka_of_users(guarded: tuple[str, str]) -> str:
    local, users = guarded
    address = KafkaAddress(local)
    await asyncio.to_thread(ensure_users, address, PASSWORDS)
    await ensure_topics(address, partitions=1)
    # There is something to read everywhere.
    producer = make_producer(address)
    await producer.start()
    for topic in TOPICS:
        await producer.send_and_wait(topic.name, b"{}")
    await producer.stop()
    return users


def coming_in(bootstrap: str, user: str, password: str | None = None) -> KafkaAddress:
    return KafkaAddress(bootstrap, login=Login(user, password or PASSWORDS[user]))


async def those(act: Callable[[KafkaAddress, str], Awaitable[bool]], kafka: KafkaAddress):
    """The channels with which this user may do that."""
    answers = await asyncio.gather(*(act(kafka, name) for name in CHANNELS))
    return {name for name, may in zip(CHANNELS, answers, strict=True) if may}


@pytest.mark.parametrize("user", ACCESS)
async def test_a_user_reads_and_writes_what_is_for_it_and_nothing_else(
    kafka_of_users: str, user: str, record_property: Callable[[str, object], None]
):
    kafka = coming_in(kafka_of_users, user)
    assert await those(may_read, kafka) == set(ACCESS[user].reads)
    assert await those(may_write, kafka) == set(ACCESS[user].writes)
    record_property(COUNTED, f"{2 * len(CHANNELS)} combinations of reading, writing and a channel")


@pytest.mark.parametrize("user", ACCESS)
async def test_a_user_reads_in_its_own_groups_alone(kafka_of_users: str, user: str):
    """Whoever could read in another's group would take its records away from it."""
    kafka, topic = coming_in(kafka_of_users, user), ACCESS[user].reads[0]
    groups = {f"{access.group}.tried": name for name, access in ACCESS.items()}
    joined = await asyncio.gather(*(may_join(kafka, group, topic) for group in groups))
    assert [groups[group] for group, may in zip(groups, joined, strict=True) if may] == [user]


def test_every_channel_of_the_description_is_in_the_table():
    """A channel that is added must be given to somebody, and what is given must be a channel."""
    given = {name for access in ACCESS.values() for name in access.reads + access.writes}
    assert given == set(CHANNELS) == {topic.name for topic in TOPICS}
    written = {name for access in ACCESS.values() for name in access.writes}
    assert written == set(CHANNELS)


async def test_a_service_consumes_as_its_user(kafka_of_users: str):
    taken = asyncio.Event()

    async def take(_: object) -> None:
        taken.set()

    sender = make_producer(coming_in(kafka_of_users, SENDERS))
    await sender.start()
    await sender.send_and_wait(topics.SUBMISSIONS, b"{}")
    await sender.stop()
    kafka = coming_in(kafka_of_users, "intake")
    consumer = Consumer(kafka, "intake.submissions", [topics.SUBMISSIONS], take)
    running_on = asyncio.create_task(consumer.run())
    try:
        await asyncio.wait_for(taken.wait(), 30)
    finally:
        running_on.cancel()
        await asyncio.gather(running_on, return_exceptions=True)


async def test_a_wrong_password_is_not_let_in(kafka_of_users: str):
    producer = AIOKafkaProducer(**coming_in(kafka_of_users, "intake", "a wrong one").client())
    with pytest.raises(KafkaError):
        await producer.start()
    await producer.stop()


async def test_users_are_made_again_to_no_harm_and_a_new_password_counts(
    guarded: tuple[str, str], kafka_of_users: str
):
    fresh = {**PASSWORDS, "routing": "a new password of routing"}
    await asyncio.to_thread(ensure_users, KafkaAddress(guarded[0]), fresh)
    assert await may_read(coming_in(kafka_of_users, "routing", fresh["routing"]), topics.REQUESTS)
    await asyncio.to_thread(ensure_users, KafkaAddress(guarded[0]), PASSWORDS)


def test_every_topic_is_written_by_whom_the_contract_names() -> None:
    for topic in TOPICS:
        writers = {user for user, access in ACCESS.items() if topic.name in access.writes}
        services = writers - {SENDERS}
        if topic.written_by == "each service":
            assert writers == {"intake", "routing", "followup"}
        elif services:
            assert topic.written_by == " and ".join(
                name for name in ("intake", "routing", "followup") if name in services
            )
        else:
            assert writers == {SENDERS}, topic.name


def test_what_is_read_is_what_the_services_subscribe_to(repository: Path) -> None:
    """The composition roots name their topics; nothing else subscribes."""
    for service, access in ACCESS.items():
        if service == SENDERS:
            continue
        written = "".join(
            (repository / "services" / service / name).read_text()
            for name in ("app.py", "consumers.py")
            if (repository / "services" / service / name).exists()
        )
        named = {topic.name for topic in TOPICS if f"topics.{_constant(topic.name)}" in written}
        assert named == set(access.reads), service


def _constant(topic: str) -> str:
    return topic.removeprefix("liaison.").replace("-", "_").upper()


@pytest.fixture
def repository() -> Path:
    return Path(__file__).parents[3]
