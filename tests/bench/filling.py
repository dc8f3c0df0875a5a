"""A history to measure with: matters that have ended and matters that are open, as the services leave them behind.

Every table that a matter leaves rows in gets them, with ids, times and lists as the services write them. What only
lies there and is not searched is kept short: a closed matter has two events, and what follows from them, where it would
have six; words and data are few. It is written by the server itself, from the statements in `history/`.
"""

import asyncio
import csv
import io
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from services.followup.store.requests import terms_of
from shared.audit.hash_chain import Sealer
from shared.runtime.database import open_database
from tests.bench.history.samples import TOLD, said, sample
from tests.bench.town import FILES, Town

HISTORY = Path(__file__).with_name("history")
SERVICES = ("intake", "routing", "followup")
DAYS = 5 * 365
PLACES = {
    "@id": "%1$s",
    "@firm": "%2$s",
    "@at": "%3$s",
    "@liaison": "%4$s",
    "@department": "%5$s",
    "@category": "%6$s",
    "@park": "%7$s",
    "@due": "%8$s",
    "@offer": "%9$s",
}
# Nothing of the history is told twice, so a crash on the way means another beginning.
SEALED_AT_ONCE = 50_000
HASTE = {
    "synchronous_commit": "off",
    "work_mem": "256MB",
    "maintenance_work_mem": "512MB",
    "max_parallel_maintenance_workers": "2",
}
SERVER_HASTE = {
    "max_wal_size": "6GB",
    "full_page_writes": "off",
    "autovacuum": "off",
    "checkpoint_timeout": "1h",
}


@dataclass(frozen=True, slots=True)
class Filled:
    """What was put in, and what that took."""

    closed: int
    open: int
    seconds: float
    bytes: int


async def fill(url: str, town: Town, closed: int, opened: int) -> Filled:
    """Fill the three schemas, where `town` has settled in, and vacuum them; a minute for each 700,000 matters or so."""
    begun = time.perf_counter()
    conn = await asyncpg.connect(url, server_settings=HASTE)
    try:
        for name, value in SERVER_HASTE.items():
            await conn.execute(f"alter system set {name} = '{value}'")
        await conn.execute("select pg_reload_conf()")
        await _cast(conn, town, closed, opened)
        await asyncio.gather(*(_fill(url, service) for service in SERVICES))
        await asyncio.gather(*(_seal(url, service) for service in SERVICES))
        await conn.execute("drop schema bench cascade")
        for name in SERVER_HASTE:
            await conn.execute(f"alter system reset {name}")
        await conn.execute("select pg_reload_conf()")
        await conn.execute("checkpoint")
        size: int = await conn.fetchval("select pg_database_size(current_database())")
    finally:
        await conn.close()
    return Filled(closed, opened, time.perf_counter() - begun, size)


async def _seal(url: str, service: str) -> None:
    """As whoever has lived through it would have it: else the services would seal it while they are measured."""
    db = await open_database(url, service)
    try:
        sealer = Sealer(db, SEALED_AT_ONCE, rest_seconds=0)
        while await sealer.step():
            pass
    finally:
        await db.close()


async def _cast(conn: Any, town: Town, closed: int, opened: int) -> None:
    await conn.execute(
        "create schema bench;"
        "create table bench.firm (n bigint, uscc text, name text, park text, liaison text, terms text);"
        "create table bench.topic (n bigint, summary text, category text, department text, terms text);"
        "create table bench.template (state text, version int, body text);"
        "create table bench.step (state text, version int, type text, data text)"
    )
    firms, topics = _firms(town), _topics(town)
    for table, rows in (
        ("firm", firms),
        ("topic", topics),
        ("template", [(state, len(TOLD[state]), _marked(sample(state))) for state in TOLD]),
        ("step", _steps()),
    ):
        await conn.copy_records_to_table(table, records=rows, schema_name="bench")
    numbers = (closed, opened, DAYS, len(firms), len(topics))
    statement = (HISTORY / "cast.sql").read_text()
    for place, number in enumerate(numbers, 1):
        statement = statement.replace(f"${place}", str(number))
    await conn.execute(statement)
    await conn.execute("analyze bench.cast")


def _firms(town: Town) -> list[tuple[Any, ...]]:
    tied = {tie[1]: tie[2] for tie in town.ties() if tie[3] == "primary"}
    return [
        (number, code, name, park, tied[code], " ".join(terms_of(name)))
        for number, (code, name, park, _, _) in enumerate(town.firms)
    ]


def _topics(town: Town) -> list[tuple[Any, ...]]:
    lines = (FILES / "requests.jsonl").read_text("utf-8-sig").splitlines()
    asked = [json.loads(line)["submission"] for line in lines if line.strip()]
    rules = csv.DictReader(io.StringIO(town.catalogue))
    desks = {rule["类别"]: rule["主办部门"] for rule in rules if rule["类别"]}
    some = sorted(desks)
    found = []
    for number, one in enumerate(asked):
        category = one.get("category")
        if category not in desks:
            category = some[number % len(some)]
        found.append(
            (number, one["summary"], category, desks[category], " ".join(terms_of(one["summary"])))
        )
    return found


async def _fill(url: str, service: str) -> None:
    """Fill one schema without its further indexes, which are built afterwards."""
    conn = await asyncpg.connect(url, server_settings=HASTE | {"search_path": service})
    try:
        indexes: Sequence[Any] = await conn.fetch(
            "select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition"
            " from pg_index join pg_class on pg_class.oid = indrelid"
            " where relnamespace = $1::text::regnamespace and not indisunique",
            service,
        )
        for index in indexes:
            await conn.execute(f"drop index {index['name']}")
        for statement in (HISTORY / f"{service}.sql").read_text().split(";\n"):
            if statement.strip():
                await conn.execute(statement)
        for index in indexes:
            await conn.execute(index["definition"])
        await conn.execute("vacuum analyze")
    finally:
        await conn.close()


def _marked(value: object) -> str:
    """As JSON with marks for `format`, without what a reader takes for granted."""
    said = {key: each for key, each in orjson.loads(orjson.dumps(value)).items() if each}
    text = orjson.dumps(said).decode()
    for place, mark in PLACES.items():
        text = text.replace(place, mark)
    return text


def _steps() -> list[tuple[str, int, str, str]]:
    every = dict(said())
    return [
        (state, version, name, _marked(every[name]))
        for state, names in TOLD.items()
        for version, name in enumerate(names, 1)
    ]
