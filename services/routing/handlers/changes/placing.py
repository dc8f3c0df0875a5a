"""Loads the data of a batch's choices in a fixed number of statements, and makes each step's offer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.routing.catalogue.table import Catalogue
from services.routing.domain.moment import ROUTING
from services.routing.domain.parties import Away, Enterprise, Town
from services.routing.domain.placing import (
    Wanted,
    catalogue_facts,
    need_of,
    place_each,
    placing_of,
    uscc_of,
    with_dispatch,
)
from services.routing.handlers.changes.change import Change, queue_entries
from services.routing.handlers.office import Office
from services.routing.store.directory import town as town_store
from services.routing.store.feed import QueueEntry
from shared.runtime.database import Connection
from shared.runtime.ids import new_id


@dataclass(frozen=True, slots=True)
class _Scene:
    """Data of the choices of one batch."""

    enterprises: Mapping[str, Enterprise]
    town: Town
    load: Mapping[str, int]
    catalogue: Catalogue


async def place(
    conn: Connection, office: Office, changes: Sequence[Change], now: datetime
) -> list[Change]:
    """Return these changes, which all need an offer, with their offers; the caller persists them.

    Locks the queues of the liaisons who may be chosen or whose offer ends, so that it must come before other
    queues are locked and after the matters are.
    """
    scene = await _set_scene(conn, office, changes, now)
    wanted = [_wanted(change, scene) for change in changes]
    placed = place_each(wanted, scene.town, scene.load, office.moment(now, ROUTING))
    return [
        replace(change, decision=decision) for change, decision in zip(changes, placed, strict=True)
    ]


async def _set_scene(
    conn: Connection, office: Office, changes: Sequence[Change], now: datetime
) -> _Scene:
    usccs = {uscc for change in changes if (uscc := uscc_of(change.matter)) is not None}
    enterprises = (
        await town_store.load_enterprises(conn, sorted(usccs), office.today(now)) if usccs else {}
    )
    desks = await town_store.load_desks(conn)
    catalogue = await office.catalogue.at(conn, desks.catalogue_version)
    entries = [entry for change in changes for entry in queue_entries(change)]
    away = await town_store.load_away(conn, now)
    concerned = _concerned(changes, entries, enterprises, away)
    liaisons, load = await town_store.lock_liaisons(conn, concerned)
    # An absence that was entered meanwhile is seen now: whoever enters one passes through the same locks.
    away = await town_store.load_away(conn, now)
    for entry in entries:
        if entry.party in load:
            load[entry.party] += entry.load
    town = Town(liaisons, away, desks.departments, desks.fallback)
    return _Scene(enterprises, town, load, catalogue)


def _concerned(
    changes: Iterable[Change],
    entries: Iterable[QueueEntry],
    enterprises: Mapping[str, Enterprise],
    away: Mapping[str, Away],
) -> list[str]:
    """Return the liaisons who may be chosen, with all deputies, and those whose offers end."""
    found = {entry.party for entry in entries}
    for enterprise in enterprises.values():
        found.update(enterprise.ties.deputies)
        if enterprise.ties.primary is not None:
            found.add(enterprise.ties.primary)
    for change in changes:
        placing = placing_of(change.decision)
        found.update(filter(None, (placing.ruled, placing.returning)))
    fresh = list(found)
    while fresh:
        one = away.get(fresh.pop())
        if one is not None and one.deputy is not None and one.deputy not in found:
            found.add(one.deputy)
            fresh.append(one.deputy)
    return sorted(found)


def _wanted(change: Change, scene: _Scene) -> Wanted:
    """Return the step with its input to the choice; evaluates the catalogue at the beginning of a round."""
    decision = change.decision
    enterprise = scene.enterprises.get(uscc_of(decision.matter) or "")
    if placing_of(decision).decide_anew:
        facts = catalogue_facts(decision.matter.asked, enterprise)
        decision = with_dispatch(decision, scene.catalogue.dispatch(facts), enterprise)
    return Wanted(decision, need_of(decision, enterprise, scene.town), new_id())
