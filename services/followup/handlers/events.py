"""Maps each fact of the rules to its published event."""

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Final
from uuid import UUID

from services.followup.domain import facts
from services.followup.domain.decision import Emitted
from services.followup.domain.facts import Fact
from services.followup.domain.moved import Rescheduled
from shared.contracts.events import amending, matters, rescheduling, urging
from shared.contracts.events.matters import MatterChanged
from shared.delivery.outbox.recording import Outgoing

EVENTS: Final[Mapping[type[Fact], type[MatterChanged]]] = MappingProxyType(
    {
        facts.Opened: matters.MatterOpened,
        facts.DispatchAwaited: matters.MatterWaiting,
        facts.Offered: matters.MatterOffered,
        facts.Returned: matters.MatterReturned,
        facts.Taken: matters.MatterTaken,
        facts.Contacted: matters.MatterContacted,
        facts.Amended: amending.MatterAmended,
        facts.FedBack: matters.MatterFedBack,
        facts.Planned: matters.MatterPlanned,
        facts.MilestoneChanged: matters.MatterMilestoneChanged,
        facts.TaskChanged: matters.MatterTaskChanged,
        facts.Held: matters.MatterHeld,
        facts.Resumed: matters.MatterResumed,
        facts.Extended: matters.MatterExtended,
        facts.Shelved: matters.MatterShelved,
        facts.Handled: matters.MatterHandled,
        facts.Visited: matters.MatterVisited,
        facts.Closed: matters.MatterClosed,
        facts.Reopened: matters.MatterReopened,
        facts.Withdrawn: matters.MatterWithdrawn,
        facts.Rejected: matters.MatterRejected,
        facts.Reminded: urging.MatterReminded,
        facts.Supervised: urging.MatterSupervised,
        facts.Escalated: urging.MatterEscalated,
        facts.Merged: matters.MatterMerged,
        facts.Unmerged: matters.MatterUnmerged,
        facts.Joined: matters.MatterJoined,
        Rescheduled: rescheduling.MatterRescheduled,
    }
)

_FIELDS: Final = {kind: tuple(each.name for each in fields(kind)) for kind in EVENTS}


def event_of(emitted: Emitted) -> MatterChanged:
    """Return the published event of a fact, with the state and the next limit after it."""
    kind, matter = type(emitted.fact), emitted.matter
    said = {name: getattr(emitted.fact, name) for name in _FIELDS[kind]}
    said |= {
        "actor": emitted.by,
        "matter_id": matter.id,
        "state": matter.state,
        "round": matter.round,
        "next_due_at": matter.next_due_at,
    }
    if kind is facts.Closed and matter.closing is not None:
        said["reopen_until"] = matter.closing.reopen_until
    return EVENTS[kind].model_validate(said, from_attributes=True)


def outgoing(emitted: Emitted, causation_id: UUID | None, traceparent: str | None) -> Outgoing:
    """Return the event to record, at the matter's version."""
    return Outgoing(
        emitted.matter.id,
        emitted.matter.version,
        event_of(emitted),
        emitted.at,
        causation_id,
        traceparent,
    )
