"""Erases what is about a person in a matter, in one transaction with the record that it was done."""

from collections.abc import Sequence
from uuid import UUID

from services.followup.domain.matter import FINAL
from services.followup.store import erasing as store
from shared.audit import erasure
from shared.audit.erasure import ErasureRequest
from shared.runtime.database import Connection


async def is_open(conn: Connection, subject: str) -> bool:
    """Whether somebody still works on the matter, or owes its requester something."""
    state = await store.state_of(conn, UUID(subject))
    return state is not None and state not in FINAL


async def hindered_by(conn: Connection, subject: str) -> Sequence[str]:
    """The letters that wait and still have something of the matter."""
    return await erasure.waiting_letters(conn, subject)


async def erase(conn: Connection, asked: ErasureRequest) -> dict[str, int]:
    """Overwrite it in this service's schema; how many rows of each table, none when nothing was left."""
    return await erasure.erase_matter(conn, asked, store.erase)
