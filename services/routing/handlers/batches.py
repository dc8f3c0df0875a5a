"""Applies a batch of requests' and matters' events."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from services.routing.domain.dispatching import Facts, dispatch
from services.routing.domain.matter import Case, Cause, Matter, RoutedRequest, RoutingState
from services.routing.handlers.changes import Change, Placing
from services.routing.handlers.office import Office
from services.routing.handlers.persisting import load_cases, place_and_persist
from shared.contracts.event import Event
from shared.contracts.matters import (
    MatterChanged,
    MatterClosed,
    MatterHandled,
    MatterMerged,
    MatterRejected,
    MatterReopened,
    MatterUnmerged,
    MatterWithdrawn,
)
from shared.contracts.requests import RequestRegistered
from shared.contracts.vocabulary import (
    MatterState,
    OfferState,
    PartyKind,
    RescindReason,
)
from shared.delivery.cloudevents import Message
from shared.runtime.database import Connection

_REASONS: dict[type[MatterChanged], RescindReason] = {
    MatterHandled: RescindReason.CLOSED,
    MatterClosed: RescindReason.CLOSED,
    MatterRejected: RescindReason.CLOSED,
    MatterWithdrawn: RescindReason.WITHDRAWN,
    MatterMerged: RescindReason.MERGED,
}
_OF_MATTERS: tuple[type[Event], ...] = (*_REASONS, MatterReopened, MatterUnmerged)
_FINAL = (
    MatterState.HANDLED,
    MatterState.CLOSED,
    MatterState.MERGED,
    MatterState.REJECTED,
    MatterState.WITHDRAWN,
)


async def apply_requests(
    conn: Connection, office: Office, messages: Sequence[Message], now: datetime
) -> list[Message]:
    """Find somebody for each request that was registered. Nothing of it is ever too early.

    A withdrawal is followup's to judge: one that does not count ends no offer. What does comes as an event of a matter.
    """
    return await _apply(
        conn, office, [m for m in messages if isinstance(m.event, RequestRegistered)], now
    )


async def apply_matters(
    conn: Connection, office: Office, messages: Sequence[Message], now: datetime
) -> list[Message]:
    """New rounds, and an end to offers where a matter has ended. Returns what came too early."""
    return await _apply(
        conn, office, [m for m in messages if isinstance(m.event, _OF_MATTERS)], now
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
            elif (change := _change(message, case, office)) is not None:
                change.causation_id = message.id
                change.traceparent = message.traceparent
                changes.append(change)
        if changes:
            await place_and_persist(conn, office, changes, now)
    return early


def _waves(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """The messages in rounds of one each a matter: mostly all of them at once."""
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


def _change(message: Message, case: Case | None, office: Office) -> Change | None:
    event = message.event
    if case is None:
        return _opened(event, office) if isinstance(event, RequestRegistered) else None
    match event:
        case MatterReopened():
            return _reopened(case, event)
        case MatterUnmerged():
            return _unmerged(case, event)
        case MatterChanged():
            return _ended(case, _REASONS[type(event)], message)
        case _:
            # A registration of what is known: said twice, done once.
            return None


def _opened(event: RequestRegistered, office: Office) -> Change:
    asked = RoutedRequest(
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
    undecided = dispatch(Facts(None, event.kind, event.urgency), None, None, office.limits)
    matter = Matter(
        id=event.matter_id,
        round=1,
        attempt=0,
        version=0,
        standing=RoutingState.WAITING,
        offer_id=None,
        owner_id=None,
        asked=asked,
        dispatched=undecided,
    )
    return Change(matter, is_new=True, placing=Placing(Cause.REGISTERED, decide_anew=True))


def _ended(case: Case, reason: RescindReason, message: Message) -> Change | None:
    if case.matter.standing is RoutingState.ENDED:
        return None
    change = Change(case.matter)
    change.let_go(case, reason, message.event.actor)
    change.stand(RoutingState.ENDED)
    return change


def _reopened(case: Case, event: MatterReopened) -> Change | None:
    if event.round <= case.matter.round:
        return None
    change = Change(case.matter)
    change.let_go(case, RescindReason.REDIRECTED, event.actor)
    last = event.last_owner
    returning = case.matter.owner_id if last is None else last.id
    if last is not None and last.kind is not PartyKind.LIAISON:
        returning = None
    change.begin_round(event.round)
    change.placing = Placing(Cause.REOPENED, decide_anew=True, returning=returning)
    return change


def _unmerged(case: Case, event: MatterUnmerged) -> Change | None:
    """Restore the accepted offer; without one, make a new offer.

    An acceptance that followup had not heard of by the merge counts for nothing there, so that it does not here.
    """
    if case.matter.standing is not RoutingState.ENDED or event.state in _FINAL:
        return None
    change = Change(case.matter)
    last = case.offers[-1] if case.offers else None
    taken = event.state is not MatterState.AWAITING_DISPATCH
    if taken and last is not None and last.state is OfferState.ACCEPTED:
        change.hold_accepted(last, True)
        change.mark_accepted(last)
        return change
    change.placing = Placing(Cause.UNMERGED)
    return change
