"""The ways in which what others have started ends, or does not."""

import asyncio


async def ends() -> None:
    await asyncio.sleep(0)


async def fails() -> None:
    raise OSError("away")


async def stray() -> None:
    """aiokafka lets out the cancellation of its own tasks: whoever waited for one of them meets it."""
    task = asyncio.create_task(asyncio.sleep(60))
    task.cancel()
    await task


async def hangs() -> None:
    await asyncio.sleep(60)
