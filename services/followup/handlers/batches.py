"""Takes in what intake and routing say, a batch at a time: load, decide each, save all."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from uuid import UUID

from services.followup.domain import arrivals, ending
from services.followup.domain.arrivals import (
    Acceptance,
    OfferEnd,
    Offering,
    Registration,
    Wait,
)
from services.followup.domain.decision import Changed, Decision, Unmoved
from services.followup.domain.facts import Requester
from services.followup.domain.ladder import climb
from services.followup.domain.matter import Dispatch, Matter, Offer, Party
from services.followup.domain.moment import Actor, Moment
from services.followup.handlers.office import Office
from services.followup.handlers.saving import Change, Happening, save
from services.followup.store import matters
from services.followup.store.requests import Request
from shared.contracts import assignments, requests
from shared.contracts.event import Event, MatterEvent
from shared.contracts.vocabulary import PendingReason
from shared.kit.clock import Clock
from shared.kit.cloudevents import Message
from shared.kit.db import Connection

Decide: TypeAlias = Callable[[Matter, Any, Moment, Message], Decision]
"""What one kind of event does to a matter that is known; the event is of the kind that it stands under."""


async def take(
    conn: Connection, office: Office, messages: Sequence[Message], clock: Clock
) -> list[Message]:
    """Apply events of requests or of assignments in order. Returns those whose matter is not known here yet."""
    concerning = [message for message in messages if isinstance(message.event, MatterEvent)]
    if not concerning:
        return []
    loaded = await matters.load_locked(conn, {UUID(message.subject) for message in concerning})
    batch = _Batch(office, clock, loaded)
    for message in concerning:
        batch.take(message)
    if batch.changes:
        await save(conn, list(batch.changes.values()), batch.opened)
    return batch.early


class _Batch:
    """The matters of a batch as they are while it is decided, one message after the other."""

    def __init__(self, office: Office, clock: Clock, loaded: dict[str, Matter]) -> None:
        self._office = office
        self._now = clock()
        self._matters = loaded
        self.changes: dict[str, Change] = {}
        self.opened: list[Request] = []
        self.early: list[Message] = []

    def take(self, message: Message) -> None:
        event = message.event
        if not isinstance(event, MatterEvent) or event.matter_id != message.subject:
            raise ValueError("an event's subject is its matter")
        actor = Actor(event.actor.role, event.actor.party)
        moment = self._office.moment(self._now, actor)
        matter = self._matters.get(message.subject)
        if matter is not None:
            decide = DECIDE.get(type(event))
            decision = decide(matter, event, moment, message) if decide else Unmoved("not ours")
        elif isinstance(event, requests.RequestRegistered):
            self.opened.append(_request(event))
            decision = arrivals.open_matter(_registration(event), moment)
        else:
            self.early.append(message)
            return
        if isinstance(decision, Changed):
            self._keep(message, matter, climb(decision.matter, moment, decision.told))

    def _keep(self, message: Message, before: Matter | None, changed: Changed) -> None:
        subject = message.subject
        self._matters[subject] = changed.matter
        change = self.changes.setdefault(subject, Change(before, changed.matter, []))
        change.after = changed.matter
        change.happenings += [
            Happening(told, message.id, message.traceparent) for told in changed.told
        ]


def _registration(event: requests.RequestRegistered) -> Registration:
    return Registration(
        event.matter_id,
        _requester(event),
        event.channel,
        event.kind,
        event.category,
        event.summary,
        event.urgency,
        event.received_at,
    )


def _requester(event: requests.RequestRegistered) -> Requester:
    return Requester(event.requester.kind, event.requester.id, event.requester.name)


def _request(event: requests.RequestRegistered) -> Request:
    return Request(
        event.matter_id,
        event.source,
        event.source_ref,
        event.channel,
        event.kind,
        event.category,
        _requester(event),
        event.summary,
        event.detail,
        event.location,
        event.urgency,
        event.occurred_at,
        event.received_at,
        event.attachments,
    )


def _known(matter: Matter, event: Event, moment: Moment, message: Message) -> Decision:
    return Unmoved("it is open already")


def _amended(
    matter: Matter, event: requests.RequestAmended, moment: Moment, message: Message
) -> Decision:
    return arrivals.amend(matter, event.message, moment)


def _withdrawn(
    matter: Matter, event: requests.RequestWithdrawn, moment: Moment, message: Message
) -> Decision:
    return arrivals.withdraw(matter, event.reason, moment)


def _answered(
    matter: Matter, event: requests.ReturnVisitAnswered, moment: Moment, message: Message
) -> Decision:
    said = ending.ReturnVisit(True, True, event.solved, event.satisfaction, event.words)
    return ending.answered_by_requester(matter, said, moment)


def _waiting(
    matter: Matter, event: assignments.DispatchWaiting, moment: Moment, message: Message
) -> Decision:
    news = Wait(event.round, event.pending_reason, event.review_at, _dispatch(event.dispatch))
    return arrivals.wait(matter, news, moment)


def _offered(
    matter: Matter, event: assignments.OfferMade, moment: Moment, message: Message
) -> Decision:
    offer = Offer(
        event.offer_id,
        _party(event.party),
        event.candidacy,
        event.why,
        event.attempt,
        event.offered_at,
        event.expires_at,
    )
    news = Offering(event.round, offer, _dispatch(event.dispatch), event.calendar_version)
    return arrivals.offer(matter, news, moment)


def _accepted(
    matter: Matter, event: assignments.OfferAccepted, moment: Moment, message: Message
) -> Decision:
    news = Acceptance(event.round, event.offer_id, _party(event.party), message.time)
    return arrivals.take(matter, news, moment)


def _declined(
    matter: Matter, event: assignments.OfferDeclined, moment: Moment, message: Message
) -> Decision:
    return _ended(matter, event, moment, ("declined", event.reason_code))


def _timed_out(
    matter: Matter, event: assignments.OfferTimedOut, moment: Moment, message: Message
) -> Decision:
    return _ended(matter, event, moment, ("timed_out", None))


def _rescinded(
    matter: Matter, event: assignments.OfferRescinded, moment: Moment, message: Message
) -> Decision:
    return _ended(matter, event, moment, ("rescinded", event.reason))


_Ended: TypeAlias = (
    assignments.OfferDeclined | assignments.OfferTimedOut | assignments.OfferRescinded
)


def _ended(matter: Matter, event: _Ended, moment: Moment, how: tuple[str, str | None]) -> Decision:
    ended, reason = how
    news = OfferEnd(event.round, event.offer_id, _party(event.party), ended, reason)
    return arrivals.end_offer(matter, news, moment)


def _objected(
    matter: Matter, event: assignments.ObjectionRaised, moment: Moment, message: Message
) -> Decision:
    return arrivals.wait(
        matter, Wait(event.round, PendingReason.OBJECTION_REVIEW, event.review_at), moment
    )


DECIDE: Final[Mapping[type[Event], Decide]] = MappingProxyType(
    {
        requests.RequestRegistered: _known,
        requests.RequestAmended: _amended,
        requests.RequestWithdrawn: _withdrawn,
        requests.ReturnVisitAnswered: _answered,
        assignments.DispatchWaiting: _waiting,
        assignments.OfferMade: _offered,
        assignments.OfferAccepted: _accepted,
        assignments.OfferDeclined: _declined,
        assignments.OfferTimedOut: _timed_out,
        assignments.OfferRescinded: _rescinded,
        assignments.ObjectionRaised: _objected,
    }
)
"""A ruling needs no entry: what follows from it comes as the next offer."""


def _party(ref: assignments.PartyRef) -> Party:
    return Party(ref.id, ref.kind, ref.name)


def _dispatch(said: assignments.Dispatch) -> Dispatch:
    return Dispatch(
        said.catalogue_version,
        said.rule_id,
        said.category,
        said.lead_department,
        said.co_departments,
        said.urgency,
        said.difficulty,
        said.accept_hours,
        said.handle_days,
        said.park,
    )
