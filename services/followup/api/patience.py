"""Retries a call for up to 2 s while an event that it depends on is on its way through Kafka."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeGuard, TypeVar
from uuid import UUID

from services.followup.domain.decision import Refused
from services.followup.handlers.news import MatterNews
from services.followup.handlers.steps import Missing, may_yet_come
from services.followup.store.matters import load_state
from services.followup.store.parties import load_kinds
from shared.runtime.clock import system_clock
from shared.runtime.database import Database

LOOK_SECONDS: Final = (0.1, 0.6, 2.0)
"""When the matter's state is read again, after the first attempt: its news may come through another replica."""

MOST_ATTEMPTS: Final = 8

Found = TypeVar("Found")


async def attempt_patiently(
    db: Database,
    news: MatterNews,
    matter_id: UUID,
    attempt: Callable[[], Awaitable[Found]],
) -> Found:
    """Return the result of `attempt`, retried for up to 2 s, unless too many calls wait already.

    A refusal is retried when an event of the matter, or of the missing department, was committed here, or when the
    matter's state has changed. No connection is held meanwhile.
    """
    loop = asyncio.get_running_loop()
    begun, since = loop.time(), news.count
    found = await attempt()
    if not _may_change(found) or news.in_vain.holds(
        _awaited(found, matter_id).subject, loop.time()
    ):
        return found
    looks = iter(LOOK_SECONDS)
    with news.place() as free:
        at = next(looks) if free else None
        attempts = 1
        while at is not None and attempts < MOST_ATTEMPTS and _may_change(found):
            awaited = _awaited(found, matter_id)
            came = await news.wait(awaited.subject, since, begun + at - loop.time())
            since = news.count
            if came or await _state_of(db, awaited) != awaited.state:
                found, attempts = await attempt(), attempts + 1
            if not came:
                at = next(looks, None)
        if free and _may_change(found):
            awaited = _awaited(found, matter_id)
            if awaited.department is not None:
                news.in_vain.note(awaited.subject, loop.time())
    return found


def _may_change(found: object) -> TypeGuard[Refused | Missing]:
    return isinstance(found, Refused | Missing) and may_yet_come(found, system_clock())


@dataclass(frozen=True, slots=True)
class _Awaited:
    """The matter that a refusal is about, or the missing department, with its state; None if unknown."""

    matter_id: UUID
    state: str | None
    department: str | None = None

    @property
    def subject(self) -> str:
        """Return the subject whose events to wait for."""
        return str(self.matter_id) if self.department is None else f"department/{self.department}"


def _awaited(found: Refused | Missing, matter_id: UUID) -> _Awaited:
    if isinstance(found, Missing):
        return _Awaited(found.matter_id, found.state)
    if found.misnamed:
        return _Awaited(matter_id, None, found.misnamed[0].party)
    return _Awaited(matter_id, found.state)


async def _state_of(db: Database, awaited: _Awaited) -> str | None:
    async with db.reading() as conn:
        if awaited.department is None:
            return await load_state(conn, awaited.matter_id)
        known = await load_kinds(conn, [awaited.department])
        return (known or {}).get(awaited.department)
