"""Each file once, all or nothing, however many start at the same time; what was applied is not edited."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from deploy.jobs.migrations import SERVICES, folders_of
from shared.runtime.migrate import DELIVERY_MIGRATIONS, EditedMigration, migrate


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "town" / "migrations"
    folder.mkdir(parents=True)
    (folder / "0001_first.sql").write_text(
        "create table first (id int);\nselect pg_sleep(0.2);\ninsert into first values (1);"
    )
    (folder / "0002_second.sql").write_text("alter table first add column name text;")
    return folder


async def fetch(url: str, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


async def test_four_at_once_apply_each_file_once(bare_database_url: str, folder: Path):
    starts = [migrate(bare_database_url, "town", [DELIVERY_MIGRATIONS, folder]) for _ in range(4)]
    applied = await asyncio.gather(*starts)
    kit = [f"kit/{file.name}" for file in sorted(DELIVERY_MIGRATIONS.glob("*.sql"))]
    names = [*kit, "town/0001_first.sql", "town/0002_second.sql"]
    assert sorted(applied, key=len) == [[], [], [], names]
    assert [tuple(row) for row in await fetch(bare_database_url, "select * from town.first")] == [
        (1, None)
    ]
    rows = await fetch(bare_database_url, "select name from town.migration order by applied_at")
    assert sorted(row["name"] for row in rows) == sorted(names)


async def test_two_schemas_at_once(bare_database_url: str, folder: Path):
    await asyncio.gather(*(migrate(bare_database_url, name, [folder]) for name in ("one", "two")))
    for name in ("one", "two"):
        assert len(await fetch(bare_database_url, f"select 1 from {name}.first")) == 1


async def test_a_new_file_is_applied_alone(bare_database_url: str, folder: Path):
    await migrate(bare_database_url, "town", [folder])
    (folder / "0003_third.sql").write_text("create index on first (name);")
    assert await migrate(bare_database_url, "town", [folder]) == ["town/0003_third.sql"]
    assert await migrate(bare_database_url, "town", [folder]) == []


async def test_an_edited_file_is_refused_and_nothing_after_it_applied(
    bare_database_url: str, folder: Path
):
    await migrate(bare_database_url, "town", [folder])
    (folder / "0001_first.sql").write_text("create table first (id bigint);")
    (folder / "0003_third.sql").write_text("create table third ();")
    with pytest.raises(EditedMigration, match=r"town/0001_first\.sql was edited"):
        await migrate(bare_database_url, "town", [folder])
    assert (await fetch(bare_database_url, "select to_regclass('town.third')"))[0][0] is None


async def test_line_ends_are_no_edit(bare_database_url: str, folder: Path):
    await migrate(bare_database_url, "town", [folder])
    file = folder / "0001_first.sql"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert await migrate(bare_database_url, "town", [folder]) == []


async def test_a_file_that_fails_leaves_nothing(bare_database_url: str, folder: Path):
    (folder / "0003_third.sql").write_text("create table third (); select 1/0;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(bare_database_url, "town", [folder])
    assert (await fetch(bare_database_url, "select to_regnamespace('town')"))[0][0] is None
    (folder / "0003_third.sql").write_text("create table third ();")
    assert len(await migrate(bare_database_url, "town", [folder])) == 3


async def test_a_schema_s_name_is_a_name(bare_database_url: str, folder: Path):
    with pytest.raises(ValueError, match="no name for a schema"):
        await migrate(bare_database_url, 'a"; drop schema public', [folder])


def test_the_files_are_numbered_without_a_gap_and_in_lower_case():
    for migrations in {folder for service in SERVICES for folder in folders_of(service)}:
        names = sorted(file.name for file in migrations.glob("*.sql"))
        assert [name[:5] for name in names] == [f"{n:04}_" for n in range(1, len(names) + 1)]
        assert all(name == name.lower() for name in names)
