"""Applies a batch of requests' and assignments' events: load, decide each, persist."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from uuid import UUID

from services.followup.domain import arrivals
from services.followup.domain.arrivals import (
    Acceptance,
    OfferEnd,
    Offering,
    Wait,
)
from services.followup.domain.decision import Changed, Decision, Emitted, Unmoved
from services.followup.domain.ladder import climb, overtaken
from services.followup.domain.matter import DISPATCHING, DispatchDecision, Matter, Offer, Party
from services.followup.domain.moment import ActingParty, Moment
from services.followup.domain.rescheduling import MovedOffer, offer_moved
from services.followup.domain.steps.answering import OwnAnswer, answered_by_requester, has_worked
from services.followup.domain.steps.links import UNANSWERED, released
from services.followup.handlers.batches.holders import BY_WORKER, held_by_workers
from services.followup.handlers.batches.merged import (
    PASSED_ON,
    followed_in,
    load_with_targets,
    target_of,
)
from services.followup.handlers.batches.registered import registration_of, request_of
from services.followup.handlers.office import Office
from services.followup.handlers.saving import Change, Happening, save
from services.followup.store.requests import Request
from shared.contracts.events import assignments, requests
from shared.contracts.events.event import Event, MatterEvent
from shared.contracts.vocabulary import ClockKind, PendingReason
from shared.delivery.cloudevents import Message
from shared.messages.catalogue import text
from shared.runtime.clock import Clock
from shared.runtime.database import Connection

Decide: TypeAlias = Callable[[Matter, Any, Moment, Message], Decision]
"""What one kind of event does to a matter that is known; the event is of the kind that it stands under."""


async def apply_batch(
    conn: Connection, office: Office, messages: Sequence[Message], clock: Clock
) -> list[Message]:
    """Apply events of requests or of assignments in order. Returns those whose matter is not known here yet."""
    concerning = [message for message in messages if isinstance(message.event, MatterEvent)]
    if not concerning:
        return []
    loaded = await load_with_targets(conn, concerning)
    batch = _MatterBatch(office, clock, loaded, await held_by_workers(conn, concerning, loaded))
    for message in concerning:
        batch.apply(message)
    if batch.changes:
        await save(conn, list(batch.changes.values()), batch.opened)
    return batch.early


class _MatterBatch:
    """The matters of a batch while its messages are decided one after the other."""

    def __init__(
        self,
        office: Office,
        clock: Clock,
        loaded: dict[str, Matter],
        by_workers: frozenset[UUID],
    ) -> None:
        self._office = office
        self._now = clock()
        self._matters = loaded
        self._by_workers = by_workers
        self.changes: dict[str, Change] = {}
        self.opened: list[Request] = []
        self.early: list[Message] = []

    def apply(self, message: Message) -> None:
        event = message.event
        if not isinstance(event, MatterEvent) or event.matter_id != message.subject:
            raise ValueError("an event's subject is its matter")
        actor = ActingParty(event.actor.role, event.actor.party)
        matter = self._matters.get(message.subject)
        moment = self._office.moment(self._now, matter, actor)
        earlier: tuple[Emitted, ...] = ()
        if matter is not None:
            decide = DECIDE.get(type(event))
            if message.id in self._by_workers:
                decide = BY_WORKER[type(event)]
            if decide is None:
                return
            # By when it happened, and not by when it came: an acceptance in time breaks no promise.
            before = overtaken(matter, moment, message.time)
            decision, earlier = decide(before.matter, event, moment, message), before.emitted
        elif isinstance(event, requests.RequestRegistered):
            self.opened.append(request_of(event))
            decision = arrivals.open_matter(registration_of(event), moment)
        else:
            self.early.append(message)
            return
        if isinstance(decision, Changed):
            self._keep(message, matter, self._climbed(earlier, decision, moment))
            self._release(message, decision.matter, actor)
        if matter is not None and matter.merging is not None and isinstance(event, PASSED_ON):
            self._pass_on(message, matter, actor)

    def _pass_on(self, message: Message, merged: Matter, by: ActingParty) -> None:
        """Pass a message of a merged request's holder on to the matter that it was merged into."""
        target = target_of(merged, self._matters)
        if target is not None:
            moment = self._office.moment(self._now, target, by)
            before = overtaken(target, moment, message.time)
            by_worker = message.id in self._by_workers
            changed = followed_in(before.matter, message, moment, by_worker=by_worker)
            self._keep(message, target, self._climbed(before.emitted, changed, moment))

    def _release(self, message: Message, ended: Matter, by: ActingParty) -> None:
        """Unmerge the matters that were merged into one that ended without an answer."""
        reason = text("unmerged.withdrawn", "zh")
        for merged in list(self._matters.values()) if ended.state in UNANSWERED else ():
            moment = self._office.moment(self._now, merged, by)
            freed = released(merged, ended, reason, moment)
            if freed is not None:
                self._keep(message, merged, self._climbed((), freed, moment))

    @staticmethod
    def _climbed(earlier: tuple[Emitted, ...], changed: Changed, moment: Moment) -> Changed:
        return climb(changed.matter, moment, earlier + changed.emitted, on_days_off=False)

    def _keep(self, message: Message, before: Matter | None, changed: Changed) -> None:
        subject = changed.matter.id
        self._matters[subject] = changed.matter
        change = self.changes.setdefault(subject, Change(before, changed.matter, []))
        change.after = changed.matter
        change.happenings += [
            Happening(emitted, message.id, message.traceparent) for emitted in changed.emitted
        ]


def _known(matter: Matter, event: Event, moment: Moment, message: Message) -> Decision:
    return Unmoved("it is open already")


def _amended(
    matter: Matter, event: requests.RequestAmended, moment: Moment, message: Message
) -> Decision:
    return arrivals.amend(matter, event.message, moment)


def _withdrawn(
    matter: Matter, event: requests.RequestWithdrawn, moment: Moment, message: Message
) -> Decision:
    taken = matter.state not in DISPATCHING
    if taken and has_worked(matter, event.issued_to):
        # Who works on it holds this receipt, and cannot end the work in the requester's name.
        return arrivals.withdrawn_from(matter, event.reason, moment)
    decision = arrivals.withdraw(matter, event.reason, moment)
    if isinstance(decision, Unmoved):
        # It was acknowledged before the end was known there, so that somebody has to see it.
        return arrivals.withdrawn_from(matter, event.reason, moment)
    return decision


def _answered(
    matter: Matter, event: requests.ReturnVisitAnswered, moment: Moment, message: Message
) -> Decision:
    answer = OwnAnswer(
        event.solved, event.satisfaction, event.words, event.round, issued_to=event.issued_to
    )
    return answered_by_requester(matter, answer, moment)


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
    return arrivals.accept(matter, news, moment)


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


def _rescheduled(
    matter: Matter, event: assignments.OfferRescheduled, moment: Moment, message: Message
) -> Decision:
    news = MovedOffer(
        event.offer_id, ClockKind.ACCEPT, event.expires_at, event.calendar_version, event.cause
    )
    return offer_moved(matter, news, moment)


def _review_rescheduled(
    matter: Matter, event: assignments.ObjectionRescheduled, moment: Moment, message: Message
) -> Decision:
    news = MovedOffer(
        event.offer_id, ClockKind.REVIEW, event.review_at, event.calendar_version, event.cause
    )
    return offer_moved(matter, news, moment)


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
        assignments.OfferRescheduled: _rescheduled,
        assignments.ObjectionRescheduled: _review_rescheduled,
    }
)
"""A ruling needs no entry: what follows from it comes as the next offer."""


def _party(ref: assignments.PartyRef) -> Party:
    return Party(ref.id, ref.kind, ref.name)


def _dispatch(said: assignments.Dispatch) -> DispatchDecision:
    return DispatchDecision(
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
