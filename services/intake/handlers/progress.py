"""Projection of followup's events into the read model of receipts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from services.intake.domain import MatterSnapshot
from services.intake.handlers.feed_order import KEPT_DAYS
from services.intake.store import feed_order
from services.intake.store import receipts as store
from shared.contracts import topics
from shared.contracts.events.matters import (
    MatterChanged,
    MatterClosed,
    MatterFedBack,
    MatterHandled,
    MatterMerged,
    MatterOffered,
    MatterRejected,
    MatterReopened,
    MatterReturned,
    MatterTaken,
    MatterWaiting,
)
from shared.contracts.vocabulary import MatterState
from shared.delivery.cloudevents import Message
from shared.delivery.inbox.relearning import forget
from shared.runtime.database import Connection

# Events of earlier versions do not say until when a closed matter can be reopened.
REOPENING: Final = timedelta(days=15)


async def follow_matters(conn: Connection, messages: Sequence[Message]) -> list[Message]:
    """Apply followup's events to the read model of receipts; none of them can come too early."""
    news = [
        (message, message.event) for message in messages if isinstance(message.event, MatterChanged)
    ]
    if news:
        ids = {UUID(event.matter_id) for _, event in news}
        snapshots = await store.load_snapshots(conn, ids)
        for message, event in news:
            known = snapshots.get(UUID(event.matter_id), MatterSnapshot())
            snapshots[UUID(event.matter_id)] = snapshot_after(known, message, event)
        await store.insert_entries(conn, [_entry(message, event) for message, event in news])
        changed_at = {UUID(event.matter_id): message.time for message, event in news}
        await store.save_snapshots(conn, {id_: snapshots[id_] for id_ in ids}, changed_at)
        await feed_order.insert_matter_events(conn, [message for message, _ in news], KEPT_DAYS)
    return []


async def begin_again(conn: Connection) -> None:
    """Clear the read model of receipts, so that followup's history can rebuild it.

    Until then a receipt says that its request was received, and no more.
    """
    await forget(conn, topics.MATTERS)
    await store.forget_steps(conn)


def snapshot_after(known: MatterSnapshot, message: Message, event: MatterChanged) -> MatterSnapshot:
    """Return the snapshot of the matter after the event; None for what the event ends."""
    said: dict[str, Any] = {
        "state": event.state,
        "round": event.round,
        "next_due_at": event.next_due_at,
    } | _changes(known, message, event)
    if event.state is not MatterState.CLOSED:
        said["reopen_until"] = None
    if event.state is not MatterState.MERGED:
        said["merged_into"] = None
    return replace(known, **said)


def _changes(known: MatterSnapshot, message: Message, event: MatterChanged) -> dict[str, Any]:
    match event:
        case MatterHandled():
            return {"outcome": event.outcome, "answer": event.answer, "offered_id": None}
        case MatterClosed():
            until = event.reopen_until or message.time + REOPENING
            return {"outcome": event.outcome, "reopen_until": until}
        case MatterReopened():
            # What belonged to the round before is history now; the timeline has it.
            ended = dict.fromkeys(("owner_id", "owner_name", "offered_id", "outcome", "answer"))
            return {**ended, "refused_by": ()}
        case MatterMerged():
            return {"merged_into": UUID(event.into), "offered_id": None}
        case MatterRejected(reason=reason, channel=channel):
            return {"rejected_because": reason, "lawful_channel": channel, "offered_id": None}
        case _:
            return _changes_of_holders(known, event)


def _changes_of_holders(known: MatterSnapshot, event: MatterChanged) -> dict[str, Any]:
    match event:
        case MatterOffered(party=party):
            return {
                "offered_id": party.id,
                "lead_department": event.dispatch.lead_department,
                "refused_by": tuple(each for each in known.refused_by if each != party.id),
            }
        case MatterReturned(party=party, ended="declined"):
            return {"offered_id": None, "refused_by": (*known.refused_by, party.id)}
        case MatterTaken(owner=owner):
            return {"owner_id": owner.id, "owner_name": owner.name, "offered_id": None}
        case MatterWaiting(dispatch=dispatch) if dispatch is not None:
            return {"offered_id": None, "lead_department": dispatch.lead_department}
        case MatterReturned() | MatterWaiting():
            return {"offered_id": None}
        case _:
            return {}


def _entry(message: Message, event: MatterChanged) -> store.TimelineLine:
    return store.TimelineLine(
        UUID(event.matter_id), message.sequence, event.TYPE, message.time, _words(event)
    )


def _words(event: MatterChanged) -> str | None:
    match event:
        case MatterOffered():
            return event.party.name
        case MatterTaken():
            return event.owner.name
        case MatterFedBack():
            return event.text
        case MatterHandled():
            return event.answer
        case MatterRejected():
            return event.reason
        case _:
            return None
