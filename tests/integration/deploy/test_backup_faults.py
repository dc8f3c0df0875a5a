"""`liaison backup` and `restore` when they are killed, and when disk or database give way under them."""

import asyncio
import os
import signal
from pathlib import Path

import asyncpg
import pytest

from deploy.local.embedded.ports import pick
from deploy.local.embedded.postgres import Postgres
from deploy.local.embedded.process import running
from tests.integration.delivery.wire import until
from tests.integration.deploy.backups import (
    EVENTS,
    Session,
    contents,
    fill,
    left_in,
    liaison,
    said_by,
    taken,
)

pytestmark = pytest.mark.timeout(180)

COPIES = """
select sum(tuples_processed) > 1000 from pg_stat_progress_copy where datname = current_database()"""
COPYING = "select pid from pg_stat_progress_copy where datname = current_database()"
SMALL = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))"


@pytest.fixture
async def full_url(database_url: str) -> str:
    await fill(database_url)
    return database_url


async def test_a_restore_that_is_killed_leaves_nothing_and_can_be_done_again(
    database_url: str, bare_database_url: str, tmp_path: Path
):
    async with Session(database_url) as conn:
        await conn.execute(EVENTS.format(schema="followup"), 1, 60_000)
    file, _ = await taken(database_url, tmp_path)
    env = {"LIAISON_DATABASE_URL": bare_database_url}
    command = ("restore", str(file), "--data", str(tmp_path / "data"))
    with liaison(*command, env=env) as process:
        async with Session(bare_database_url) as conn:

            async def copies() -> bool:
                assert process.poll() is None, process.stdout and process.stdout.read()
                return await conn.fetchval(COPIES)

            await until(copies, 60)
            process.send_signal(signal.SIGKILL)
            process.wait(10)
            await until(lambda: is_alone(conn))
    assert await contents(bare_database_url) == {}
    code, said = await said_by(liaison(*command, env=env))
    assert code == 0, said
    assert "60000 events are published to Kafka again" in said
    assert await contents(bare_database_url) == await contents(database_url)


async def is_alone(conn: asyncpg.Connection) -> bool:
    return (
        await conn.fetchval(
            "select count(*) from pg_stat_activity where datname = current_database()"
        )
        == 1
    )


async def test_a_full_disk_is_said_and_leaves_nothing(full_url: str, tmp_path: Path):
    async with Session(full_url) as conn:
        await conn.execute(EVENTS.format(schema="followup"), 1_000, 30_000)
    file = tmp_path / "out" / "town.zip"
    file.parent.mkdir()
    env = {"LIAISON_DATABASE_URL": full_url}
    code, said = await said_by(liaison("backup", str(file), env=env, code=SMALL))
    assert code == 1
    assert f"{file} cannot be written: File too large" in said
    assert "Traceback" not in said
    assert left_in(file.parent) == []


async def test_a_database_that_goes_while_it_is_read_leaves_nothing(
    database_url: str, tmp_path: Path
):
    async with Session(database_url) as conn:
        await conn.execute(EVENTS.format(schema="followup"), 1, 60_000)
        env = {"LIAISON_DATABASE_URL": database_url}
        with liaison("backup", str(tmp_path / "town.zip"), env=env) as process:
            await until(
                lambda: conn.fetchval(
                    "select count(pg_terminate_backend(pid)) > 0 from pg_stat_progress_copy"
                    " where datname = current_database() and tuples_processed > 1000"
                ),
                60,
            )
            code, said = await said_by(process)
    assert code == 1
    assert "The database connection was lost" in said
    assert "Traceback" not in said
    assert left_in(tmp_path) == []


async def test_a_server_that_dies_under_a_restore_is_noticed(
    database_url: str, tmp_path: Path
) -> None:
    async with Session(database_url) as conn:
        await conn.execute(EVENTS.format(schema="followup"), 1, 60_000)
    file, _ = await taken(database_url, tmp_path)
    server = Postgres(tmp_path / "postgres", pick(None), tmp_path / "log", durable=False)
    server.prepare()
    with running(server.program(), 60):
        env = {"LIAISON_DATABASE_URL": server.url()}
        command = ("restore", str(file), "--data", str(tmp_path / "data"))
        with liaison(*command, env=env) as process:
            async with Session(server.url()) as conn:
                await until(lambda: conn.fetchval(COPIES), 60)
                os.kill(await conn.fetchval(COPYING), signal.SIGKILL)
            code, said = await said_by(process)

        async def is_back() -> bool:
            return await asyncio.to_thread(server.is_ready)

        await until(is_back)
        async with Session(server.url()) as conn:
            assert await conn.fetchval("select to_regnamespace('followup')") is None
    assert code == 1
    assert "The database connection was lost" in said
    assert "Traceback" not in said


async def test_a_wrong_password_is_said(full_url: str, tmp_path: Path):
    secret = full_url.split(":")[2].split("@")[0]
    env = {"LIAISON_DATABASE_URL": full_url.replace(secret, "no")}
    code, said = await said_by(liaison("backup", str(tmp_path / "town.zip"), env=env))
    assert code == 1
    assert "LIAISON_DATABASE_URL" in said
    assert "password authentication failed" in said
    assert secret not in said
