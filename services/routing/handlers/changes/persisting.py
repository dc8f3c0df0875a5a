"""Persists a batch of changes of different matters, with their events: one statement a table."""

from collections.abc import Sequence
from datetime import datetime

from services.routing.domain.matter import Case, Objection, Offer
from services.routing.handlers.changes.change import (
    Change,
    new_objections,
    new_offers,
    offer_ends,
    queue_entries,
    settlements,
)
from services.routing.handlers.changes.placing import place
from services.routing.handlers.events import outgoing
from services.routing.handlers.office import Office
from services.routing.store import feed, matters, offers
from services.routing.store.matters import Row
from shared.delivery.outbox.recording import record
from shared.runtime.database import Connection


class Contested(RuntimeError):
    """A row changed although its matter is locked: another writer ignores the lock."""


async def load_cases(
    conn: Connection, matter_ids: Sequence[str], offer_id: str | None = None
) -> dict[str, Case]:
    """Load and lock the known matters, with the offers of their rounds (and that of `offer_id`) and objections."""
    locked = await matters.lock_matters(conn, matter_ids)
    if not locked:
        return {}
    known = list(locked)
    found_offers = await offers.load_offers(conn, known, offer_id)
    objections = await offers.load_objections(conn, known)
    by_matter: dict[str, tuple[list[Offer], list[Objection]]] = {
        matter_id: ([], []) for matter_id in known
    }
    for offer in found_offers:
        by_matter[offer.matter_id][0].append(offer)
    for objection in objections:
        by_matter[objection.matter_id][1].append(objection)
    return {
        matter_id: Case(locked[matter_id], tuple(its_offers), tuple(its_objections))
        for matter_id, (its_offers, its_objections) in by_matter.items()
    }


async def place_and_persist(
    conn: Connection, office: Office, changes: Sequence[Change], now: datetime
) -> list[Change]:
    """Make the offers that the changes need, then persist every change with its events.

    Returns the changes as they were written, in order.
    """
    done = await _placed(conn, office, changes, now)
    await _write_ends(conn, done, now)
    await _write_matters(conn, done)
    made = [new for change in done for new in new_offers(change)]
    objections = [objection for change in done for objection in new_objections(change)]
    entries = [entry for change in done for entry in queue_entries(change)]
    if made:
        await offers.insert_offers(conn, made, now, office.calendar.version)
    if objections:
        await offers.insert_objections(conn, objections, now)
    if entries:
        await feed.append(conn, entries, now)
    await record(
        conn,
        [
            outgoing(emitted, now, change.causation_id, change.traceparent)
            for change in done
            for emitted in change.decision.emitted
        ],
    )
    return done


async def _placed(
    conn: Connection, office: Office, changes: Sequence[Change], now: datetime
) -> list[Change]:
    wanted = [change for change in changes if change.decision.placing is not None]
    if not wanted:
        return list(changes)
    placed = iter(await place(conn, office, wanted, now))
    return [change if change.decision.placing is None else next(placed) for change in changes]


async def _write_ends(conn: Connection, changes: Sequence[Change], now: datetime) -> None:
    ends = [end for change in changes for end in offer_ends(change)]
    settled = [settlement for change in changes for settlement in settlements(change)]
    if ends and len(await offers.update_offers(conn, ends, now)) != len(ends):
        raise Contested("an offer ended although its matter was locked")
    if settled and len(await offers.close_objections(conn, settled, now)) != len(settled):
        raise Contested("an objection was settled although its matter was locked")


async def _write_matters(conn: Connection, changes: Sequence[Change]) -> None:
    fresh = [_row(change) for change in changes if change.before is None]
    known = [_row(change) for change in changes if change.before is not None]
    if fresh:
        await matters.insert_matters(conn, fresh)
    if known:
        await matters.update_matters(conn, known)


def _row(change: Change) -> Row:
    return Row(change.matter, change.decision.case.due_at)
