"""Takes a consistent backup of all services in one snapshot while they run."""

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from deploy.common.folder import Folder
from deploy.operations.backups.archive import FORMAT, MANIFEST, TOKENS, Manifest, Rows, Writer, made
from deploy.operations.database import required_schemas, troubles
from shared.delivery.outbox.republish import head
from shared.runtime.migrate import applied
from shared.runtime.table_copy import (
    Session,
    Table,
    copy_out,
    numbers_drawn,
    one_transaction,
    tables_of,
)


def named(target: Path, now: datetime) -> Path:
    """Return the path to write: `target`, or a file named after the time in the folder `target`."""
    target = target.expanduser().absolute()
    return target / f"liaison-{now:%Y%m%dT%H%M%SZ}.zip" if target.is_dir() else target


async def back_up(url: str, folder: Folder, target: Path) -> tuple[Path, Manifest]:
    """Write a backup of the database and of the folder's tokens file, if any; return its path and contents.

    Raises Trouble, with nothing left behind, when it could not be taken.
    """
    now = datetime.now(UTC)
    file = named(target, now)
    with made(file) as writer, troubles():
        # Whoever writes meanwhile does not notice.
        async with one_transaction(url, readonly=True) as conn:
            manifest = await copied(conn, writer, now, back_up_tokens(folder, writer))
        writer.put(MANIFEST, manifest.model_dump_json(indent=1).encode())
    return file, manifest


async def copied(
    conn: Session, writer: Writer, now: datetime, tokens_sha256: str | None
) -> Manifest:
    services = await required_schemas(conn, "backup.nothing")
    migrations, heads = {}, {}
    for service in services:
        await conn.execute(f"set local search_path = {service}")
        migrations[service] = await applied(conn)
        heads[service] = await head(conn)
    tables = await tables_of(conn, services)
    return Manifest(
        format=FORMAT,
        made_at=now,
        version=version("liaison"),
        migrations=migrations,
        heads=heads,
        tables=tuple([await copied_table(conn, writer, table) for table in tables]),
        sequences=await numbers_drawn(conn, services),
        tokens_sha256=tokens_sha256,
    )


async def copied_table(conn: Session, writer: Writer, table: Table) -> Rows:
    with writer.entry(Rows.place(table.schema, table.name)) as entry:

        async def write(block: bytes) -> None:
            entry.write(block)

        rows = await copy_out(conn, table, write)
    return Rows(
        schema_name=table.schema,
        table=table.name,
        columns=table.columns,
        rows=rows,
        bytes=entry.bytes,
        sha256=entry.sha256,
    )


def back_up_tokens(folder: Folder, writer: Writer) -> str | None:
    """Add the tokens file (hashes only) to the backup; return its SHA-256, None without one."""
    try:
        content = folder.tokens_file.read_bytes()
    except FileNotFoundError:
        return None
    return writer.put(TOKENS, content)
