"""Erases what is about a person in a request, in one transaction with the record that it was done."""

from collections.abc import Sequence
from uuid import UUID

from services.intake.store import erasing as store
from shared.audit import erasure
from shared.audit.erasure import ERASED, ErasureRequest
from shared.runtime.database import Connection


async def find(conn: Connection, named: str) -> UUID | None:
    """The request with this id or receipt; None when there is none."""
    return await store.find(conn, named)


async def hindered_by(conn: Connection, subject: str) -> Sequence[str]:
    """The letters that wait and still have something of the request."""
    named = await store.lock_named(conn, UUID(subject))
    names = () if named is None else ((named.source, named.source_ref),)
    return await erasure.waiting_letters(conn, subject, names)


async def erase(conn: Connection, asked: ErasureRequest) -> dict[str, int]:
    """Overwrite it in this service's schema; how many rows of each table, none when nothing was left."""
    await erasure.begin(conn)
    request_id = UUID(asked.subject)
    named = await store.lock_named(conn, request_id)
    if named is None:
        return {}
    rows = await store.erase(conn, request_id, named, ERASED)
    return await erasure.finish(conn, asked, rows, ((named.source, named.source_ref),))
