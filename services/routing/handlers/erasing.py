"""Erases the personal data of a matter, in one transaction with the record of the erasure."""

from collections.abc import Sequence

from services.routing.store import erasing as store
from shared.audit import erasure
from shared.audit.erasure import ErasureRequest
from shared.runtime.database import Connection


async def hindered_by(conn: Connection, subject: str) -> Sequence[str]:
    """Return waiting dead letters that hold data of the matter."""
    return await erasure.waiting_letters(conn, subject)


async def erase(conn: Connection, asked: ErasureRequest) -> dict[str, int]:
    """Overwrite the personal data in this service's schema; return overwritten rows by table, empty when none were
    left.
    """
    return await erasure.erase_matter(conn, asked, store.erase)
