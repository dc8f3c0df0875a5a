"""Intake as it runs, on a database and topics of the test's own."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.intake.settings import Settings
from tests.integration.intake.running import intake_with
from tests.integration.intake.samples import ENTERPRISE, RESIDENT

TOKENS = {
    "system": ("system", "https://one-stop.example"),
    "liaison": ("liaison", "L001"),
    "speaker": ("system", "https://roads.example"),
    "L001": ("liaison", "L001"),
    "L002": ("liaison", "L002"),
    "D-ROAD": ("department", "D-ROAD"),
    "coordinator": ("coordinator", "C001"),
    "operator": ("operator", "O001"),
    "enterprise": ("requester", ENTERPRISE),
    "resident": ("requester", RESIDENT),
    "kept": ("system", "https://park.example"),
}
SOURCES = {
    "D-ROAD": ["https://roads.example"],
    "kept": ["https://park.example/visits", "https://park.example/web"],
}


@pytest.fixture
def settings(database_url: str, kafka: str, kafka_prefix: str, tmp_path: Path) -> Settings:
    tokens = tmp_path / "tokens.json"
    tokens.write_text(
        json.dumps(
            [
                {
                    "sha256": hashlib.sha256(name.encode()).hexdigest(),
                    "role": role,
                    "party": party,
                    "sources": SOURCES.get(name, []),
                }
                for name, (role, party) in TOKENS.items()
            ]
        )
    )
    return Settings(
        database_url=database_url, kafka=kafka, topic_prefix=kafka_prefix, tokens_file=tokens
    )


@pytest.fixture
async def intake(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with intake_with(settings, authorization="Bearer system") as client:
        async with asyncio.timeout(30):
            while (await client.get("/readyz")).status_code != 200:
                await asyncio.sleep(0.05)
        yield client
