"""Finds the database of a command, and starts the embedded one while its stack is stopped."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import asyncpg

from deploy.common.folder import Folder
from deploy.common.trouble import Trouble
from deploy.jobs.migrations import FIRST_SERVICES, SERVICES
from deploy.local.embedded.supervisor import Supervisor
from deploy.local.launcher.report import Tell
from deploy.local.launcher.servers import Memory, Servers
from deploy.operations.addresses import Addresses
from shared.runtime.table_copy import Session, existing

FAULTS = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, ValueError)
WENT = (
    ConnectionResetError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)


@dataclass(frozen=True, slots=True)
class Found:
    """A database; `alone` when this command started its server."""

    url: str
    alone: bool


@contextmanager
def database_of(folder: Folder, tell: Tell) -> Iterator[Found]:
    """Yield the database of the settings, else of the folder's running stack, else the folder's own, started.

    Raises Trouble when the folder has none.
    """
    if url := Addresses.of(folder).postgres:
        yield Found(url, alone=False)
        return
    if not (folder.postgres / "cluster").exists():
        raise Trouble("not_running", folder=folder.root)
    with started(folder, tell) as url:
        yield Found(url, alone=True)


@contextmanager
def started(folder: Folder, tell: Tell) -> Iterator[str]:
    """Run the folder's own PostgreSQL during the block. Raises Trouble when a stack uses it."""
    folder.make()
    try:
        with folder.held():
            supervisor = Supervisor(lambda parts: None)
            try:
                yield Servers(folder, Memory.of(folder), supervisor, tell).postgres()
            finally:
                supervisor.stop()
    except BlockingIOError as fault:
        raise Trouble("folder.busy", folder=folder.root) from fault


async def required_schemas(conn: Session, missing: str) -> list[str]:
    """Return the schemas that the database has, sorted; a database of an earlier version lacks those that came later.

    Raises Trouble `missing` when one of the first is not there.
    """
    there = await existing(conn, SERVICES)
    if not set(FIRST_SERVICES).issubset(there):
        raise Trouble(missing)
    return there


@contextmanager
def troubles() -> Iterator[None]:
    """Turn errors of the database in the block into Troubles."""
    try:
        yield
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as no:
        raise Trouble("database.refuses", reason=no) from no
    except (asyncpg.DiskFullError, asyncpg.OutOfMemoryError) as fault:
        raise Trouble("database.full", reason=fault) from fault
    except FAULTS as fault:
        # A session that has gone can end no transaction, and says only that.
        cause = fault.__context__ if isinstance(fault, asyncpg.InterfaceError) else None
        reason = cause or fault
        words = str(reason) or type(reason).__name__
        if isinstance(reason, WENT):
            raise Trouble("database.went", reason=words) from fault
        raise Trouble("database.away", reason=words) from fault
