"""Restores a backup into an empty database in one transaction, with every event marked to be published again."""

from collections.abc import Sequence, Set

import asyncpg

from deploy.common.folder import Folder, write_private
from deploy.common.trouble import Trouble
from deploy.jobs.migrations import SERVICES, folders_of
from deploy.local.launcher.report import Progress, Step, Tell
from deploy.operations.backups.archive import Archive, Manifest
from deploy.operations.database import troubles
from shared.delivery.outbox.republish import mark_again
from shared.runtime.migrate import EditedMigration, apply, files, lock, sha256_of
from shared.runtime.table_copy import (
    Session,
    Table,
    copy_in,
    empty,
    existing,
    measure,
    number_on,
    one_transaction,
    tables_of,
)

MISFITS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.BadCopyFileFormatError,
)


def check(archive: Archive, tell: Tell) -> None:
    """Verify a whole backup. Raises Trouble when it is damaged, or made by a newer program."""
    unknown = [
        name
        for service, recorded in archive.manifest.migrations.items()
        for name in recorded.keys() - known_files(service)
    ]
    if unknown:
        raise Trouble("restore.newer", file=archive.path, what=", ".join(sorted(unknown)))
    tell(Step("restore.check"))
    archive.check(lambda come, expected: tell(Progress(come, expected)))


def known_files(service: str) -> Set[str]:
    """The names of a schema's migrations that this program knows; none of a schema that came later."""
    return files(folders_of(service)).keys() if service in SERVICES else set()


async def restore(url: str, archive: Archive, tell: Tell) -> dict[str, int]:
    """Restore all rows in one transaction; return how many events of each service will be published again.

    Raises Trouble, with the database as it was, when it is not empty or anything fails.
    """
    tell(Step("restore.rows"))
    with troubles():
        async with one_transaction(url) as conn:
            events = await put_back(conn, archive, tell)
    return events


async def put_back(conn: Session, archive: Archive, tell: Tell) -> dict[str, int]:
    for service in SERVICES:
        await lock(conn, service)
    if there := await existing(conn, SERVICES):
        raise Trouble("restore.occupied", schemas=", ".join(there))
    try:
        await made_as_it_was(conn, archive.manifest)
        await filled(conn, archive, tell)
        # What this program knows beyond the backup.
        for service in SERVICES:
            await apply(conn, service, folders_of(service))
    except EditedMigration as fault:
        raise Trouble("migrate.edited", reason=fault) from fault
    except MISFITS as fault:
        raise Trouble("restore.damaged", file=archive.path, reason=fault) from fault
    for service in SERVICES:
        await conn.execute(f"set local search_path = {service}")
        await mark_again(conn)
    return {
        rows.schema_name: rows.rows for rows in archive.manifest.tables if rows.table == "event"
    }


async def made_as_it_was(conn: Session, manifest: Manifest) -> None:
    """Make the schemas with the migrations that the backup had, and no others: its rows fit these tables."""
    for service, recorded in manifest.migrations.items():
        await apply(conn, service, folders_of(service), only=recorded)
        known = files(folders_of(service))
        differing = [name for name in recorded if sha256_of(known[name]) != recorded[name]]
        if differing:
            raise EditedMigration(", ".join(differing))


async def filled(conn: Session, archive: Archive, tell: Tell) -> None:
    tables = await tables_of(conn, tuple(archive.manifest.migrations))
    rows_of = {(rows.schema_name, rows.table): rows for rows in archive.manifest.tables}
    if described(tables) != {name: rows.columns for name, rows in rows_of.items()}:
        raise Trouble("restore.damaged", file=archive.path, reason="tables")
    await empty(conn, tables)
    come, expected = 0, sum(rows.bytes for rows in rows_of.values())
    for table in tables:
        rows = rows_of[table.schema, table.name]
        if await copy_in(conn, table, archive.rows(rows)) != rows.rows:
            raise Trouble("restore.damaged", file=archive.path, reason=rows.entry)
        come += rows.bytes
        tell(Progress(come, expected))
    await number_on(conn, archive.manifest.sequences)
    await measure(conn, tables)


def described(tables: Sequence[Table]) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(table.schema, table.name): table.columns for table in tables}


def put_tokens_back(archive: Archive, folder: Folder) -> bool:
    """Write the backup's tokens file to the folder if it has none; return whether it was written."""
    content = archive.tokens()
    if content is None or folder.tokens_file.exists():
        return False
    folder.make()
    write_private(folder.tokens_file, content.decode())
    return True
