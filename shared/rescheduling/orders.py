"""Rescheduling orders (recomputed limits): the order, its progress and the moves."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

import orjson
import structlog

from shared.contracts.vocabulary import RescheduleCause
from shared.runtime.database import Connection

log = structlog.get_logger()

BATCH: Final = 200
"""Matters of one transaction; they are locked while limits move."""

MOST_LISTED: Final = 500
"""Moves that are kept of an order, to be shown; all are counted."""

CLOCK: Final = "clock"
"""Who asks for the preview of a service that starts with another calendar."""


class MovedDeadline(NamedTuple):
    """A limit of a matter: which, from when to when."""

    matter_id: str
    limit: str
    old: datetime
    new: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """An order. `after` is the last matter examined; without `apply` nothing is changed."""

    id: UUID
    apply: bool
    cause: RescheduleCause
    asked_by: str
    after: UUID


class ReschedulingBatch(NamedTuple):
    """Result of one batch; `last` is None when nothing was left."""

    last: str | None
    moved: Sequence[MovedDeadline]


Work: TypeAlias = Callable[[Connection, Order], Awaitable[ReschedulingBatch]]

ASK = """
insert into rescheduling (apply, cause, asked_by) values ($1, $2, $3) returning id"""
# An order goes on with the calendar that it began with: replicas may differ while they are replaced.
NEXT = """
select id, apply, cause, asked_by, after from rescheduling
where done_at is null and (calendar_version is null or calendar_version = $1)
order by id limit 1 for update skip locked"""
ADVANCE = """
update rescheduling
set calendar_version = $2, after = coalesce($3::uuid, after), moved = moved + $4,
    moves = case when json_array_length(moves) < $6 then (moves::jsonb || $5::jsonb)::json else moves end,
    done_at = case when $3::uuid is null then now() end
where id = $1"""
SELECT_LATEST = """
select calendar_version, apply, moved from rescheduling where done_at is not null order by id desc limit 1"""
SELECT_ORDER = """
select apply, cause, calendar_version, moved, moves, after, done_at from rescheduling where id = $1"""


async def ask(conn: Connection, *, apply: bool, cause: RescheduleCause, asked_by: str) -> UUID:
    """Order open limits to be recomputed, or a preview of that; return the order's id."""
    order_id: UUID = await conn.fetchval(ASK, apply, cause, asked_by)
    return order_id


async def work_on_next(conn: Connection, calendar_version: str, work: Work) -> bool:
    """Work on one batch of the oldest order in the caller's transaction; return whether there may be more at once."""
    row = await conn.fetchrow(NEXT, calendar_version)
    if row is None:
        return False
    order = Order(
        row["id"], row["apply"], RescheduleCause(row["cause"]), row["asked_by"], row["after"]
    )
    batch = await work(conn, order)
    listed = orjson.dumps([tuple(each) for each in batch.moved[:MOST_LISTED]]).decode()
    counts = (len(batch.moved), listed, MOST_LISTED)
    await conn.execute(ADVANCE, order.id, calendar_version, batch.last, *counts)
    if batch.last is None:
        found = await conn.fetchrow(SELECT_ORDER, order.id)
        log.info(
            "limits.rescheduled" if order.apply else "limits.would_move",
            by=order.asked_by,
            cause=order.cause,
            calendar=calendar_version,
            moved=found["moved"] if found else 0,
        )
    return True


async def ask_at_start(conn: Connection, calendar_version: str) -> None:
    """Order a preview when the last order used another calendar, or when there was none."""
    latest = await conn.fetchrow(SELECT_LATEST)
    if latest is None or latest["calendar_version"] != calendar_version:
        await ask(conn, apply=False, cause=RescheduleCause.CALENDAR, asked_by=CLOCK)


@dataclass(frozen=True, slots=True)
class OrderProgress:
    """Progress of an order; `moves` has the first ones."""

    apply: bool
    calendar_version: str | None
    moved: int
    moves: list[tuple[str, str, str, str]]
    after: UUID
    done: bool


async def load_progress(conn: Connection, order_id: UUID) -> OrderProgress:
    """Return the progress of an order. Raises LookupError when there is none."""
    row = await conn.fetchrow(SELECT_ORDER, order_id)
    if row is None:
        raise LookupError(f"there is no order {order_id}")
    moves = [tuple(each) for each in orjson.loads(row["moves"])]
    done = row["done_at"] is not None
    return OrderProgress(
        row["apply"], row["calendar_version"], row["moved"], moves, row["after"], done
    )


async def would_move(conn: Connection) -> int:
    """Return how many open limits the latest preview found that are not moved yet."""
    latest = await conn.fetchrow(SELECT_LATEST)
    return 0 if latest is None or latest["apply"] else int(latest["moved"])
