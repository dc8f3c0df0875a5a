"""Learns from followup what the holders of receipts may know."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from services.intake.store import receipts as store
from shared.contracts import topics
from shared.contracts.matters import (
    MatterChanged,
    MatterClosed,
    MatterFedBack,
    MatterHandled,
    MatterOffered,
    MatterTaken,
)
from shared.kit.cloudevents import Message
from shared.kit.db import Connection
from shared.kit.relearning import forget


async def follow_matters(conn: Connection, messages: Sequence[Message]) -> list[Message]:
    """Learn from followup what the holders of receipts may know. Nothing of it is ever too early."""
    steps = [
        _progress_step(message, message.event)
        for message in messages
        if isinstance(message.event, MatterChanged)
    ]
    if steps:
        await store.save_steps(conn, steps, _folded(steps))
    return []


async def begin_again(conn: Connection) -> None:
    """Forget what receipts show, so that followup's history makes it anew when it comes again.

    Until then a receipt says that its request was received, and no more.
    """
    await forget(conn, topics.MATTERS)
    await store.forget_steps(conn)


def _progress_step(message: Message, event: MatterChanged) -> store.Step:
    step = store.Step(
        request_id=UUID(event.matter_id),
        version=message.sequence,
        type=event.TYPE,
        at=message.time,
        words=None,
        state=event.state,
        round=event.round,
        next_due_at=event.next_due_at,
    )
    match event:
        case MatterOffered():
            lead = event.dispatch.lead_department
            return replace(
                step, offered_id=event.party.id, lead_department=lead, words=event.party.name
            )
        case MatterTaken():
            return replace(
                step, owner_id=event.owner.id, owner_name=event.owner.name, words=event.owner.name
            )
        case MatterFedBack():
            return replace(step, words=event.text)
        case MatterHandled():
            return replace(step, outcome=event.outcome, answer=event.answer, words=event.answer)
        case MatterClosed():
            return replace(step, outcome=event.outcome)
        case _:
            return step


def _folded(steps: Sequence[store.Step]) -> list[store.Step]:
    """One step a request: the last, with what earlier ones of the batch said and it did not."""
    last: dict[UUID, store.Step] = {}
    for step in steps:
        before = last.get(step.request_id)
        if before is not None:
            step = replace(
                step,
                owner_id=step.owner_id or before.owner_id,
                owner_name=step.owner_name or before.owner_name,
                offered_id=step.offered_id or before.offered_id,
                lead_department=step.lead_department or before.lead_department,
                outcome=step.outcome or before.outcome,
                answer=step.answer or before.answer,
            )
        last[step.request_id] = step
    return list(last.values())
