"""Persists decisions: matters, lists, chart, rates and events, in a fixed number of statements per batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.followup.domain.decision import Emitted
from services.followup.domain.matter import Matter
from services.followup.domain.rates import tallies
from services.followup.handlers.events import outgoing
from services.followup.store import chart, listing, matters, rates
from services.followup.store import requests as asked
from services.followup.store.requests import Request
from shared.delivery.outbox import recording
from shared.runtime.database import Connection


@dataclass(frozen=True, slots=True)
class Happening:
    """A fact with its cause."""

    emitted: Emitted
    causation_id: UUID | None = None
    traceparent: str | None = None


@dataclass(slots=True)
class Change:
    """A transaction's change of one matter; `before` is None for a new one."""

    before: Matter | None
    after: Matter
    happenings: list[Happening]


async def save(conn: Connection, changes: Sequence[Change], opened: Sequence[Request] = ()) -> None:
    """Persist changes of different matters, whose rows are locked, and record their events."""
    if opened:
        await asked.insert_requests(conn, opened)
    fresh = [change.after for change in changes if change.before is None]
    if fresh:
        await matters.insert_matters(conn, fresh)
    known = [(change.before, change.after) for change in changes if change.before is not None]
    if known:
        await matters.update_matters(
            conn, [after for _, after in known], [before.version for before, _ in known]
        )
    pairs = [(change.before, change.after) for change in changes]
    await listing.list_matters(conn, pairs)
    await chart.chart_milestones(conn, pairs)
    counted = [
        tally
        for change in changes
        for tally in tallies(change.before, tuple(each.emitted for each in change.happenings))
    ]
    await rates.count(conn, counted)
    await recording.record(
        conn,
        [
            outgoing(each.emitted, each.causation_id, each.traceparent)
            for change in changes
            for each in change.happenings
        ],
    )
