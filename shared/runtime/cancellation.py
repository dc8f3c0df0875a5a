"""Cancels a task within a limit, and tells a cancellation of ours from one that a library lets out."""

import asyncio
from collections.abc import Awaitable, Callable


def times_told_to_end() -> int:
    """How often somebody has cancelled the task that this runs in; a stray CancelledError counts for nothing."""
    task = asyncio.current_task()
    return task.cancelling() if task else 0


async def ended(step: Callable[[], Awaitable[object]], seconds: float) -> BaseException | None:
    """Do `step`, for `seconds` at most, and return what kept it from its end, or None.

    Raises CancelledError when this task is told to end meanwhile, and nothing else.
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
