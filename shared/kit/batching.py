"""Gathers single calls into batches, so that calls that come together share one transaction and one commit."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from shared.kit.problems import busy

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_BATCH = 500
MAX_WAITING = 10_000


class Batcher(Generic[Item, Result]):
    """Calls `work` with what has come while the batch before was at work; never waits for more to come.

    At most 10,000 items wait; one more is refused with the Problem `busy` (503), and nothing of it is kept.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]]) -> None:
        self._work = work
        self._waiting: asyncio.Queue[tuple[Item, asyncio.Future[Result]]] = asyncio.Queue(
            MAX_WAITING
        )

    async def submit(self, item: Item) -> Result:
        """The result for one item. Raises what `work` raised for the batch that held it."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        try:
            self._waiting.put_nowait((item, future))
        except asyncio.QueueFull:
            raise busy(1) from None
        return await future

    async def run(self) -> None:
        """Work until cancelled; whoever waits then is told that nothing was kept."""
        try:
            while True:
                await self._batch(await self._gather())
        finally:
            while not self._waiting.empty():
                _, future = self._waiting.get_nowait()
                if not future.done():
                    future.set_exception(busy(1))

    async def _gather(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        batch = [await self._waiting.get()]
        while len(batch) < MAX_BATCH and not self._waiting.empty():
            batch.append(self._waiting.get_nowait())
        return batch

    async def _batch(self, batch: Sequence[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._work([item for item, _ in batch])
        except asyncio.CancelledError:
            # Whether the transaction reached its commit is not known; the sender asks again.
            self._fail(batch, busy(1))
            raise
        except Exception as fault:  # noqa: BLE001 - it belongs to whoever waits for it
            self._fail(batch, fault)
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)

    @staticmethod
    def _fail(batch: Sequence[tuple[Item, asyncio.Future[Result]]], fault: Exception) -> None:
        for _, future in batch:
            if not future.done():
                future.set_exception(fault)
