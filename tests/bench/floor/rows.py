"""Rows of many kinds in one statement a table, and the rows and headers that every event has."""

import os
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from aiokafka import ConsumerRecord
from uuid_utils.compat import uuid7

from tests.bench.floor.carrying import Out


def insert(table: str, columns: dict[str, str], rest: str = "") -> str:
    """An INSERT of as many rows as its arrays are long."""
    names = ", ".join(f'"{name}"' for name in columns)
    arrays = ", ".join(f"${at}::{kind}[]" for at, kind in enumerate(columns.values(), 1))
    return f"insert into {table} ({names}) select * from unnest({arrays}) {rest}"


EVENT = insert(
    "event",
    {
        "id": "uuid",
        "subject": "text",
        "version": "int",
        "type": "text",
        "topic": "text",
        "at": "timestamptz",
        "causation_id": "uuid",
        "data": "json",
    },
)
INBOX = insert(
    "inbox",
    {"event_id": "uuid", "topic": "text", "partition": "int", "offset": "bigint"},
    "on conflict do nothing",
)
SEEN = insert(
    "seen",
    {"subject": "text", "topic": "text", "version": "int"},
    "on conflict (subject, topic) do update set version = excluded.version",
)

BARE = os.environ.get("FLOOR_ROWS") == "told"
"""Whether even the rows that make a repetition harmless are left out."""

Event = tuple[UUID, str, int, str, str, datetime, UUID | None, str]


async def fill(conn: asyncpg.Connection, statement: str, rows: Sequence[tuple]) -> None:
    if rows:
        await conn.execute(statement, *zip(*rows, strict=True))


async def took(
    conn: asyncpg.Connection, records: Sequence[ConsumerRecord], *, follows: bool = True
) -> list[dict[str, str]]:
    """The headers of each record; their rows in `inbox`, and in `seen` where they `follow` a matter."""
    found = [{name: value.decode() for name, value in record.headers} for record in records]
    if BARE:
        return found
    await fill(
        conn,
        INBOX,
        [
            (UUID(headers["ce_id"]), record.topic, record.partition, record.offset)
            for headers, record in zip(found, records, strict=True)
        ],
    )
    if follows:
        last = {
            (headers["ce_subject"], record.topic): int(headers["ce_sequence"])
            for headers, record in zip(found, records, strict=True)
        }
        await fill(conn, SEEN, [(*place, version) for place, version in sorted(last.items())])
    return found


def event(
    subject: str,
    version: int,
    name: str,
    topic: str,
    moment: tuple[datetime, str | None],
    data: bytes,
) -> Event:
    at, cause = moment
    return (
        uuid7(), subject, version, f"liaison.{name}.v1", topic, at,
        UUID(cause) if cause else None, data.decode(),
    )  # fmt: skip


async def tell(conn: asyncpg.Connection, source: str, events: Sequence[Event]) -> list[Out]:
    """The events' rows, and the messages that tell them."""
    await fill(conn, EVENT, events)
    return [
        Out(
            topic,
            subject,
            data.encode(),
            [
                ("ce_specversion", b"1.0"),
                ("ce_id", str(key).encode()),
                ("ce_source", source.encode()),
                ("ce_type", kind.encode()),
                ("ce_time", at.isoformat().encode()),
                ("ce_subject", subject.encode()),
                ("ce_sequence", str(version).encode()),
                ("content-type", b"application/json"),
                ("ce_causationid", str(cause).encode()),
            ],
        )
        for key, subject, version, kind, topic, at, cause, data in events
    ]
