"""The least endpoint that could take the same request: FastAPI reads the body, one INSERT keeps it, 202 says so.

No token, no fingerprint, no second look, no event, no relay. The model, the row and its indexes are intake's own. With
FLOOR_SHARED=1 posts that come together share a commit.

python -m tests.bench.floor_http
"""

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import uvicorn
from fastapi import FastAPI, Request

from shared.contracts.submission import Submission

INSERT = """
insert into intake.request (id, source, source_ref, fingerprint, receipt, submitted_by, channel, kind,
    category, requester_kind, requester_id, requester_name, contact_name, contact_phone, summary, detail,
    location, urgency, occurred_at, received_at, attachments)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)"""
MOST_TOGETHER = 500


class Shared:
    """Inserts what has come while the insert before was at work, in one transaction."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._waiting: list[tuple[tuple[Any, ...], asyncio.Future[None]]] = []
        self._come = asyncio.Event()

    async def insert(self, row: tuple[Any, ...]) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, future))
        self._come.set()
        await future

    async def run(self) -> None:
        while True:
            await self._come.wait()
            batch, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
            if not self._waiting:
                self._come.clear()
            async with self._pool.acquire() as conn:
                await conn.executemany(INSERT, [row for row, _ in batch])
            for _, future in batch:
                future.set_result(None)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    url, size = os.environ["LIAISON_DATABASE_URL"], int(os.environ["FLOOR_POOL"])
    async with asyncpg.create_pool(url, min_size=size, max_size=size) as pool:
        app.state.pool, app.state.shared = pool, Shared(pool)
        working = asyncio.create_task(app.state.shared.run())
        yield
        working.cancel()


async def insert_alone(request: Request, row: tuple[Any, ...]) -> None:
    async with request.app.state.pool.acquire() as conn:
        await conn.execute(INSERT, *row)


async def insert_shared(request: Request, row: tuple[Any, ...]) -> None:
    await request.app.state.shared.insert(row)


app = FastAPI(lifespan=lifespan)
insert = insert_shared if os.environ.get("FLOOR_SHARED") else insert_alone


@app.get("/readyz")
async def ready() -> dict[str, bool]:
    return {"ready": True}


@app.post("/intake/requests", status_code=202)
async def submit(submission: Submission, request: Request) -> dict[str, str]:
    row = columns(submission)
    await insert(request, row)
    return {"request_id": str(row[0]), "receipt": row[4], "status_url": f"/receipts/{row[4]}"}


def columns(sent: Submission) -> tuple[Any, ...]:
    identity, contact = uuid.uuid4(), sent.requester.contact
    attachments = json.dumps([{"url": str(a.url), "name": a.name} for a in sent.attachments])
    return (
        identity, sent.source, sent.source_ref, b"", identity.hex, "system", sent.channel, sent.kind,
        sent.category, sent.requester.kind, sent.requester.id, sent.requester.name,
        contact.name if contact else None, contact.phone if contact else None, sent.summary,
        sent.detail, sent.location, sent.urgency, sent.occurred_at, datetime.now(UTC), attachments,
    )  # fmt: skip


if __name__ == "__main__":
    uvicorn.run(
        app,
        port=int(os.environ["LIAISON_HTTP_PORT"]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )
