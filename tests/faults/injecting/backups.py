"""A backup taken under full load and restored beside it: what it has must be whole, and the load must not notice."""

import asyncio
import itertools
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from tests.faults import queries
from tests.faults.stand import Stand

NEWEST = 5_000
numbers = itertools.count(1)

# Whatever a service took in of another's events, the other has recorded: an effect without its cause is half a copy.
NO_CAUSE = """
select count(*) from {reader}.{table} where not exists
    (select from {writer}.event where event.subject = {table}.{subject} and event.topic = '{topic}')"""
CAUSES = (
    ("routing", "matter", "id::text", "intake", "liaison.requests"),
    ("followup", "matter", "id::text", "intake", "liaison.requests"),
    ("intake", "progress", "request_id::text", "followup", "liaison.matters"),
)
SELECT_NEWEST = """
select id, seq, md5(data::text || type || subject || version) as content from {schema}.event
order by seq desc limit $1"""
SELECT_THESE = """
select id, seq, md5(data::text || type || subject || version) as content from {schema}.event
where id = any($1::uuid[])"""
NOT_MARKED = """
select count(*) from {schema}.event where not exists (select from {schema}.outbox where outbox.seq = event.seq)"""


async def backed_up(stand: Stand) -> None:
    """Take a backup and put it back into a database of its own, then look for what is missing or too much in it."""
    before = {number: known for number, known in stand.load.journal.acked.items() if known}
    file = stand.clock_file.with_name(f"backup-{next(numbers)}.zip")
    try:
        await liaison("backup", file, stand.url())
        async with empty_database(stand) as url:
            await liaison("restore", file, url)
            await compare(stand, url, before)
    finally:
        file.unlink(missing_ok=True)


async def liaison(what: str, file: Path, url: str) -> None:
    """Do it as an operator does, in a process of its own. Raises RuntimeError with what it said when it fails."""
    run = [sys.executable, "-c", "from deploy.cli.main import app; app()", what, str(file)]
    folder = file.with_suffix(".none")
    child = await asyncio.create_subprocess_exec(
        *run,
        "--data",
        str(folder),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"LIAISON_DATABASE_URL": url},
    )
    try:
        said, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
    if child.returncode:
        raise RuntimeError(f"liaison {what}: {said.decode()}")


@asynccontextmanager
async def empty_database(stand: Stand) -> AsyncIterator[str]:
    name = f"{stand.database}_copy_{next(numbers)}"
    await stand.sql(f"create database {name}")
    try:
        yield stand.cluster.url(name)
    finally:
        await stand.sql(f"drop database {name} with (force)")


async def compare(stand: Stand, url: str, before: dict[int, str]) -> None:
    wrong: dict[str, int] = {}
    copy = await asyncpg.connect(url, timeout=10, command_timeout=120)
    try:
        names = [stand.load.town.name(number) for number in before]
        found = await queries.find_requests(copy, names)
        wrong["acknowledged and not in it, or as another"] = sum(
            str(there) != known for there, known in zip(found, before.values(), strict=True)
        )
        wrong["histories with gaps"] = await queries.gaps(copy)
        for what, query in queries.DOUBLED.items():
            wrong[what] = await copy.fetchval(query)
        for reader, table, subject, writer, topic in CAUSES:
            names_of = {"reader": reader, "table": table, "subject": subject, "writer": writer}
            query = NO_CAUSE.format(**names_of, topic=topic)
            wrong[f"{reader}'s {table} without a cause"] = await copy.fetchval(query)
        for service in queries.SERVICES:
            query = NOT_MARKED.format(schema=service)
            wrong[f"{service}'s events that would not be sent"] = await copy.fetchval(query)
            wrong[f"{service}'s events that are others"] = await differing(stand, copy, service)
    finally:
        await copy.close(timeout=10)
    for what, count in wrong.items():
        if count:
            stand.load.journal.complain(f"in the backup: {count} {what}")


async def differing(stand: Stand, copy: asyncpg.Connection, service: str) -> int:
    """How many of the newest events in the copy are not what they are in the database that goes on."""
    rows = {tuple(r) for r in await copy.fetch(SELECT_NEWEST.format(schema=service), NEWEST)}
    async with stand.connection() as conn:
        ids = [row[0] for row in rows]
        there = {tuple(r) for r in await conn.fetch(SELECT_THESE.format(schema=service), ids)}
    return len(rows - there)
