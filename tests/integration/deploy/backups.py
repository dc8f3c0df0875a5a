"""What the tests of backups write, take, put back and compare."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import asyncpg

from deploy.common.folder import Folder
from deploy.jobs.migrations import SERVICES
from deploy.operations.backups.archive import Archive, Manifest
from deploy.operations.backups.backup import back_up
from deploy.operations.backups.restore import check, restore
from tests.integration.deploy.stacks import LIAISON

EVENTS = """
insert into {schema}.event (id, subject, version, type, topic, at, data)
select uuidv7(), 's' || number, 1, 'liaison.request.amended.v1', 'liaison.requests', now(),
       json_build_object('text', repeat('雨后积水 ', 20), 'number', number)
from generate_series($1::int, $2::int) as number"""
LETTERS = r"""
insert into routing.dead_letter (fate, reason, topic, partition, "offset", value_hash, key, value,
                                 header_names, header_values, subject, version)
values ('poison',
        E'tab\there, line\nthere, \\ and \\N, quotes '' " and 店小二', 't', 0, 9, '\x00ff', null, '\x00ff0a5c',
        array['a', 'b,"{}', null], array['\x00'::bytea, null, '\x5c2e'], '', null)"""
CONTENT = """
select '{table}', count(*), md5(coalesce(string_agg(row::text, E'\n' order by row::text), ''))
from {table} as row"""
SELECT_TABLES = """
select schemaname || '.' || tablename from pg_tables where schemaname = any($1) order by 1"""
SELECT_FORM = """
select schemaname, tablename, indexdef from pg_indexes where schemaname = any($1)
union all
select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
where connamespace::regnamespace::text = any($1) order by 1, 2, 3"""


class Session:
    """One statement at a time in a connection of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def __aenter__(self) -> asyncpg.Connection:
        self.connection = await asyncpg.connect(self.url)
        return self.connection

    async def __aexit__(self, *_: object) -> None:
        await self.connection.close()


async def contents(url: str) -> dict[str, tuple[int, str]]:
    """Every table's number of rows and what they are, but for the marks of what is to be sent."""
    async with Session(url) as conn:
        names = [row[0] for row in await conn.fetch(SELECT_TABLES, list(SERVICES))]
        rows = [
            await conn.fetchrow(CONTENT.format(table=name))
            for name in names
            if not name.endswith((".outbox", ".migration"))
        ]
    return {row[0]: (row[1], row[2]) for row in rows}


async def form(url: str) -> list[tuple[str, ...]]:
    async with Session(url) as conn:
        return [tuple(row) for row in await conn.fetch(SELECT_FORM, list(SERVICES))]


async def taken(url: str, tmp_path: Path, name: str = "town.zip") -> tuple[Path, Manifest]:
    return await back_up(url, Folder.at(tmp_path / "none"), tmp_path / name)


async def put_back(url: str, file: Path) -> dict[str, int]:
    def tell(_: object) -> None: ...

    with Archive.opened(file) as archive:
        check(archive, tell)
        return await restore(url, archive, tell)


def liaison(*arguments: str, env: Mapping[str, str], code: str = "") -> subprocess.Popen[str]:
    """The command line on servers of its own, perhaps after some lines of Python."""
    run = (
        [sys.executable, "-c", f"{code}\nfrom deploy.cli.main import app; app()"]
        if code
        else [LIAISON]
    )
    around = {name: v for name, v in os.environ.items() if not name.startswith("LIAISON_")}
    return subprocess.Popen(
        [*run, *arguments],
        env={**around, "LIAISON_LANG": "en", **env},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


async def said_by(process: subprocess.Popen[str]) -> tuple[int, str]:
    said, _ = await asyncio.to_thread(process.communicate, timeout=100)
    return process.returncode, said


async def fill(url: str) -> None:
    """Some of everything that is hard to write down."""
    async with Session(url) as conn:
        for service in SERVICES:
            await conn.execute(EVENTS.format(schema=service), 1, 300)
            # Numbers that were drawn and never seen, as by transactions that were rolled back.
            await conn.execute(f"alter table {service}.event disable trigger event_kept")
            await conn.execute(f"delete from {service}.event where seq % 10 = 0 or seq > 290")
            await conn.execute(f"alter table {service}.event enable trigger event_kept")
            await conn.execute(f"insert into {service}.outbox values (7)")
        await conn.execute(LETTERS)


def left_in(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(each.name for each in folder.iterdir())
