"""Tasks are kept going, begun again after a pause, and ended in time."""

import asyncio
import time

import asyncpg
import pytest

from shared.runtime import supervisor as running_module
from shared.runtime.database import Signal
from shared.runtime.supervisor import every, keep, running
from tests.unit.runtime.endings import ends, fails, stray


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_module, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(running_module, "LONGEST_PAUSE_SECONDS", 0.004)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "endings",
    [
        pytest.param((ends, fails), id="it ends or fails"),
        pytest.param((stray,), id="a cancellation that nobody ordered"),
    ],
)
async def test_a_task_that_ends_in_whatever_way_is_begun_again(endings):
    begun = 0
    enough = asyncio.Event()

    async def task() -> None:
        nonlocal begun
        begun += 1
        if begun == 5:
            enough.set()
            await asyncio.sleep(60)
        await endings[begun % len(endings)]()

    async with running("town", {"task": task}):
        await asyncio.wait_for(enough.wait(), 10)
    assert begun == 5


@pytest.mark.usefixtures("quick")
async def test_a_failed_task_tells_no_values(capsys: pytest.CaptureFixture[str]):
    failed = asyncio.Event()

    async def task() -> None:
        if failed.is_set():
            await asyncio.sleep(60)
        failed.set()
        raise asyncpg.CheckViolationError("Failing row contains (13800138000)")

    async with running("town", {"task": task}):
        await asyncio.wait_for(failed.wait(), 10)
        await asyncio.sleep(0)
    logged = "".join(capsys.readouterr())
    assert "task.failed" in logged
    assert "CheckViolationError" in logged
    assert "13800138000" not in logged


async def test_the_pause_grows_and_is_reset_by_a_steady_run(monkeypatch: pytest.MonkeyPatch):
    pauses: list[float] = []
    runs = iter([0.0] * 8 + [0.05, 0.0])
    monkeypatch.setattr(running_module, "STEADY_SECONDS", 0.02)
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        pauses.append(seconds)

    async def task() -> None:
        length = 60.0
        try:
            length = next(runs)
        except StopIteration:
            kept.cancel()
        await sleep(length)

    monkeypatch.setattr(running_module.asyncio, "sleep", noted)
    kept = asyncio.create_task(keep("town", "task", task))
    with pytest.raises(asyncio.CancelledError):
        await kept
    limits = [0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5, 0.2, 0.4]
    assert all(
        limit * 0.5 <= pause <= limit * 1.5 for limit, pause in zip(limits, pauses, strict=True)
    )


async def test_a_stop_is_bounded_even_when_a_task_does_not_want_to_end(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(running_module, "STOP_SECONDS", 0.2)
    release = asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    begun = time.monotonic()
    async with running("town", {"stubborn": stubborn}):
        await asyncio.sleep(0)
    assert 0.1 < time.monotonic() - begun < 5
    release.set()
    await asyncio.sleep(0.01)


async def test_an_error_of_the_block_is_the_block_s():
    async def task() -> None:
        await asyncio.sleep(60)

    with pytest.raises(KeyError):
        async with running("town", {"task": task}):
            raise KeyError


async def test_no_tasks_are_no_trouble():
    async with running("town", {}):
        pass


async def test_a_step_is_repeated_at_once_while_it_finds_work():
    found = iter([True, True, False, True, False])
    waits: list[float] = []

    async def step() -> bool:
        try:
            return next(found)
        except StopIteration:
            raise asyncio.CancelledError from None

    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        waits.append(seconds)
        await sleep(0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running_module.asyncio, "sleep", noted)
        with pytest.raises(asyncio.CancelledError):
            await every(3, step)
    assert waits == [3, 3]


async def test_a_signal_wakes_all_who_wait_and_none_who_come_later():
    signal = Signal()
    waiting = [asyncio.create_task(signal.wait(5)) for _ in range(3)]
    given_up = asyncio.create_task(signal.wait(0.01))
    assert not await given_up
    waiting[0].cancel()
    await asyncio.sleep(0)
    signal.notify()
    assert await asyncio.gather(*waiting[1:]) == [True, True]
    assert not await signal.wait(0.01)
    signal.notify()


async def test_a_signal_that_came_while_one_was_looking_is_not_missed():
    signal = Signal()
    before = signal.count
    assert not await signal.wait(0.01, before), "nothing came"
    signal.notify()
    assert await signal.wait(5, before)
    waiting = asyncio.create_task(signal.wait(5, signal.count))
    await asyncio.sleep(0)
    signal.notify()
    assert await waiting
