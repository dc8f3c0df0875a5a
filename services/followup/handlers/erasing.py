"""Erases the personal data of a matter, in one transaction with the record of the erasure."""

from collections.abc import Sequence
from uuid import UUID

from services.followup.domain.matter import FINAL
from services.followup.store import erasing as store
from shared.audit import erasure
from shared.audit.erasure import ErasureRequest
from shared.runtime.database import Connection


async def is_open(conn: Connection, subject: str) -> bool:
    """Return whether work on the matter, or a promise to its requester, is still open."""
    state = await store.state_of(conn, UUID(subject))
    return state is not None and state not in FINAL


async def hindered_by(conn: Connection, subject: str) -> Sequence[str]:
    """Return waiting dead letters that hold data of the matter."""
    return await erasure.waiting_letters(conn, subject)


async def erase(conn: Connection, asked: ErasureRequest) -> dict[str, int]:
    """Overwrite the personal data in this service's schema; return overwritten rows by table, empty when none were
    left.
    """
    return await erasure.erase_matter(conn, asked, store.erase)
