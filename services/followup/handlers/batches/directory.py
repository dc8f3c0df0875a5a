"""Projection of `liaison.directory` into a read model: the departments and liaisons that steps may name."""

from collections.abc import Sequence

from services.followup.store import parties
from shared.contracts.events.directory import DepartmentChanged, DirectoryEvent, LiaisonChanged
from shared.contracts.vocabulary import PartyKind
from shared.delivery.cloudevents import Message
from shared.runtime.database import Connection


async def apply(conn: Connection, messages: Sequence[Message]) -> list[Message]:
    """Write the parties of these events in one statement; of several events of one party the last counts.

    Raises ValueError for an event whose subject is not its entry.
    """
    found: dict[str, tuple[PartyKind, str]] = {}
    for message in messages:
        event = message.event
        if not isinstance(event, DirectoryEvent) or event.entry != message.subject:
            raise ValueError("an event's subject is its entry")
        match event:
            case DepartmentChanged(department_id=id_, name=name):
                found[id_] = (PartyKind.DEPARTMENT, name)
            case LiaisonChanged(liaison_id=id_, name=name):
                found[id_] = (PartyKind.LIAISON, name)
            case _:
                # Enterprises and absences: no step names them.
                continue
    if found:
        await parties.put_parties(conn, found)
    return []
