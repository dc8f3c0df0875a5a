"""Applies a batch of requests' and matters' events."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from services.routing.domain import rounds
from services.routing.domain.decision import Changed, Unmoved
from services.routing.domain.matter import Case, RoutedRequest
from services.routing.domain.moment import Acting, Moment
from services.routing.domain.parties import Party
from services.routing.domain.rounds import Reopening
from services.routing.handlers.changes.change import Change
from services.routing.handlers.changes.persisting import load_cases, place_and_persist
from services.routing.handlers.office import Office
from shared.contracts.events.event import Event
from shared.contracts.events.matters import (
    MatterChanged,
    MatterClosed,
    MatterHandled,
    MatterMerged,
    MatterRejected,
    MatterReopened,
    MatterUnmerged,
    MatterWithdrawn,
)
from shared.contracts.events.requests import RequestRegistered
from shared.contracts.vocabulary import RescindReason
from shared.delivery.cloudevents import Message
from shared.runtime.clock import Clock
from shared.runtime.database import Connection

_REASONS: dict[type[MatterChanged], RescindReason] = {
    MatterHandled: RescindReason.CLOSED,
    MatterClosed: RescindReason.CLOSED,
    MatterRejected: RescindReason.CLOSED,
    MatterWithdrawn: RescindReason.WITHDRAWN,
    MatterMerged: RescindReason.MERGED,
}
_OF_MATTERS: tuple[type[Event], ...] = (*_REASONS, MatterReopened, MatterUnmerged)


async def apply_requests(
    conn: Connection, messages: Sequence[Message], office: Office, clock: Clock
) -> list[Message]:
    """Make an offer for each registered request; none of these events can come too early.

    A withdrawal is followup's to judge: one that does not count ends no offer. What does comes as an event of a matter.
    """
    return await _apply(
        conn, office, [m for m in messages if isinstance(m.event, RequestRegistered)], clock()
    )


async def apply_matters(
    conn: Connection, messages: Sequence[Message], office: Office, clock: Clock
) -> list[Message]:
    """Begin new rounds, and end offers of ended matters. Returns the messages that came too early."""
    return await _apply(
        conn, office, [m for m in messages if isinstance(m.event, _OF_MATTERS)], clock()
    )


async def _apply(
    conn: Connection, office: Office, messages: Sequence[Message], now: datetime
) -> list[Message]:
    early: list[Message] = []
    for wave in _waves(messages):
        cases = await load_cases(conn, [message.subject for message in wave])
        changes: list[Change] = []
        for message in wave:
            case = cases.get(message.subject)
            if case is None and not isinstance(message.event, RequestRegistered):
                early.append(message)
            elif (change := _change(message, case, office, now)) is not None:
                changes.append(change)
        if changes:
            await place_and_persist(conn, office, changes, now)
    return early


def _waves(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """Split the messages into waves with at most one per matter; usually there is one wave."""
    rest = list(messages)
    while rest:
        wave: dict[str, Message] = {}
        later: list[Message] = []
        for message in rest:
            if message.subject in wave:
                later.append(message)
            else:
                wave[message.subject] = message
        yield list(wave.values())
        rest = later


def _change(message: Message, case: Case | None, office: Office, now: datetime) -> Change | None:
    actor = message.event.actor
    decision = _decide(message, case, office.moment(now, Acting(actor.role, actor.party)))
    if not isinstance(decision, Changed):
        return None
    return Change(case, decision, message.id, message.traceparent)


def _decide(message: Message, case: Case | None, moment: Moment) -> Changed | Unmoved:
    event = message.event
    if case is None:
        if isinstance(event, RequestRegistered):
            return rounds.register(event.matter_id, _request_of(event), moment)
        return Unmoved("its matter is not known")
    match event:
        case MatterReopened(last_owner=last):
            owner = None if last is None else Party(last.id, last.kind, last.name)
            return rounds.reopen(case, Reopening(event.round, owner), moment)
        case MatterUnmerged():
            return rounds.restore(case, event.state)
        case MatterChanged():
            return rounds.end(case, _REASONS[type(event)], moment)
        case _:
            return Unmoved("a registration of what is known: said twice, done once")


def _request_of(event: RequestRegistered) -> RoutedRequest:
    return RoutedRequest(
        requester_kind=event.requester.kind,
        requester_id=event.requester.id,
        requester_name=event.requester.name,
        kind=event.kind,
        category=event.category,
        urgency=event.urgency,
        summary=event.summary,
        # Only keywords look at it, and only where no category was named.
        detail="" if event.category else event.detail,
        received_at=event.received_at,
    )
