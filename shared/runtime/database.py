"""PostgreSQL pool and transactions of one service; `committed` is notified after each commit."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

from shared.observability.metrics import POOL_IN_USE, POOL_LIMIT, POOL_WAIT_SECONDS

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:
    Connection = asyncpg.Connection

# A session's own limits, in milliseconds: nothing here waits without an end.
SESSION_LIMITS = {
    "statement_timeout": "10000",
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "5000",
}
# A statement of a service needs a bounded number of rows, and an index leads to them. PostgreSQL takes an empty table
# for one of ten pages: a statement that is planned then reads the table whole for as long as its plan is kept, however
# many rows come. A table without a suitable index is read whole all the same: before version 18 at a cost by which
# PostgreSQL would compile the statement each time, for longer than it runs.
SESSION_PLANS = {"enable_seqscan": "off", "jit": "off"}
CONNECT_SECONDS = 10.0
# Longer than any statement may take: it ends waits for a server that fell silent.
COMMAND_SECONDS = 15.0
ACQUIRE_SECONDS = 5.0
SHORT_SECONDS = 10.0

# SQLSTATE classes and codes that say nothing about the message at hand: the same work may succeed later.
# Connection, login, database and schema missing, contention, resources, shutdown, the system's own errors;
_TRANSIENT_CLASSES = ("08", "28", "3D", "3F", "40", "53", "57", "58")
# a lock or a transaction that took too long, a standby, and tables of another version than this program.
_TRANSIENT_CODES = ("55P03", "25P02", "25P03", "25P04", "25006", "42P01", "42703", "42501")
# What asyncpg says in an InterfaceError of a connection or a pool that has gone; its others are mistakes of ours.
_GONE = ("clos", "released")


class Signal:
    """Wakes all waiters at each `notify`; every wait has a time limit."""

    def __init__(self) -> None:
        self._waiting: asyncio.Future[None] | None = None
        self.count = 0
        """How often it was notified so far."""

    def notify(self) -> None:
        """Wake all present waiters."""
        self.count += 1
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
        self._waiting = None

    async def wait(self, timeout: float, since: int | None = None) -> bool:
        """Wait for the next `notify` for at most `timeout` seconds; return whether it came.

        Whoever looks for something and then waits for it gives the `count` from before it looked: a `notify` that
        came while it was looking would be missed otherwise.
        """
        if since is not None and since != self.count:
            return True
        if self._waiting is None:
            self._waiting = asyncio.get_running_loop().create_future()
        # A plain wait leaves the future to its other waiters when this one gives up.
        done, _ = await asyncio.wait((self._waiting,), timeout=timeout)
        return bool(done)


class Database:
    """One service's schema: a pool, its transactions, and `committed`, which is notified after each commit."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", url: str, schema: str) -> None:
        self.pool = pool
        self.url = url
        self.schema = schema
        self.committed = Signal()
        self._waits = POOL_WAIT_SECONDS.labels(schema)
        self._short_at = -SHORT_SECONDS

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside a transaction: commits when the block ends, rolls back when it raises.

        Raises asyncpg errors and TimeoutError when no connection is free within 5 s.
        """
        try:
            async with self.reading() as connection:
                async with connection.transaction():
                    try:
                        yield connection
                    except TimeoutError:
                        # A server that said nothing would let the rollback wait as long again.
                        connection.terminate()
                        raise
                self.committed.notify()
        except asyncpg.InsufficientResourcesError:
            self._short_at = time.monotonic()
            raise

    @property
    def is_short(self) -> bool:
        """Whether PostgreSQL lacked disk, memory or connections for a transaction within the last 10 s."""
        return time.monotonic() - self._short_at < SHORT_SECONDS

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """A connection for queries, each in a transaction of its own.

        Raises TimeoutError when none is free within 5 s.
        """
        connection = await self._acquire()
        try:
            yield connection
        finally:
            await self.pool.release(connection)

    async def _acquire(self) -> "PoolConnectionProxy[asyncpg.Record]":
        begun = time.perf_counter()
        try:
            return await self.pool.acquire(timeout=ACQUIRE_SECONDS)
        finally:
            self._waits.observe(time.perf_counter() - begun)

    async def close(self) -> None:
        """Close the pool; connections still in use after 5 s are cut."""
        try:
            await asyncio.wait_for(self.pool.close(), 5)
        except TimeoutError:
            self.pool.terminate()


async def connect(url: str, schema: str, **settings: str) -> "asyncpg.Connection[asyncpg.Record]":
    """Open a connection outside the pool, for a long-held session such as an advisory lock's."""
    return await asyncpg.connect(
        url,
        timeout=CONNECT_SECONDS,
        command_timeout=COMMAND_SECONDS,
        server_settings={"search_path": schema, "application_name": f"liaison-{schema}"}
        | SESSION_LIMITS
        | settings,
    )


async def open_database(url: str, schema: str, *, max_size: int = 8) -> Database:
    """Open the pool of a service; connections are made as they are needed, at most `max_size`.

    Nothing is connected yet, so that a service starts, and says that it is not ready, without its database.
    """
    pool = await asyncpg.create_pool(
        url,
        min_size=0,
        max_size=max_size,
        timeout=CONNECT_SECONDS,
        command_timeout=COMMAND_SECONDS,
        reset=_keep_session,
        server_settings={"search_path": schema, "application_name": f"liaison-{schema}"}
        | SESSION_LIMITS
        | SESSION_PLANS,
    )
    POOL_LIMIT.labels(schema).set(max_size)
    POOL_IN_USE.labels(schema).set_function(lambda: pool.get_size() - pool.get_idle_size())
    return Database(pool, url, schema)


def counted(status: str) -> int:
    """Return the number of rows in PostgreSQL's status of a statement, such as `UPDATE 3` or `COPY 5`."""
    return int(status.rsplit(" ", 1)[-1])


async def _keep_session(_: object) -> None:
    """Skip the session reset of a released connection, which saves a round trip: nothing changes a session for long."""


def is_transient(fault: BaseException) -> bool:
    """Whether `fault` is the infrastructure's (connection, contention, resources), not the data's."""
    if isinstance(fault, asyncpg.PostgresError):
        code = fault.sqlstate or ""
        return code[:2] in _TRANSIENT_CLASSES or code in _TRANSIENT_CODES
    if isinstance(fault, asyncpg.InterfaceError):
        return any(word in str(fault) for word in _GONE)
    if isinstance(fault, asyncpg.InternalClientError):
        # What asyncpg says when the server ends a session at the moment that it is used.
        return "another operation" in str(fault)
    return isinstance(fault, OSError | TimeoutError)
