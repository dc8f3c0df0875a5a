"""How much of a service's pool is in use, and how long its users wait for a connection, is told."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from prometheus_client import REGISTRY

from shared.runtime import database as db_module
from shared.runtime.database import Database, open_database


def figure(name: str, **labels: str) -> float:
    found = REGISTRY.get_sample_value(f"liaison_pool_{name}", {"service": "intake"} | labels)
    assert found is not None
    return found


@pytest.fixture
async def small(database_url: str) -> AsyncIterator[Database]:
    """A pool of two."""
    database = await open_database(database_url, "intake", max_size=2)
    yield database
    await database.close()


async def test_what_is_in_use_is_told(small: Database) -> None:
    assert figure("connections_limit") == 2
    assert figure("connections_in_use") == 0
    async with small.reading(), small.transaction():
        assert figure("connections_in_use") == 2
    assert figure("connections_in_use") == 0


async def test_a_wait_is_told_also_where_it_was_in_vain(
    small: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db_module, "ACQUIRE_SECONDS", 0.3)
    before = figure("wait_seconds_count"), figure("wait_seconds_sum")
    async with small.reading(), small.reading():
        with pytest.raises(TimeoutError):
            async with small.transaction():
                raise AssertionError("there is no third")
    assert figure("wait_seconds_count") == before[0] + 3
    assert figure("wait_seconds_sum") >= before[1] + 0.25


async def test_a_connection_comes_back_whatever_happens_to_its_user(small: Database) -> None:
    async def hang() -> None:
        async with small.transaction() as conn:
            await conn.execute("select pg_sleep(60)")

    for _ in range(5):
        task = asyncio.create_task(hang())
        while figure("connections_in_use") == 0:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(KeyError):
            async with small.transaction():
                raise KeyError
    assert figure("connections_in_use") == 0
    async with small.reading() as conn:
        assert await conn.fetchval("select 1") == 1
