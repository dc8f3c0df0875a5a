"""Persists a batch of changes of different matters, with their events: one statement a table."""

from collections.abc import Sequence
from datetime import datetime

from services.routing.domain.matter import Case, Objection, Offer
from services.routing.handlers.changes import Change
from services.routing.handlers.office import Office
from services.routing.handlers.placing import place
from services.routing.store import feed, matters, offers
from services.routing.store.matters import Row
from shared.delivery.outbox.recording import Outgoing, record
from shared.runtime.database import Connection


class Contested(RuntimeError):
    """A row changed under the lock of its matter: something writes without taking it."""


async def load_cases(
    conn: Connection, matter_ids: Sequence[str], offer_id: str | None = None
) -> dict[str, Case]:
    """The matters that are known, locked, with the offers of their rounds (and that of `offer_id`) and objections."""
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
) -> None:
    """Find somebody where somebody is wanted, then write every change and what is said of it."""
    wanted = [change for change in changes if change.placing is not None]
    if wanted:
        await place(conn, office, wanted, now)
    await _write_ends(conn, changes, now)
    outgoing = _number_events(changes, now)
    for change in changes:
        change.finish()
    fresh = [Row(change.matter, change.due_at) for change in changes if change.is_new]
    known = [Row(change.matter, change.due_at) for change in changes if not change.is_new]
    made = [change.made for change in changes if change.made is not None]
    objections = [objection for change in changes for objection in change.objections]
    entries = [entry for change in changes for entry in change.entries]
    if fresh:
        await matters.insert_matters(conn, fresh)
    if known:
        await matters.update_matters(conn, known)
    if made:
        await offers.insert_offers(conn, made, now, office.calendar.version)
    if objections:
        await offers.insert_objections(conn, objections, now)
    if entries:
        await feed.append(conn, entries, now)
    await record(conn, outgoing)


async def _write_ends(conn: Connection, changes: Sequence[Change], now: datetime) -> None:
    ends = [end for change in changes for end in change.ends]
    settlements = [settlement for change in changes for settlement in change.settlements]
    if ends and len(await offers.update_offers(conn, ends, now)) != len(ends):
        raise Contested("an offer ended although its matter was locked")
    if settlements and len(await offers.close_objections(conn, settlements, now)) != len(
        settlements
    ):
        raise Contested("an objection was settled although its matter was locked")


def _number_events(changes: Sequence[Change], now: datetime) -> list[Outgoing]:
    """Give each event its version of the matter, counted on from the last."""
    return [
        Outgoing(change.matter.id, version, event, now, change.causation_id, change.traceparent)
        for change in changes
        for version, event in enumerate(change.events, start=change.matter.version + 1)
    ]
