"""Finds messages by receipts that were issued to somebody who worked on the matter."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from uuid import UUID

from services.followup.domain import arrivals
from services.followup.domain.decision import Decision
from services.followup.domain.matter import Matter
from services.followup.domain.moment import Moment
from services.followup.domain.steps.answering import OwnAnswer, answered_by_requester
from services.followup.handlers.batches.merged import target_of
from services.followup.handlers.independence import workers_of
from shared.contracts.events import requests
from shared.contracts.events.event import Event
from shared.delivery.cloudevents import Message
from shared.runtime.database import Connection

DecideByWorker: TypeAlias = Callable[[Matter, Any, Moment, Message], Decision]


async def held_by_workers(
    conn: Connection, messages: Sequence[Message], loaded: Mapping[str, Matter]
) -> frozenset[UUID]:
    """Return the ids of messages sent with receipts of parties that did any of the work, by the history."""
    found: set[UUID] = set()
    for message in messages:
        event, own = message.event, loaded.get(message.subject)
        if not isinstance(event, requests.RequestWithdrawn | requests.ReturnVisitAnswered):
            continue
        # A system's URI is no party of the town.
        parties = {party for party in event.issued_to if ":" not in party}
        matter = None if own is None else target_of(own, loaded) or own
        if parties and matter is not None and parties & await workers_of(conn, UUID(matter.id)):
            found.add(message.id)
    return frozenset(found)


def _answered_by_worker(
    matter: Matter, event: requests.ReturnVisitAnswered, moment: Moment, message: Message
) -> Decision:
    answer = OwnAnswer(
        event.solved, event.satisfaction, event.words, issued_to=event.issued_to, by_worker=True
    )
    return answered_by_requester(matter, answer, moment)


def _withdrawn_by_worker(
    matter: Matter, event: requests.RequestWithdrawn, moment: Moment, message: Message
) -> Decision:
    # Before the first acceptance nobody has worked; in a later round the requester was not content with that work.
    return arrivals.withdrawn_from(matter, event.reason, moment)


BY_WORKER: Final[Mapping[type[Event], DecideByWorker]] = MappingProxyType(
    {
        requests.RequestWithdrawn: _withdrawn_by_worker,
        requests.ReturnVisitAnswered: _answered_by_worker,
    }
)
