"""Records that Kafka deleted before they were read: kept until an operator acknowledges them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from uuid import UUID

from shared.runtime.database import Connection, Database

Partition: TypeAlias = tuple[str, int]
"""A topic by our own name, and the number of a partition."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Offsets of one partition, first and last included, that a group never read."""

    topic: str
    partition: int
    first_offset: int
    last_offset: int

    @property
    def count(self) -> int:
        """The number of missing records at most: transaction markers have offsets too."""
        return self.last_offset - self.first_offset + 1


LOAD_POSITIONS: Final = """
select topic, partition, next_offset from reading_position where consumer_group = $1"""

SAVE_POSITIONS: Final = """
insert into reading_position (consumer_group, topic, partition, next_offset)
select $1, given.topic, given.partition, given.next_offset
from unnest($2::text[], $3::int[], $4::bigint[]) as given (topic, partition, next_offset)
order by given.topic, given.partition
on conflict (consumer_group, topic, partition) do update set next_offset = excluded.next_offset"""

INSERT_LOSS: Final = """
insert into lost_records as old (consumer_group, topic, partition, first_offset, last_offset)
values ($1, $2, $3, $4, $5)
on conflict on constraint lost_records_place do update
set last_offset = greatest(old.last_offset, excluded.last_offset),
    acknowledged_at = case when excluded.last_offset > old.last_offset then null else old.acknowledged_at end"""

LIST_LOSSES: Final = """
select id, consumer_group, topic, partition, first_offset, last_offset, found_at, acknowledged_at,
       acknowledged_by, because
from lost_records where acknowledged_at is null or $1 order by found_at desc, id desc limit 1000"""

ACKNOWLEDGE: Final = """
update lost_records set acknowledged_at = now(), acknowledged_by = $2, because = $3
where acknowledged_at is null and (id = any($1::uuid[]) or cardinality($1::uuid[]) = 0)
returning id"""


class ReadingLog:
    """Stores how far the groups of one service have read, and their losses."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def positions(self, group: str) -> dict[Partition, int]:
        """Return the group's stored positions; Kafka deletes those of a group that was away for a week."""
        async with self._db.reading() as conn:
            rows = await conn.fetch(LOAD_POSITIONS, group)
        return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}

    async def save(
        self, group: str, positions: Mapping[Partition, int], losses: Iterable[Loss]
    ) -> None:
        """Store positions and losses in one transaction. A loss found again changes nothing."""
        places = sorted(positions)
        async with self._db.transaction() as conn:
            await conn.execute(
                SAVE_POSITIONS,
                group,
                [topic for topic, _ in places],
                [partition for _, partition in places],
                [positions[place] for place in places],
            )
            for loss in losses:
                await conn.execute(
                    INSERT_LOSS, group, loss.topic, loss.partition, loss.first_offset,
                    loss.last_offset,
                )  # fmt: skip


async def list_losses(conn: Connection, *, acknowledged: bool = False) -> list[dict[str, Any]]:
    """Return the newest 1,000 unacknowledged losses; with `acknowledged` the others too."""
    return [dict(row) for row in await conn.fetch(LIST_LOSSES, acknowledged)]


async def acknowledge(conn: Connection, ids: Sequence[UUID], by: str, because: str) -> list[UUID]:
    """Acknowledge these losses, or all without ids; return those that were open."""
    return [row["id"] for row in await conn.fetch(ACKNOWLEDGE, ids, by, because)]
