"""Status of a stack: its parts, readiness, lag, backlog and dead letters."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.common.folder import Folder
from deploy.common.loopback import loopback_client
from deploy.jobs.migrations import SERVICES
from deploy.local.embedded.kafka import answers
from deploy.local.launcher import running
from deploy.local.launcher.running import Running, RunningPart
from deploy.local.launcher.services import TOGETHER
from deploy.operations.addresses import Addresses
from deploy.operations.reconciliation.comparing import disagreements
from shared.delivery.kafka.address import KafkaAddress
from shared.delivery.kafka.lag import PartitionPosition
from shared.rescheduling import orders
from shared.runtime.database import connect
from shared.runtime.supervisor import MOST_COUNTED, SELECT_HEALTH

ANSWER_SECONDS = 8.0
RETRY_SECONDS = 0.2
FAULTS = (KafkaError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
LETTERS = ("poison", "failed", "unknown", "held")

Answer = TypeVar("Answer")


def status(folder: Folder) -> dict[str, Any]:
    """Return the state of a stack, as `liaison status --json` prints it."""
    found = running.noted(folder)
    if found is None:
        return {"ready": False, "parts": [], "lag": {}, "outbox_age_s": {}}
    return asyncio.run(state_of(found, Addresses.of(folder)))


async def state_of(found: Running, addresses: Addresses) -> dict[str, Any]:
    said, places, backlog, limits, disagree = await asyncio.gather(
        within(readiness(addresses.web), {}),
        within(lag_of(addresses.kafka), {}),
        within(backlog_of(addresses.postgres), {}),
        within(would_move(addresses.postgres), 0),
        within(disagreements(addresses.postgres), ()),
    )
    lasting = [part for part in found.parts if not part.once]
    parts = [shown for part in lasting for shown in listed_parts(part, said, addresses)]
    return {
        "ready": bool(parts) and all(part["ready"] for part in parts),
        "web": addresses.web,
        "parts": parts,
        "tasks": [part.name for part in found.parts if part.once and part.is_alive],
        "lag": {name: sum(place.lag for place in some) for name, some in places.items()},
        "held": {name: sum(place.held for place in some) for name, some in places.items()},
        "records_lost": {name: row["lost"] for name, row in backlog.items()},
        "outbox_age_s": {name: round(row["age"], 3) for name, row in backlog.items()},
        "backlog": {name: row["pending"] for name, row in backlog.items()},
        "dead_letters": {name: row["dead_letters"] for name, row in backlog.items()},
        "limits_to_move": limits,
        "disagreements": [each._asdict() for each in disagree],
    }


async def within(asking: Awaitable[Answer], otherwise: Answer) -> Answer:
    """Return the answer, or `otherwise` when the server is unreachable."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await asking
    except FAULTS:
        return otherwise


def listed_parts(
    part: RunningPart, said: Mapping[str, Any], addresses: Addresses
) -> list[dict[str, Any]]:
    """Return the parts to list: services that share a process are listed one by one."""
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
    """Return each service's readiness."""
    async with loopback_client(timeout=ANSWER_SECONDS) as client:
        try:
            parts: dict[str, Any] = (await client.get(f"{web}/readyz")).json()["parts"]
        except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError):
            return {}
    return parts


async def lag_of(kafka: KafkaAddress) -> dict[str, list[PartitionPosition]]:
    """Return each service's position in every partition that its consumer groups read."""
    admin = AIOKafkaAdminClient(**kafka.client(), request_timeout_ms=5_000)
    every = AIOKafkaConsumer(**kafka.client(), request_timeout_ms=5_000)
    stable = AIOKafkaConsumer(
        **kafka.client(), request_timeout_ms=5_000, isolation_level="read_committed"
    )
    try:
        await admin.start()
        await every.start()
        await stable.start()
        places: dict[str, list[PartitionPosition]] = {service: [] for service in SERVICES}
        for group, *_ in await admin.list_consumer_groups():
            name, _, service = group.removeprefix(kafka.prefix).partition(".")
            if name == "liaison" and (owner := service.partition(".")[0]) in places:
                committed = await committed_by(admin, group)
                places[owner] += await places_of(every, stable, committed)
        return places
    finally:
        await stable.stop()
        await every.stop()
        await admin.close()


async def places_of(
    every: AIOKafkaConsumer, stable: AIOKafkaConsumer, committed: Mapping[TopicPartition, Any]
) -> list[PartitionPosition]:
    """Return partition positions; `every` has the end of all records, `stable` that of committed ones."""
    partitions = list(committed)
    starts = await every.beginning_offsets(partitions)
    settled = await stable.end_offsets(partitions)
    ends = await every.end_offsets(partitions)
    return [
        PartitionPosition(
            starts[each], settled[each], max(ends[each], settled[each]), committed[each].offset
        )
        for each in partitions
    ]


async def committed_by(admin: AIOKafkaAdminClient, group: str) -> dict[TopicPartition, Any]:
    """Return a group's committed offsets; a broker that has just started needs a moment."""
    while True:
        try:
            return dict(await admin.list_consumer_group_offsets(group))
        except KafkaError as fault:
            if not fault.retriable:
                raise
        await asyncio.sleep(RETRY_SECONDS)


async def backlog_of(url: str) -> dict[str, dict[str, Any]]:
    """Return by service: unpublished events, the age of the oldest in seconds, and waiting dead letters."""
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
                "lost": row["lost"],
                "age": max(0.0, float(row["age"] or 0)),
                "dead_letters": sum(row[fate] for fate in LETTERS),
            }
    return found


async def would_move(url: str) -> int:
    """Return how many open limits the latest previews found that are not moved yet."""
    count = 0
    for service in ("routing", "followup"):
        connection = await connect(url, service)
        try:
            count += await orders.would_move(connection)
        finally:
            await connection.close(timeout=1)
    return count
