"""Gathers single calls into batches, so that calls that come together share one transaction and one commit."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from shared.kit.db import is_transient
from shared.kit.problems import busy

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_BATCH = 500
MAX_WAITING = 10_000
ANSWER_SECONDS = 20.0


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
        """The result for one item. Raises what `work` raised for it, and the Problem `busy` after 20 s."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        # A task's own time-out costs more than all the rest of this.
        limit = loop.call_later(ANSWER_SECONDS, _give_up, future)
        try:
            self._waiting.put_nowait((item, future))
            return await future
        except asyncio.QueueFull:
            raise busy(1) from None
        finally:
            limit.cancel()

    async def run(self) -> None:
        """Work until cancelled; whoever waits then is told that nothing was kept."""
        try:
            while True:
                if batch := await self._gather():
                    await self._batch(batch)
        finally:
            while not self._waiting.empty():
                _, future = self._waiting.get_nowait()
                if not future.done():
                    future.set_exception(busy(1))

    async def _gather(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        batch = [await self._waiting.get()]
        while len(batch) < MAX_BATCH and not self._waiting.empty():
            batch.append(self._waiting.get_nowait())
        # Whoever has stopped waiting for an answer is not begun with.
        return [(item, future) for item, future in batch if not future.done()]

    async def _batch(self, batch: Sequence[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._work([item for item, _ in batch])
        except asyncio.CancelledError:
            # Whether the transaction reached its commit is not known; the sender asks again.
            self._fail(batch, busy(1))
            raise
        except Exception as fault:  # noqa: BLE001 - it belongs to whoever waits for it
            await self._one_by_one(batch, fault)
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)

    async def _one_by_one(
        self, batch: Sequence[tuple[Item, asyncio.Future[Result]]], fault: Exception
    ) -> None:
        # One item that cannot be taken is no reason to refuse those that came with it.
        if len(batch) == 1 or is_transient(fault):
            self._fail(batch, fault)
            return
        try:
            for one in batch:
                await self._batch([one])
        except asyncio.CancelledError:
            self._fail(batch, busy(1))
            raise

    @staticmethod
    def _fail(batch: Sequence[tuple[Item, asyncio.Future[Result]]], fault: Exception) -> None:
        for _, future in batch:
            if not future.done():
                future.set_exception(fault)


def _give_up(future: "asyncio.Future[Result]") -> None:
    # It may be done yet; whoever asks again with the same content gets the same answer.
    if not future.done():
        future.set_exception(busy(1))
