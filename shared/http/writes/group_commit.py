"""Group commit: concurrent calls share one transaction; a full queue is back-pressure (503)."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Generic, TypeVar

from shared.runtime.database import is_transient
from shared.runtime.errors import busy

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_BATCH = 500
MAX_WAITING = 10_000
AT_WORK = 2
ENOUGH = 8
"""So many that wait are worth a second transaction beside one that is at work."""
ANSWER_SECONDS = 20.0


class Batcher(Generic[Item, Result]):
    """Calls `work` with the items that arrived during the previous batch; a single item never waits for others.

    Two batches are at work at most, the second one when 8 items or more wait: one that takes long holds up nobody else.
    At most 10,000 items wait; one more is refused with the Problem `busy` (503), and nothing of it is kept.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]]) -> None:
        self._work = work
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._at_work = 0
        self._news = asyncio.Event()

    async def submit(self, item: Item) -> Result:
        """Return the result for one item. Raises what `work` raised for it, and the Problem `busy` after 20 s."""
        if len(self._waiting) >= MAX_WAITING:
            raise busy(1)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        # A task's own time-out costs more than all the rest of this.
        limit = loop.call_later(ANSWER_SECONDS, _give_up, future)
        try:
            self._waiting.append((item, future))
            self._news.set()
            return await future
        finally:
            limit.cancel()

    async def run(self) -> None:
        """Work until cancelled; waiting callers then get the Problem `busy`."""
        try:
            async with asyncio.TaskGroup() as working:
                while True:
                    await self._news.wait()
                    self._news.clear()
                    while self._may_begin():
                        self._at_work += 1
                        working.create_task(self._at_once(self._gather()))
        finally:
            self._at_work = 0
            self._fail(self._waiting, busy(1))
            self._waiting.clear()

    def _may_begin(self) -> bool:
        return bool(self._waiting) and (
            self._at_work == 0 or (self._at_work < AT_WORK and len(self._waiting) >= ENOUGH)
        )

    def _gather(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        count = min(len(self._waiting), MAX_BATCH)
        batch = [self._waiting.popleft() for _ in range(count)]
        # Whoever has stopped waiting for an answer is not begun with.
        return [(item, future) for item, future in batch if not future.done()]

    async def _at_once(self, batch: Sequence[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            if batch:
                await self._batch(batch)
        finally:
            self._at_work -= 1
            self._news.set()

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
    def _fail(batch: Iterable[tuple[Item, asyncio.Future[Result]]], fault: Exception) -> None:
        for _, future in batch:
            if not future.done():
                future.set_exception(fault)


def _give_up(future: "asyncio.Future[Result]") -> None:
    # It may be done yet; whoever asks again with the same content gets the same answer.
    if not future.done():
        future.set_exception(busy(1))
