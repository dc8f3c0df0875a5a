"""What is said of a batch, and under which assignment: never a word under another than its own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError
from faststream.message import AckStatus

from shared.delivery.kafka import polling
from shared.delivery.kafka.polling import Drain

PARTITIONS = [TopicPartition("t", 0)]


@dataclass
class Batch:
    """As FastStream gives it; `hanging` makes its acknowledgement never end."""

    raw_message: Sequence[ConsumerRecord] = ()
    committed: AckStatus | None = None
    acknowledged: int = 0
    hanging: bool = False
    fault: Exception | None = field(default=None)

    async def ack(self) -> None:
        if self.hanging:
            await asyncio.Event().wait()
        if self.fault is not None:
            raise self.fault
        self.acknowledged += 1


@pytest.fixture
async def drain() -> Drain:
    drain = Drain()
    await assign(drain)
    return drain


async def assign(drain: Drain) -> None:
    await drain.on_partitions_revoked(PARTITIONS)
    await drain.on_partitions_assigned(PARTITIONS)


async def process(
    drain: Drain, batch: Batch, work: Callable[[Sequence[ConsumerRecord]], Awaitable[None]]
) -> None:
    async with drain.holding(batch):
        await work(batch.raw_message)


async def nothing(records: Sequence[ConsumerRecord]) -> None:
    pass


async def failing(records: Sequence[ConsumerRecord]) -> None:
    raise RuntimeError("the database is away")


async def test_a_batch_is_acknowledged_once(drain: Drain):
    batch = Batch()
    await process(drain, batch, nothing)
    assert (batch.acknowledged, batch.committed) == (1, AckStatus.ACKED)


async def test_a_batch_that_failed_is_read_again(drain: Drain):
    batch = Batch()
    with pytest.raises(RuntimeError):
        await process(drain, batch, failing)
    assert (batch.acknowledged, batch.committed) == (0, None)


async def test_a_rebalance_waits_for_the_batch_at_work(drain: Drain):
    batch, done = Batch(), asyncio.Event()

    async def work(records: Sequence[ConsumerRecord]) -> None:
        await done.wait()

    taking = asyncio.create_task(process(drain, batch, work))
    await asyncio.sleep(0)
    revoking = asyncio.create_task(drain.on_partitions_revoked(PARTITIONS))
    await asyncio.sleep(0.05)
    assert not revoking.done()
    done.set()
    await asyncio.wait_for(asyncio.gather(taking, revoking), 5)
    assert batch.acknowledged == 1


@pytest.mark.parametrize("assigned_again", [False, True])
async def test_of_a_batch_whose_assignment_has_gone_nothing_is_said(
    drain: Drain, assigned_again: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(polling, "DRAIN_SECONDS", 0.01)
    for ending in (nothing, failing):
        batch = Batch()

        async def work(records: Sequence[ConsumerRecord], ending=ending) -> None:
            await drain.on_partitions_revoked(PARTITIONS)
            if assigned_again:
                await drain.on_partitions_assigned(PARTITIONS)
            await ending(records)

        await process(drain, batch, work)
        assert batch.acknowledged == 0
        assert batch.committed is AckStatus.ACKED, "FastStream says nothing of it either"
        await assign(drain)


async def test_a_batch_between_two_assignments_is_worked_on_and_not_acknowledged(drain: Drain):
    await drain.on_partitions_revoked(PARTITIONS)
    seen: list[object] = []

    async def work(records: Sequence[ConsumerRecord]) -> None:
        seen.append(records)

    batch = Batch()
    await process(drain, batch, work)
    assert (len(seen), batch.acknowledged, batch.committed) == (1, 0, AckStatus.ACKED)


@pytest.mark.parametrize("batch", [Batch(hanging=True), Batch(fault=CommitFailedError("gone"))])
async def test_an_acknowledgement_that_fails_has_an_end(
    drain: Drain, batch: Batch, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(polling, "ACKNOWLEDGE_SECONDS", 0.05)
    await asyncio.wait_for(process(drain, batch, nothing), 5)
    assert (batch.acknowledged, batch.committed) == (0, AckStatus.ACKED)
