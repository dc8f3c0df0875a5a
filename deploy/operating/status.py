"""What runs, and how far behind it is; changes nothing."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.embedded.kafka import answers
from deploy.folder import Folder, read_json
from deploy.launcher import running
from deploy.launcher.running import Running, RunningPart
from deploy.launcher.services import TOGETHER
from deploy.migrations import SERVICES
from shared.kit.address import KafkaAddress
from shared.kit.db import connect
from shared.kit.running import MOST_COUNTED, SELECT_HEALTH
from shared.kit.settings import ServerSettings, read_settings

ANSWER_SECONDS = 8.0
RETRY_SECONDS = 0.2
FAULTS = (KafkaError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
LETTERS = ("poison", "failed", "unknown", "held")

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the parts of a stack are; empty where that is not known."""

    web: str
    kafka: KafkaAddress
    postgres: str

    @classmethod
    def of(cls, folder: Folder) -> "Addresses":
        """The addresses of the settings, else of the folder's stack."""
        known: Mapping[str, str] = read_json(folder.endpoints) or {}
        settings = read_settings(ServerSettings)
        kafka = settings.kafka_address
        return cls(
            web=known.get("web", ""),
            kafka=kafka if kafka.bootstrap else replace(kafka, bootstrap=known.get("kafka", "")),
            postgres=settings.database or known.get("postgres", ""),
        )


def status(folder: Folder) -> dict[str, Any]:
    """The state of a stack, as `liaison status --json` shows it."""
    found = running.noted(folder)
    if found is None:
        return {"ready": False, "parts": [], "lag": {}, "outbox_age_s": {}}
    return asyncio.run(state_of(found, Addresses.of(folder)))


async def state_of(found: Running, addresses: Addresses) -> dict[str, Any]:
    said, lag, backlog = await asyncio.gather(
        within(readiness(addresses.web), {}),
        within(lag_of(addresses.kafka), {}),
        within(backlog_of(addresses.postgres), {}),
    )
    lasting = [part for part in found.parts if not part.once]
    parts = [shown for part in lasting for shown in shown_parts(part, said, addresses)]
    return {
        "ready": bool(parts) and all(part["ready"] for part in parts),
        "web": addresses.web,
        "parts": parts,
        "tasks": [part.name for part in found.parts if part.once and part.is_alive],
        "lag": lag,
        "outbox_age_s": {name: round(row["age"], 3) for name, row in backlog.items()},
        "backlog": {name: row["pending"] for name, row in backlog.items()},
        "dead_letters": {name: row["dead_letters"] for name, row in backlog.items()},
    }


async def within(asking: Awaitable[Answer], otherwise: Answer) -> Answer:
    """The answer, or `otherwise` when what was asked is away."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await asking
    except FAULTS:
        return otherwise


def shown_parts(
    part: RunningPart, said: Mapping[str, Any], addresses: Addresses
) -> list[dict[str, Any]]:
    """A part as it is shown: the services that share a process are shown one by one."""
    names = SERVICES if part.name == TOGETHER else (part.name,)
    alive = part.is_alive
    return [
        {
            "name": name,
            "pid": part.who.pid,
            "ready": alive and is_ready(name, said, addresses),
            "restarts": part.restarts,
        }
        for name in names
    ]


def is_ready(name: str, said: Mapping[str, Any], addresses: Addresses) -> bool:
    if name in SERVICES:
        return bool(said.get(name, {}).get("ready"))
    if name == "kafka":
        return answers(int(addresses.kafka.bootstrap.rsplit(":", 1)[-1] or 0))
    if name == "origin":
        return bool(said)
    return True


async def readiness(web: str) -> dict[str, Any]:
    """What each service says of itself."""
    async with httpx.AsyncClient(trust_env=False, timeout=ANSWER_SECONDS) as client:
        try:
            parts: dict[str, Any] = (await client.get(f"{web}/readyz")).json()["parts"]
        except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError):
            return {}
    return parts


async def lag_of(kafka: KafkaAddress) -> dict[str, int]:
    """How many records each service has still to take in, in all its consumer groups."""
    admin = AIOKafkaAdminClient(**kafka.client(), request_timeout_ms=5_000)
    consumer = AIOKafkaConsumer(**kafka.client(), request_timeout_ms=5_000)
    try:
        await admin.start()
        await consumer.start()
        lag = dict.fromkeys(SERVICES, 0)
        for group, *_ in await admin.list_consumer_groups():
            name, _, service = group.removeprefix(kafka.prefix).partition(".")
            if name == "liaison" and (owner := service.partition(".")[0]) in lag:
                lag[owner] += await group_lag(admin, consumer, group)
        return lag
    finally:
        await consumer.stop()
        await admin.close()


async def group_lag(admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer, group: str) -> int:
    committed = await committed_by(admin, group)
    ends = await consumer.end_offsets(list(committed))
    return sum(max(0, ends[place] - seen.offset) for place, seen in committed.items())


async def committed_by(admin: AIOKafkaAdminClient, group: str) -> dict[TopicPartition, Any]:
    """How far a group has come; a broker that has just begun takes a moment to know."""
    while True:
        try:
            return dict(await admin.list_consumer_group_offsets(group))
        except KafkaError as fault:
            if not fault.retriable:
                raise
        await asyncio.sleep(RETRY_SECONDS)


async def backlog_of(url: str) -> dict[str, dict[str, Any]]:
    """Events not yet in Kafka, the age of the oldest in seconds, and letters that wait, by service."""
    found = {}
    for service in SERVICES:
        connection = await connect(url, service)
        try:
            row = await connection.fetchrow(SELECT_HEALTH, MOST_COUNTED)
        finally:
            await connection.close(timeout=1)
        if row is not None:
            found[service] = {
                "pending": row["pending"],
                "age": max(0.0, float(row["age"] or 0)),
                "dead_letters": sum(row[fate] for fate in LETTERS),
            }
    return found
