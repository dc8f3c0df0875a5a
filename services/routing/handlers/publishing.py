"""Publishes the directory on `liaison.directory`: each entry when it changes, and older entries once."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from services.routing.store.directory import published
from services.routing.store.directory.entries import (
    Absence,
    Department,
    EnterpriseEntry,
    LiaisonEntry,
)
from shared.contracts.events.directory import (
    AbsenceChanged,
    DepartmentChanged,
    DirectoryEvent,
    EnterpriseChanged,
    LiaisonChanged,
)
from shared.contracts.events.event import Actor
from shared.contracts.vocabulary import Role
from shared.delivery.outbox.recording import Outgoing, record
from shared.runtime.database import Connection

Entry: TypeAlias = Department | LiaisonEntry | EnterpriseEntry | Absence

SLICE: Final = 500
"""How many entries of before one transaction publishes."""

EARLIER: Final = Actor(role=Role.SYSTEM, party="routing")
"""Who is named for entries that were there before the topic: whoever entered them was not recorded."""


async def publish(conn: Connection, entry: Entry, actor: Actor, now: datetime) -> None:
    """Record an entry's new content; nothing when its last event has the same."""
    event = event_of(entry, actor)
    version = await published.put_published(conn, event.entry, _data(event))
    if version is not None:
        await record(conn, [Outgoing(event.entry, version, event, now)])


async def publish_earlier(conn: Connection, now: datetime) -> bool:
    """Record up to 500 unpublished entries, departments first; return whether there may be more."""
    for statement, entry_of in EARLIER_ENTRIES.items():
        rows = await published.unpublished(conn, statement, SLICE)
        if rows:
            events = [event_of(entry_of(row), EARLIER) for row in rows]
            added = await published.add_published(
                conn, [(event.entry, _data(event)) for event in events]
            )
            await record(
                conn, [Outgoing(each.entry, 1, each, now) for each in events if each.entry in added]
            )
            return True
    return False


EARLIER_ENTRIES: Final[Mapping[str, Callable[[dict[str, Any]], Entry]]] = {
    published.SELECT_UNPUBLISHED_DEPARTMENTS: lambda row: Department(**row),
    published.SELECT_UNPUBLISHED_LIAISONS: lambda row: LiaisonEntry(**row, capacity=0),
    published.SELECT_UNPUBLISHED_ENTERPRISES: lambda row: EnterpriseEntry(**row),
    published.SELECT_UNPUBLISHED_ABSENCES: lambda row: Absence(**row),
}
"""By the statement that selects them, how its rows are read; in the order in which others need them."""


def event_of(entry: Entry, actor: Actor) -> DirectoryEvent:
    """Return the event with the whole entry, without what only routing needs: phones and capacities."""
    match entry:
        case Department(id=id_, name=name):
            return DepartmentChanged(actor=actor, department_id=id_, name=name)
        case LiaisonEntry(id=id_, name=name, department_id=department_id):
            return LiaisonChanged(
                actor=actor, liaison_id=id_, name=name, department_id=department_id
            )
        case EnterpriseEntry(uscc, name, park, industry, tier):
            return EnterpriseChanged(
                actor=actor, uscc=uscc, name=name, park=park, industry=industry, tier=tier
            )
        case Absence(liaison_id, id_, from_at, until_at, deputy_id):
            return AbsenceChanged(
                actor=actor,
                liaison_id=liaison_id,
                absence_id=id_,
                from_at=from_at,
                until_at=until_at,
                deputy_id=deputy_id,
            )


def _data(event: DirectoryEvent) -> str:
    # Who entered it is no part of what it is.
    return event.model_dump_json(exclude={"actor"})
