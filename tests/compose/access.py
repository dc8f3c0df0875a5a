"""Tries, with the services' own names and passwords, what each of them has no right to."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import product

import asyncpg
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from deploy.jobs.access import ACCESS, SENDERS
from deploy.jobs.migrations import SERVICES
from shared.contracts.topics import TOPICS
from shared.delivery.kafka.address import KafkaAddress
from tests.compose.engine import Failed
from tests.compose.ground import Site
from tests.support.rights import may_read, may_write

FORBIDDEN = ("create schema mine", "create table public.mine (id int)", "create role other")
ANSWER_SECONDS = 20.0
ANSWER_MS = 10_000


def check(site: Site) -> str:
    """Raises Failed for anything that is let through, or kept from whom it is for."""
    return asyncio.run(_check(site))


async def _check(site: Site) -> str:
    tried = 0
    for service, schema in product(SERVICES, SERVICES):
        tried += await _database(site, service, schema)
    for user in ACCESS:
        tried += await _kafka(site, user)
    strangers = _strangers(site)
    for what, kafka in strangers.items():
        await _stranger(kafka, what)
    return f"({tried + len(strangers)} tries)"


def _strangers(site: Site) -> dict[str, KafkaAddress]:
    """Ways of coming to the outer port that open nothing."""
    kafka = site.kafka_for(SENDERS)
    return {
        "a wrong password": site.kafka_for(SENDERS, "a password that is wrong"),
        "a password without TLS": replace(kafka, ca_file=None),
        "nobody in particular": replace(kafka, login=None),
        # The gateway's authority is another one: whoever believes that alone must not take this for Kafka.
        "whoever believes another authority": replace(kafka, ca_file=site.authority),
    }


async def _database(site: Site, service: str, schema: str) -> int:
    secret = (site.folder / "secrets" / f"database_{service}").read_text().strip()
    url = re.sub(r"//[^@]*@", f"//liaison_{service}:{secret}@", site.database)
    conn = await asyncpg.connect(url, timeout=10, command_timeout=10)
    tried = [f"select from {schema}.event limit 1", f"delete from {schema}.outbox where false"]
    try:
        for statement in tried:
            if await _may(conn, statement) != (service == schema):
                raise Failed(f"{service}: {statement}")
        for statement in FORBIDDEN:
            if await _may(conn, statement):
                raise Failed(f"{service}: {statement}")
    finally:
        await conn.close(timeout=5)
    return len(tried) + len(FORBIDDEN)


async def _may(conn: asyncpg.Connection, statement: str) -> bool:
    try:
        await conn.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return False
    return True


async def _kafka(site: Site, user: str) -> int:
    """What lies in the topics after the sample day is not for everybody, and not everybody may add to it."""
    kafka, names = site.kafka_for(user), {topic.name for topic in TOPICS}
    forbidden = [(may_read, name) for name in names - set(ACCESS[user].reads)]
    forbidden += [(may_write, name) for name in names - set(ACCESS[user].writes)]
    answers = await asyncio.gather(*(act(kafka, name) for act, name in forbidden))
    for (act, name), may in zip(forbidden, answers, strict=True):
        if may:
            raise Failed(f"{user}: {act.__name__} {name}")
    return len(forbidden)


def refused(site: Site, secrets: Mapping[str, str]) -> None:
    """Raises Failed when one of these passwords, by their files' names, still opens anything.

    The desk's old key opens the services for five minutes more, until they ask for its keys again.
    """
    asyncio.run(_refused(site, secrets))


async def _refused(site: Site, secrets: Mapping[str, str]) -> None:
    for name, secret in secrets.items():
        server, _, who = name.partition("_")
        if server == "kafka":
            await _stranger(site.kafka_for(who, secret.strip()), f"the old password of {who}")
        elif server == "database" and await _comes_in(
            site, "liaison" if who == "admin" else f"liaison_{who}", secret.strip()
        ):
            raise Failed(f"PostgreSQL takes the old password of {who}")


async def _comes_in(site: Site, role: str, secret: str) -> bool:
    url = re.sub(r"//[^@]*@", f"//{role}:{secret}@", site.database)
    try:
        conn = await asyncpg.connect(url, timeout=10)
    except asyncpg.InvalidPasswordError:
        return False
    await conn.close(timeout=5)
    return True


async def _stranger(kafka: KafkaAddress, what: str) -> None:
    consumer = AIOKafkaConsumer(**kafka.client(), request_timeout_ms=ANSWER_MS)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await consumer.start()
    except (KafkaError, TimeoutError):
        return
    finally:
        await consumer.stop()
    raise Failed(f"Kafka lets in {what}")
