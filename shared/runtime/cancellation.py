"""Cancels a task within a time limit, and tells our own cancellation from a library's stray CancelledError."""

import asyncio
from collections.abc import Awaitable, Callable


def times_told_to_end() -> int:
    """Return how often the current task was cancelled; a stray CancelledError does not count."""
    task = asyncio.current_task()
    return task.cancelling() if task else 0


async def ended(step: Callable[[], Awaitable[object]], seconds: float) -> BaseException | None:
    """Run `step` for `seconds` at most; return the error or timeout that kept it from completing, or None.

    Raises only CancelledError, when this task itself is cancelled meanwhile.
    """
    told = times_told_to_end()
    try:
        async with asyncio.timeout(seconds):
            await step()
    except asyncio.CancelledError as stray:
        if times_told_to_end() > told:
            raise
        return stray
    except Exception as fault:  # noqa: BLE001 - whoever asked is on its way out and goes on
        return fault
    return None
