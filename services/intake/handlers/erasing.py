"""Erases the personal data of a request, in one transaction with the record of the erasure."""

from collections.abc import Sequence
from uuid import UUID

from services.intake.store import erasing as store
from shared.audit import erasure
from shared.audit.erasure import ERASED, ErasureRequest
from shared.runtime.database import Connection


async def find(conn: Connection, named: str) -> UUID | None:
    """Return the request with this id or receipt; None when there is none."""
    return await store.find(conn, named)


async def hindered_by(conn: Connection, subject: str) -> Sequence[str]:
    """Return waiting dead letters that hold data of the request."""
    named = await store.lock_named(conn, UUID(subject))
    names = () if named is None else ((named.source, named.source_ref),)
    return await erasure.waiting_letters(conn, subject, names)


async def erase(conn: Connection, asked: ErasureRequest) -> dict[str, int]:
    """Overwrite the personal data in this service's schema; return overwritten rows by table, empty when none were
    left.
    """
    await erasure.begin(conn)
    request_id = UUID(asked.subject)
    named = await store.lock_named(conn, request_id)
    if named is None:
        return {}
    rows = await store.erase(conn, request_id, named, ERASED)
    return await erasure.finish(conn, asked, rows, ((named.source, named.source_ref),))
