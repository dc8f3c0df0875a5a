"""A backup is of one instant and comes back as it was, all of it or nothing."""

import asyncio
import json
from pathlib import Path

import pytest

from deploy.common.folder import Folder
from deploy.common.trouble import Trouble
from deploy.jobs.migrations import FIRST_SERVICES, SERVICES, migrate_all
from deploy.local.launcher.report import Progress
from deploy.operations.backups.archive import Archive
from deploy.operations.backups.backup import back_up
from deploy.operations.backups.restore import put_tokens_back, restore
from tests.integration.deploy.backups import (
    EVENTS,
    Session,
    contents,
    fill,
    form,
    left_in,
    put_back,
    taken,
)

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def full_url(database_url: str) -> str:
    await fill(database_url)
    return database_url


async def test_what_comes_back_is_what_was(full_url: str, bare_database_url: str, tmp_path: Path):
    file, manifest = await taken(full_url, tmp_path)
    assert manifest.heads == dict.fromkeys(SERVICES, 289)
    counts = await put_back(bare_database_url, file)
    assert counts == dict.fromkeys(SERVICES, 261)
    was = await contents(full_url)
    assert was["routing.dead_letter"][0] == 1
    assert was["routing.party"][0] == 1, "what a migration put there came back once"
    assert await contents(bare_database_url) == was
    assert await form(bare_database_url) == await form(full_url)
    async with Session(bare_database_url) as conn:
        for service in SERVICES:
            marked = await conn.fetchval(
                f"select array_agg(seq order by seq) from {service}.outbox"
            )
            assert marked == [n for n in range(1, 290) if n % 10], "all of it is sent again"
            await conn.execute(EVENTS.format(schema=service), 900, 900)
            assert await conn.fetchval(f"select max(seq) from {service}.event") == 301
    assert await migrate_all(bare_database_url) == {service: [] for service in SERVICES}


async def test_a_backup_is_of_one_instant(
    database_url: str, bare_database_url: str, tmp_path: Path
):
    done = asyncio.Event()

    async def write() -> int:
        """Each transaction leaves one event more in each schema."""
        number = 0
        async with Session(database_url) as conn:
            while not done.is_set():
                number += 1
                async with conn.transaction():
                    for service in reversed(SERVICES):
                        await conn.execute(EVENTS.format(schema=service), number, number)
        return number

    async with Session(database_url) as conn:
        for service in SERVICES:
            await conn.execute(EVENTS.format(schema=service), 100_000, 110_000)
    writing = asyncio.create_task(write())
    try:
        manifests = [(await taken(database_url, tmp_path, f"{n}.zip"))[1] for n in range(5)]
    finally:
        done.set()
        written = await writing
    for manifest in manifests:
        rows = {t.schema_name: t.rows for t in manifest.tables if t.table == "event"}
        assert len(set(rows.values())) == 1, rows
        assert len(set(manifest.heads.values())) == 1
    assert manifests[0].heads["intake"] < manifests[-1].heads["intake"] <= 10_001 + written
    await put_back(bare_database_url, tmp_path / "4.zip")
    assert (await contents(bare_database_url))["intake.event"][0] == rows["intake"]


async def test_a_backup_that_is_stopped_leaves_nothing(full_url: str, tmp_path: Path):
    async with Session(full_url) as conn:
        await conn.execute(EVENTS.format(schema="intake"), 1_000, 100_000)
    taking = asyncio.create_task(taken(full_url, tmp_path))
    while not any(file.stat().st_size > 50_000 for file in tmp_path.iterdir()):  # noqa: ASYNC240
        await asyncio.sleep(0.001)
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    assert left_in(tmp_path) == []


async def test_a_restore_that_is_stopped_leaves_the_database_as_it_was(
    full_url: str, bare_database_url: str, tmp_path: Path
):
    file, _ = await taken(full_url, tmp_path)
    putting: asyncio.Task[dict[str, int]]
    stopped: list[object] = []

    def tell(report: object) -> None:
        if isinstance(report, Progress) and not stopped:
            stopped.append(report)
            putting.cancel()

    with Archive.opened(file) as archive:
        putting = asyncio.create_task(restore(bare_database_url, archive, tell))
        with pytest.raises(asyncio.CancelledError):
            await putting
    assert stopped, "it was at work on the rows"
    assert await contents(bare_database_url) == {}


async def test_a_target_that_is_not_empty_stays_as_it_is(full_url: str, tmp_path: Path):
    file, _ = await taken(full_url, tmp_path)
    before = await contents(full_url)
    with pytest.raises(Trouble, match="desk, followup, intake, routing"):
        await put_back(full_url, file)
    assert await contents(full_url) == before


async def test_a_database_without_liaison_is_not_backed_up(bare_database_url: str, tmp_path: Path):
    with pytest.raises(Trouble, match=r"backup\.nothing"):
        await taken(bare_database_url, tmp_path)
    assert left_in(tmp_path) == []


async def test_a_backup_of_a_newer_release_is_not_put_back(
    full_url: str, bare_database_url: str, tmp_path: Path
):
    async with Session(full_url) as conn:
        await conn.execute("insert into routing.migration values ('routing/0099_later.sql', 'x')")
    file, _ = await taken(full_url, tmp_path)
    with pytest.raises(Trouble, match=r"restore\.newer.*routing/0099_later\.sql"):
        await put_back(bare_database_url, file)
    assert await contents(bare_database_url) == {}


async def test_a_backup_of_an_older_release_is_brought_up_to_date(
    full_url: str, bare_database_url: str, tmp_path: Path
):
    was = await form(full_url)
    async with Session(full_url) as conn:
        for service in SERVICES:
            await conn.execute(f"delete from {service}.migration where name like '%0002_waiting%'")
            await conn.execute(f"drop index {service}.dead_letter_discarded, {service}.seen_held")
    file, manifest = await taken(full_url, tmp_path)
    assert all(
        "kit/0002_waiting_letters.sql" not in names for names in manifest.migrations.values()
    )
    await put_back(bare_database_url, file)
    assert await form(bare_database_url) == was


async def test_a_backup_of_before_the_desk_comes_back_with_an_empty_one(
    full_url: str, bare_database_url: str, tmp_path: Path
):
    was = await form(full_url)
    async with Session(full_url) as conn:
        await conn.execute("drop schema desk cascade")
    file, manifest = await taken(full_url, tmp_path)
    assert set(manifest.heads) == set(manifest.migrations) == set(FIRST_SERVICES)
    assert await put_back(bare_database_url, file) == dict.fromkeys(FIRST_SERVICES, 261)
    assert await form(bare_database_url) == was
    assert await migrate_all(bare_database_url) == {service: [] for service in SERVICES}


async def test_a_migration_that_was_edited_since_is_said(
    full_url: str, bare_database_url: str, tmp_path: Path
):
    async with Session(full_url) as conn:
        await conn.execute(
            "update intake.migration set sha256 = 'other' where name like 'kit/0001%'"
        )
    file, _ = await taken(full_url, tmp_path)
    with pytest.raises(Trouble, match=r"migrate\.edited"):
        await put_back(bare_database_url, file)
    assert await contents(bare_database_url) == {}


async def test_tokens_come_back_where_there_are_none(full_url: str, tmp_path: Path):
    there, back = Folder.at(tmp_path / "there"), Folder.at(tmp_path / "back")
    there.make()
    there.tokens_file.write_text(json.dumps([{"sha256": "0", "role": "system", "party": "店"}]))
    file, _ = await back_up(full_url, there, tmp_path / "town.zip")
    with Archive.opened(file) as archive:
        assert put_tokens_back(archive, back)
        assert back.tokens_file.read_bytes() == there.tokens_file.read_bytes()
        assert back.tokens_file.stat().st_mode & 0o077 == 0
        back.tokens_file.write_text("[]")
        assert not put_tokens_back(archive, back)
    assert back.tokens_file.read_text() == "[]"
