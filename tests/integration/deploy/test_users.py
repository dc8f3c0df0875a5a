"""Kafka knows each service by a user of its own, who may read and write its own topics and no others."""

import asyncio
import re
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from deploy.jobs.access import ACCESS, SENDERS
from deploy.jobs.migrations import SERVICES
from deploy.jobs.topics import ensure_topics
from deploy.jobs.users import ensure_users
from deploy.local.embedded.ports import LOOPBACK, pick_apart
from deploy.local.embedded.process import running
from shared.contracts import topics
from shared.contracts.topics import TOPICS
from shared.delivery.kafka.address import KafkaAddress, Login
from shared.delivery.kafka.consumer import Consumer
from shared.delivery.outbox.relay import make_producer
from shared.service.settings import ServerSettings
from tests.conftest import COUNTED
from tests.support.brokers import prepared_broker
from tests.support.rights import may_join, may_read, may_write
from tools.asyncapi.document import document

pytestmark = pytest.mark.timeout(120)
START_SECONDS = 60.0
ANSWER_MS = 5_000
CHANNELS = [channel["address"] for channel in document()["channels"].values()]
PASSWORDS = {user: f"the password of {user}" for user in ACCESS}
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
ROOT = Path(__file__).parents[3]
MOUNTED = "/run/secrets/kafka_certificate"
OUTSIDE = re.compile(r"^ +KAFKA_(LISTENER_NAME_OUTSIDE_\w+): (.+)$", re.MULTILINE)

STRANGERS: dict[str, Callable[[KafkaAddress, Path], KafkaAddress]] = {
    "without TLS": lambda kafka, _: replace(kafka, ca_file=None),
    "without a name": lambda kafka, _: replace(kafka, login=None),
    "with a wrong password": lambda kafka, _: replace(kafka, login=Login(SENDERS, "a wrong one")),
    "on another authority's word": lambda kafka, other: replace(kafka, ca_file=other),
}


@dataclass(frozen=True, slots=True)
class Guarded:
    """A broker's listeners: of whoever may do everything, of users, and of other systems by TLS; its secrets."""

    local: str
    users: str
    outside: str
    secrets: Path


def make_secrets(folder: Path) -> Path:
    """What an operator's `deploy/compose/secrets.sh` leaves there."""
    subprocess.run([ROOT / "deploy/compose/secrets.sh", folder], check=True, cwd=folder.parent)
    return folder


def outer_settings(secrets: Path) -> dict[str, str]:
    """What docker-compose.yml says of the outer listener, as Kafka's image reads it."""
    said = OUTSIDE.findall((ROOT / "docker-compose.yml").read_text("utf-8"))
    return {
        name.lower().replace("___", "-").replace("_", "."): value.replace(
            MOUNTED, str(secrets / "kafka_certificate")
        )
        for name, value in said
    }


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    secrets = make_secrets(folder / "secrets")
    local, controller, users, outside = pick_apart(4)
    names = {"LOCAL": local, "CONTROLLER": controller, "USERS": users, "OUTSIDE": outside}
    places = [f"{name}://{LOOPBACK}:{port}" for name, port in names.items()]
    broker = prepared_broker(
        folder,
        local,
        controller,
        settings={
            "listeners": ",".join(places),
            "advertised.listeners": ",".join(
                place for place in places if not place.startswith("CONTROLLER")
            ),
            "listener.security.protocol.map": "LOCAL:PLAINTEXT,CONTROLLER:PLAINTEXT,"
            "USERS:SASL_PLAINTEXT,OUTSIDE:SASL_SSL",
            "inter.broker.listener.name": "LOCAL",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.users.scram-sha-512.sasl.jaas.config": SCRAM,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            **outer_settings(secrets),
        },
    )
    with running(broker.program(), START_SECONDS):
        yield Guarded(broker.address, f"{LOOPBACK}:{users}", f"{LOOPBACK}:{outside}", secrets)


@pytest.fixture
async def kafka_of_users(guarded: Guarded) -> str:
    address = KafkaAddress(guarded.local)
    await asyncio.to_thread(ensure_users, address, PASSWORDS)
    await ensure_topics(address, partitions=1)
    # There is something to read everywhere.
    producer = make_producer(address)
    await producer.start()
    for topic in TOPICS:
        await producer.send_and_wait(topic.name, b"{}", key=b"key")
    await producer.stop()
    return guarded.users


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
    guarded: Guarded, kafka_of_users: str
):
    fresh = {**PASSWORDS, "routing": "a new password of routing"}
    await asyncio.to_thread(ensure_users, KafkaAddress(guarded.local), fresh)
    assert await may_read(coming_in(kafka_of_users, "routing", fresh["routing"]), topics.REQUESTS)
    await asyncio.to_thread(ensure_users, KafkaAddress(guarded.local), PASSWORDS)


@pytest.fixture
def sender(guarded: Guarded, kafka_of_users: str, tmp_path: Path) -> KafkaAddress:
    """Another system, by the settings that it would have were it one of ours."""
    password = tmp_path / "password"
    password.write_text(PASSWORDS[SENDERS])
    return ServerSettings(
        kafka=guarded.outside,
        kafka_user=SENDERS,
        kafka_password_file=password,
        kafka_ca_file=guarded.secrets / "kafka_authority",
    ).kafka_address


async def test_other_systems_come_in_by_tls(sender: KafkaAddress):
    assert sender.client()["security_protocol"] == "SASL_SSL"
    assert await may_write(sender, topics.SUBMISSIONS)
    assert not await may_read(sender, topics.REQUESTS)


@pytest.mark.parametrize("what", STRANGERS)
async def test_nobody_else_comes_in_by_tls(sender: KafkaAddress, tmp_path: Path, what: str):
    stranger = STRANGERS[what](sender, make_secrets(tmp_path / "other") / "kafka_authority")
    producer = AIOKafkaProducer(**stranger.client(), request_timeout_ms=ANSWER_MS)
    with pytest.raises(KafkaError):
        await producer.start()
    await producer.stop()


def test_every_topic_is_written_by_whom_the_contract_names() -> None:
    for topic in TOPICS:
        writers = {user for user, access in ACCESS.items() if topic.name in access.writes}
        services = writers - {SENDERS}
        if topic.written_by == "each service":
            assert writers == set(SERVICES)
        elif services:
            assert topic.written_by == " and ".join(name for name in SERVICES if name in services)
        else:
            assert writers == {SENDERS}, topic.name


def test_what_is_read_is_what_the_services_subscribe_to() -> None:
    """The composition roots name their topics; nothing else subscribes."""
    for service, access in ACCESS.items():
        if service == SENDERS:
            continue
        written = "".join(
            (ROOT / "services" / service / name).read_text()
            for name in ("app.py", "consumers.py")
            if (ROOT / "services" / service / name).exists()
        )
        named = {topic.name for topic in TOPICS if f"topics.{_constant(topic.name)}" in written}
        assert named == set(access.reads), service


def _constant(topic: str) -> str:
    return topic.removeprefix("liaison.").replace("-", "_").upper()
