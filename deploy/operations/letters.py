"""Lists the dead letters of all services, and requests replays and discards, which the services carry out."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from deploy.common.trouble import Trouble
from deploy.jobs.migrations import SERVICES
from shared.delivery.inbox.dead_letters import (
    ask,
    like,
    list_letters,
    mend_letter,
    show_letter,
    states,
)
from shared.runtime.database import Connection, connect

SETTLE_SECONDS = 10.0
SETTLED_A_SECOND = 20
"""What a service is waited for; it settles some hundred letters a second."""
MOST_ALIKE = 10_000
POLL_SECONDS = 0.2

Answer = TypeVar("Answer")


async def of_all(url: str, work: Callable[[Connection], Awaitable[Answer]]) -> dict[str, Answer]:
    """Call `work` in each service's schema. Raises Trouble when the database is unreachable."""
    answers = {}
    for service in SERVICES:
        try:
            connection = await connect(url, service)
        except (OSError, asyncpg.PostgresError, ValueError) as fault:
            raise Trouble("database.away", reason=fault) from fault
        try:
            answers[service] = await work(connection)
        finally:
            await connection.close(timeout=2)
    return answers


async def listed(url: str, limit: int, request_and_wait: bool) -> list[dict[str, Any]]:
    """Return the newest letters of all services, newest first."""
    found = await of_all(url, lambda c: list_letters(c, limit, settled=request_and_wait))
    letters = [{"service": name, **letter} for name, some in found.items() for letter in some]
    letters.sort(key=lambda letter: letter["last_failed_at"], reverse=True)
    return letters[:limit]


async def load_letter(url: str, letter_id: UUID) -> dict[str, Any]:
    """Return one letter with all its fields. Raises Trouble when it does not exist."""
    found = await of_all(url, lambda c: show_letter(c, letter_id))
    for service, letter in found.items():
        if letter is not None:
            return {"service": service, **letter}
    raise Trouble("letter.unknown", letter=letter_id)


async def mended(url: str, letter_id: UUID, value: bytes) -> None:
    """Replace the value of a waiting letter. Raises Trouble when it does not wait."""
    found = await of_all(url, lambda c: mend_letter(c, letter_id, value))
    if not any(found.values()):
        raise Trouble("letter.unknown", letter=letter_id)


async def request_and_wait(
    url: str, ids: Sequence[UUID], what: str, by: str, because: str | None
) -> dict[UUID, str]:
    """Request `replay` or `discard` and wait for a while; return the state of each letter.

    Raises Trouble when none of the letters waits.
    """
    asked = await of_all(url, lambda c: ask(c, ids, what, by, because))
    waiting = {letter for some in asked.values() for letter in some}
    if not waiting:
        raise Trouble("letter.unknown", letter=", ".join(str(each) for each in ids))
    outcomes = dict.fromkeys(waiting, "waiting")
    late = time.monotonic() + SETTLE_SECONDS + len(waiting) / SETTLED_A_SECOND
    while open_ := [each for each, outcome in outcomes.items() if outcome == "waiting"]:
        if time.monotonic() > late:
            break
        await asyncio.sleep(POLL_SECONDS)
        for found in (await of_all(url, partial(states, ids=open_))).values():
            outcomes |= found
    return outcomes


async def alike(url: str, ids: Sequence[UUID]) -> list[UUID]:
    """Return these letters and all waiting ones of the same topic and fate, 10,000 at most.

    Raises Trouble when none of them waits.
    """
    found = await of_all(url, lambda c: like(c, ids, MOST_ALIKE))
    if not (letters := [letter for some in found.values() for letter in some]):
        raise Trouble("letter.unknown", letter=", ".join(str(each) for each in ids))
    return letters[:MOST_ALIKE]
