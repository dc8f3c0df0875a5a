"""The desk and intake as they run, on a database and topics of the test's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.integration.desk.public.running import Away, Desk, desk_on


@pytest.fixture
async def running_desk(
    database_url: str, kafka: str, kafka_prefix: str, tmp_path: Path
) -> AsyncIterator[tuple[Desk, Away]]:
    async with desk_on(
        tmp_path, database_url=database_url, kafka=kafka, topic_prefix=kafka_prefix
    ) as found:
        yield found


@pytest.fixture
async def desk(running_desk: tuple[Desk, Away]) -> Desk:
    return running_desk[0]


@pytest.fixture
async def away(running_desk: tuple[Desk, Away]) -> Away:
    return running_desk[1]


@pytest.fixture
async def phone(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without scripts: it keeps cookies and follows redirects when it is told to."""
    async with httpx.AsyncClient(
        base_url=desk.address, headers={"sec-fetch-site": "same-origin"}, timeout=30
    ) as client:
        yield client


@pytest.fixture
async def conn(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "intake"})
    yield connection
    await connection.close()
