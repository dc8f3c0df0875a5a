"""Erases what is about a person in a matter: answers to retries and letters, for the desk has no row of a matter."""

from collections.abc import Sequence
from uuid import UUID

from shared.audit import erasure
from shared.audit.erasure import ErasureRequest
from shared.runtime.database import Connection


async def hindered_by(conn: Connection, subject: str) -> Sequence[str]:
    """The letters that wait and still have something of the matter."""
    return await erasure.waiting_letters(conn, subject)


async def erase(conn: Connection, asked: ErasureRequest) -> dict[str, int]:
    """Overwrite it in this service's schema; how many rows of each table, none when nothing was left."""
    return await erasure.erase_matter(conn, asked, _rows)


async def _rows(conn: Connection, matter_id: UUID, erased: str) -> dict[str, int]:
    return {}
