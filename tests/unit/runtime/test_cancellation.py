"""What others have started is ended within a limit, whatever it raises; whoever is told to end meanwhile ends."""

import asyncio

import pytest

from shared.runtime.cancellation import ended
from tests.unit.runtime.endings import ends, fails, hangs, stray


async def test_what_kept_it_from_its_end_is_told():
    assert await ended(ends, 1) is None
    assert isinstance(await ended(fails, 1), OSError)
    assert isinstance(await ended(hangs, 0.01), TimeoutError)
    assert isinstance(await ended(stray, 1), asyncio.CancelledError)


@pytest.mark.parametrize("step", [hangs, stray])
async def test_whoever_is_told_to_end_ends(step):
    """And while it ends, what comes of what it ends is told and not raised."""
    found: list[BaseException | None] = []

    async def work() -> None:
        try:
            await ended(hangs, 60)
        finally:
            found.append(await ended(step, 0.01))

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # In a task that was told to end, Python before 3.11.3 makes no TimeoutError of a limit.
    assert isinstance(found[0], asyncio.CancelledError | TimeoutError)
