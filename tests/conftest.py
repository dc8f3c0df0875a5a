"""One real PostgreSQL and one real Kafka for each process of a run, started when a test first asks for them."""

import itertools
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import asyncpg
import hypothesis
import pytest

from deploy.jobs.migrations import migrate_all
from deploy.jobs.topics import ensure_topics
from deploy.local.embedded import jars
from deploy.local.embedded.kafka import Broker
from deploy.local.embedded.ports import pick, pick_apart
from deploy.local.embedded.postgres import Postgres
from deploy.local.embedded.process import running
from shared.contracts.topics import TOPICS, Topic
from shared.delivery.kafka.address import KafkaAddress
from tests.support.brokers import prepared_broker

TEMPLATE = "template_liaison"
START_SECONDS = 50.0
COUNTED = "counted"
"""`record_property(COUNTED, "…")`: how much a test tried; said at the end of the run."""
numbers = itertools.count(1)

# How long an example takes says how busy the machine is; nothing here is asserted by a clock.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile(
    "quick", hypothesis.settings.get_profile("untimed"), max_examples=15, stateful_step_count=20
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "untimed"))

MakeTopics = Callable[..., Awaitable[list[str]]]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch Kafka before the first test, so that no test's time limit counts the download."""
    wanted = ("kafka", "kafka_server")
    if any(name in getattr(item, "fixturenames", ()) for item in session.items for name in wanted):
        fetch_kafka(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Before several processes run tests: only the one that starts them can say how far a download has come."""
    fetch_kafka(config)


def fetch_kafka(config: pytest.Config) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    jars.classpath(Fetching(reporter.write_line if reporter else lambda line: None))


class Fetching:
    """Says in a line for each quarter how far a download has come."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._told = -1

    def __call__(self, come: int, expected: int) -> None:
        quarter = 4 * come // expected if expected else 0
        if quarter > self._told:
            self._told = quarter
            self._say(f"fetching Kafka: {come / 1e6:.0f} of {expected / 1e6:.0f} MB")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            if name == COUNTED:
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {value}")
    terminalreporter.write_line(f"skipped: {len(terminalreporter.getreports('skipped'))}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything must be there (`LIAISON_NO_SKIPS`), a skipped test is a failed run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and os.environ.get("LIAISON_NO_SKIPS") and reporter.getreports("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def servers_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="session")
def postgres_server(servers_folder: Path) -> Iterator[Postgres]:
    """A server that may forget on a power cut; tests of durability start their own."""
    log = servers_folder / "postgres.log"
    server = Postgres(servers_folder / "postgres", pick(None), log, durable=False)
    server.prepare()
    with running(server.program(), START_SECONDS):
        yield server
    shutil.rmtree(server.folder)


@pytest.fixture(scope="session")
async def migrated_template(postgres_server: Postgres) -> str:
    """A database with the three services' schemas, to be copied and never connected to."""
    await run_sql(postgres_server, f"create database {TEMPLATE}")
    await migrate_all(postgres_server.url(TEMPLATE))
    return TEMPLATE


@pytest.fixture
async def database_url(postgres_server: Postgres, migrated_template: str) -> AsyncIterator[str]:
    """A database of the test's own, migrated and empty."""
    async for url in fresh_database(postgres_server, migrated_template):
        yield url


@pytest.fixture
async def bare_database_url(postgres_server: Postgres) -> AsyncIterator[str]:
    """A database of the test's own with nothing in it."""
    async for url in fresh_database(postgres_server, "template1"):
        yield url


async def fresh_database(server: Postgres, template: str) -> AsyncIterator[str]:
    name = f"test_{next(numbers)}"
    await run_sql(server, f"create database {name} template {template}")
    yield server.url(name)
    await run_sql(server, f"drop database {name} with (force)")


async def run_sql(server: Postgres, statement: str) -> None:
    connection = await asyncpg.connect(server.url())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def kafka_server(servers_folder: Path) -> Iterator[Broker]:
    """A single broker that makes no topic by itself."""
    broker = prepared_broker(servers_folder, *pick_apart(2))
    with running(broker.program(), START_SECONDS):
        yield broker
    shutil.rmtree(broker.folder)


@pytest.fixture(scope="session")
def kafka(kafka_server: Broker) -> str:
    """The bootstrap address. Tests share the broker: see `kafka_prefix` and `make_topics`."""
    return kafka_server.address


@pytest.fixture
async def make_topics(kafka: str) -> MakeTopics:
    """`await make_topics(["a", "b"], partitions=3)` makes topics of just these names."""

    async def make(names: Sequence[str], partitions: int = 3) -> list[str]:
        topics = [Topic(name, "a test") for name in names]
        await ensure_topics(KafkaAddress(kafka), topics=topics, partitions=partitions)
        return list(names)

    return make


@pytest.fixture
async def kafka_prefix(kafka: str) -> str:
    """A prefix under which the project's topics were made for this test alone, for a KafkaAddress."""
    prefix = f"t{next(numbers)}."
    await ensure_topics(KafkaAddress(kafka, prefix), topics=TOPICS, partitions=3)
    return prefix
