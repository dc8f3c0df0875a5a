"""The one definition of lag, and gaps that are losses."""

from collections.abc import Callable

from aiokafka import ConsumerRecord, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from shared.delivery.kafka.continuity import Continuity
from shared.delivery.kafka.lag import PartitionPosition
from shared.delivery.kafka.losses import Loss

offsets = st.integers(0, 1000)


@given(start=offsets, committed=offsets, open_=offsets, position=st.integers(0, 4000))
def test_lag_is_what_is_there_and_was_not_read(
    start: int, committed: int, open_: int, position: int
):
    place = PartitionPosition(start, start + committed, start + committed + open_, position)
    there = set(range(place.start, place.end))
    unread = {offset for offset in there if offset >= position}
    assert place.lag == len(unread)
    assert place.readable == len({offset for offset in unread if offset < place.stable})
    assert place.held == len({offset for offset in unread if offset >= place.stable})
    assert place.lag == place.readable + place.held
    assert place.lost == len(range(position, place.start))
    if position >= place.end:
        assert place.lag == 0


def record(offset: int) -> ConsumerRecord:
    return ConsumerRecord("t", 0, offset, 0, 0, None, b"", None, 0, 0, ())


class Trial:
    """A log of records and transactions' marks, its retention, and a reader that goes on where the log begins."""

    def __init__(self, base: int) -> None:
        self.place = TopicPartition("t", 0)
        self.continuity = Continuity("group", {"t": "topic"})
        self.start = self.end = self.position = base
        self.marks: set[int] = set()
        self.given: set[int] = set()
        self.deleted_unread: set[int] = set()
        self.found: list[Loss] = []

    async def committed(self, place: TopicPartition) -> int | None:
        return self.position

    def write(self, number: int) -> None:
        self.end += number

    def mark(self, number: int) -> None:
        self.marks.add(self.end)
        self.end += 1

    def delete(self, number: int) -> None:
        fresh = range(self.start, min(self.start + number, self.end))
        self.deleted_unread |= {offset for offset in fresh if offset >= self.position}
        self.start += len(fresh)
        self.position = max(self.position, self.start)

    def read(self, number: int) -> None:
        stretch = range(self.position, min(self.position + number, self.end))
        self._take({offset for offset in stretch if offset not in self.marks})
        self.position += len(stretch)

    def read_again(self, number: int) -> None:
        self._take({each for each in sorted(self.given)[-number:] if each >= self.start})

    def look(self, number: int) -> None:
        self.found += self.continuity.losses({self.place: self.start})

    def _take(self, offsets: set[int]) -> None:
        self.continuity.note([record(offset) for offset in sorted(offsets)])
        self.given |= offsets


STEPS = (Trial.write, Trial.mark, Trial.delete, Trial.read, Trial.read_again, Trial.look)


@given(
    base=st.integers(0, 20),
    steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(1, 5)), max_size=60),
)
async def test_exactly_what_was_deleted_unread_is_a_loss(
    base: int, steps: list[tuple[Callable[[Trial, int], None], int]]
):
    trial = Trial(base)
    await trial.continuity.follow([trial.place], trial.committed)
    for step, number in steps:
        step(trial, number)
    trial.look(1)
    told = [o for loss in trial.found for o in range(loss.first_offset, loss.last_offset + 1)]
    assert len(told) == len(set(told))
    assert trial.deleted_unread - trial.marks <= set(told)
    assert not set(told) & trial.given
