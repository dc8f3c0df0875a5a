"""Imported files of submissions: stored whole, then registered a few hundred rows at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from services.intake.domain import Registration, RowOutcome, row_outcome
from services.intake.handlers.registration import Arrival, register
from services.intake.store import imports as store
from services.intake.store.imports import NewImport, Pending, RowResult
from shared.contracts.events.event import Actor
from shared.contracts.submission import Submission
from shared.contracts.vocabulary import Role
from shared.delivery.inbox.bisect import isolate
from shared.observability.redaction import reason_of
from shared.observability.tracing import trace_of
from shared.runtime.database import Connection
from shared.tables.slices import collect_in_slices

ROWS_AT_ONCE: Final = 500
KEPT: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Entered:
    """A stored file; `fresh` is False when the same party had sent the same file before."""

    import_id: UUID
    fresh: bool


async def enter(conn: Connection, new: NewImport) -> Entered:
    """Store a file with all its rows; a file sent again is found and not stored twice."""
    if await store.insert_import(conn, new):
        await store.insert_rows(conn, new.id, new.rows)
        return Entered(new.id, fresh=True)
    same = await store.find_same(conn, new.party, new.digest)
    return Entered(same or new.id, fresh=False)


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """The state of a file, with some of its rows."""

    file: store.Import
    rows: Sequence[store.Row]


async def load_status(
    conn: Connection,
    import_id: UUID,
    after: int,
    limit: int,
    outcomes: Sequence[RowOutcome] | None = None,
) -> ImportProgress | None:
    """Return a file with up to `limit` rows after the row `after`; None when there is no such file."""
    file = await store.load_import(conn, import_id)
    if file is None:
        return None
    return ImportProgress(file, await store.load_rows(conn, import_id, after, limit, outcomes))


async def register_next(conn: Connection, now: datetime) -> bool:
    """Register the next pending rows, 500 at most; return whether there may be more."""
    pending = await store.lock_pending(conn, ROWS_AT_ONCE)
    if pending:
        await isolate(conn, pending, partial(_register_rows, now=now), _set_aside)
    return len(pending) == ROWS_AT_ONCE


async def _register_rows(conn: Connection, pending: Sequence[Pending], now: datetime) -> None:
    arrivals = await collect_in_slices(map(_arrival, pending))
    registrations = await register(conn, arrivals, now, collect_in_slices)
    await store.store_results(
        conn, [_row_result(row, became) for row, became in zip(pending, registrations, strict=True)]
    )


def _arrival(row: Pending) -> Arrival:
    submission = Submission.model_validate_json(row.submission)
    actor = Actor(role=Role(row.role), party=row.party)
    return Arrival(submission, actor, None, trace_of(None))


def _row_result(row: Pending, became: Registration) -> RowResult:
    return RowResult(row.import_id, row.number, row_outcome(became), UUID(became.request_id))


async def _set_aside(conn: Connection, row: Pending, fault: Exception) -> None:
    error = {"pointer": "/", "code": "failed", "detail": reason_of(fault)}
    settled = RowResult(row.import_id, row.number, RowOutcome.FAULTY, None, (error,))
    await store.store_results(conn, [settled])


async def forget(conn: Connection, now: datetime) -> bool:
    """Delete files older than 30 days, a few at a time; return whether there may be more. The requests stay."""
    return await store.forget_imports(conn, now - KEPT)
