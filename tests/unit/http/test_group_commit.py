"""Calls that come together share a batch; what one of them does wrong is its own."""

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager

import asyncpg
import pytest

from shared.http.writes import group_commit
from shared.http.writes.group_commit import Batcher
from shared.runtime.errors import Problem


class Work:
    """Doubles numbers, batch by batch; waits and fails as it is told."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.bad: set[int] = set()
        self.fault: Exception = ValueError("bad")
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        await self.may_go_on.wait()
        if self.bad & set(items):
            raise self.fault
        return [item * 2 for item in items]


@pytest.fixture
def work() -> Work:
    return Work()


@asynccontextmanager
async def at_work(batcher: Batcher):
    task = asyncio.create_task(batcher.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_each_gets_its_own_result_and_those_that_came_meanwhile_share_a_batch(work: Work):
    batcher = Batcher(work)
    work.may_go_on.clear()
    async with at_work(batcher):
        first = asyncio.create_task(batcher.submit(1))
        while not work.batches:
            await asyncio.sleep(0)
        others = [asyncio.create_task(batcher.submit(number)) for number in range(2, 12)]
        await asyncio.sleep(0.01)
        work.may_go_on.set()
        assert await asyncio.gather(first, *others) == [number * 2 for number in range(1, 12)]
    assert work.batches == [[1], list(range(2, 12))]


async def test_one_that_takes_long_holds_up_few(work: Work):
    batcher = Batcher(work)
    work.may_go_on.clear()
    async with at_work(batcher):
        calls = [asyncio.create_task(batcher.submit(0))]
        while not work.batches:
            await asyncio.sleep(0)
        for number in range(1, 2 * group_commit.ENOUGH + 1):
            calls.append(asyncio.create_task(batcher.submit(number)))
            await asyncio.sleep(0.001)
        assert work.batches == [[0], list(range(1, group_commit.ENOUGH + 1))], "two, and no third"
        work.may_go_on.set()
        await asyncio.gather(*calls)
    assert [item for batch in work.batches for item in batch] == list(
        range(2 * group_commit.ENOUGH + 1)
    )


async def test_one_that_cannot_be_taken_costs_the_others_nothing(work: Work):
    work.bad = {3}
    batcher = Batcher(work)
    calls = [asyncio.create_task(batcher.submit(number)) for number in range(6)]
    await asyncio.sleep(0)
    async with at_work(batcher):
        results = await asyncio.gather(*calls, return_exceptions=True)
    assert [result for result in results if not isinstance(result, Exception)] == [0, 2, 4, 8, 10]
    assert isinstance(results[3], ValueError)


async def test_a_fault_of_the_infrastructure_is_everybody_s_and_not_tried_one_by_one(work: Work):
    work.bad, work.fault = {3}, asyncpg.CannotConnectNowError("starting")
    batcher = Batcher(work)
    calls = [asyncio.create_task(batcher.submit(number)) for number in range(6)]
    await asyncio.sleep(0)
    async with at_work(batcher):
        results = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(result, asyncpg.CannotConnectNowError) for result in results)
    assert len(work.batches) == 1


async def test_more_than_can_wait_are_refused_at_once(work: Work, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(group_commit, "MAX_WAITING", 2)
    batcher = Batcher(work)
    calls = [asyncio.create_task(batcher.submit(number)) for number in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Problem) as refused:
        await batcher.submit(3)
    assert refused.value.status == 503
    async with at_work(batcher):
        assert await asyncio.gather(*calls) == [0, 2]


async def test_a_batch_has_a_size(work: Work, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(group_commit, "MAX_BATCH", 4)
    batcher = Batcher(work)
    calls = [asyncio.create_task(batcher.submit(number)) for number in range(10)]
    await asyncio.sleep(0)
    async with at_work(batcher):
        await asyncio.gather(*calls)
    assert [len(batch) for batch in work.batches] == [4, 4, 2]


async def test_an_answer_is_not_waited_for_without_end(work: Work, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(group_commit, "ANSWER_SECONDS", 0.05)
    batcher = Batcher(work)
    with pytest.raises(Problem) as late:
        await batcher.submit(1)
    assert late.value.code == "busy"
    async with at_work(batcher):
        monkeypatch.setattr(group_commit, "ANSWER_SECONDS", 5)
        assert await batcher.submit(2) == 4
    assert work.batches == [[2]], "who has stopped waiting is not begun with"


@pytest.mark.parametrize("bad", [set(), {0, 1, 2}])
async def test_a_stop_tells_everybody_who_waits(work: Work, bad: set[int]):
    work.bad = bad
    batcher = Batcher(work)
    calls = [asyncio.create_task(batcher.submit(number)) for number in range(3)]
    await asyncio.sleep(0)
    async with at_work(batcher):
        if bad:
            while len(work.batches) < 2:
                await asyncio.sleep(0)
        work.may_go_on.clear()
        calls.append(asyncio.create_task(batcher.submit(9)))
        await asyncio.sleep(0.01)
    results = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 5)
    assert isinstance(results[-1], Problem)
    assert all(isinstance(result, int | Problem | ValueError) for result in results)
