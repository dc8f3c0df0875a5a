"""Applies events of intake and routing to a matter; outdated events change nothing."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.followup.domain import clocks
from services.followup.domain.decision import Changed, Decision, Unmoved, deadlines, emit, emit_on
from services.followup.domain.facts import (
    Amended,
    DispatchAwaited,
    Offered,
    Opened,
    RequestingParty,
    Resumed,
    Returned,
    Taken,
    Withdrawn,
)
from services.followup.domain.matter import (
    DISPATCHING,
    WORKING,
    DispatchDecision,
    Matter,
    Offer,
    Party,
    Pending,
    with_offer_ended,
)
from services.followup.domain.moment import Moment
from shared.calendar import Limit
from shared.contracts.vocabulary import (
    Amendment,
    Channel,
    ClockKind,
    Kind,
    MatterState,
    OfferState,
    PendingReason,
    Urgency,
)


@dataclass(frozen=True, slots=True)
class Registration:
    """A request as intake registered it."""

    request_id: str
    requester: RequestingParty
    channel: Channel
    kind: Kind
    category: str | None
    summary: str
    urgency: Urgency
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Wait:
    """Routing has no candidate for now; `dispatch` is None when only an objection is under review."""

    round: int
    reason: PendingReason
    review_at: datetime
    dispatch: DispatchDecision | None = None


@dataclass(frozen=True, slots=True)
class Offering:
    """An offer that routing made, with its limit."""

    round: int
    offer: Offer
    dispatch: DispatchDecision
    calendar_version: str


@dataclass(frozen=True, slots=True)
class OfferEnd:
    """An offer that ended without an owner: declined, timed_out or rescinded."""

    round: int
    offer_id: str
    party: Party
    ended: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A party accepted the matter at `at`."""

    round: int
    offer_id: str
    party: Party
    at: datetime


def open_matter(registration: Registration, moment: Moment) -> Changed:
    """Open a matter for a registered request; the handling limit starts with the dispatch."""
    limits = moment.limits_of(registration.category)
    received_at = registration.received_at
    interim = clocks.begin(ClockKind.INTERIM, limits.interim, received_at, moment.calendar)
    matter = Matter(
        id=registration.request_id,
        requester_id=registration.requester.id,
        channel=registration.channel,
        kind=registration.kind,
        urgency=registration.urgency,
        received_at=received_at,
        category=registration.category,
        version=1,
        clocks=(interim,),
        changed_at=moment.at,
    )
    fact = Opened(
        registration.request_id,
        registration.requester,
        registration.channel,
        registration.kind,
        registration.category,
        registration.summary,
        registration.urgency,
        received_at,
        deadlines(matter),
    )
    return emit_on(matter, fact, moment)


def amend(matter: Matter, message: str, moment: Moment, request_id: str | None = None) -> Changed:
    """Record the requester's message, in any state; it ends a hold, which waits for the requester.

    `request_id` is set where they came by the receipt of a request that was merged into the matter.
    """
    emit_on = emit(matter, Amended(message, request_id=request_id), moment)
    if matter.state is MatterState.ON_HOLD:
        resumed = resume_held(emit_on.matter, moment)
        return emit(resumed, Resumed(deadlines(resumed)), moment, emit_on.emitted)
    return emit_on


def resume_held(matter: Matter, moment: Moment) -> Matter:
    """Return the matter in progress after a hold, each limit extended by the working time of the pause."""
    running = clocks.unpause(
        clocks.without(matter.clocks, ClockKind.RESUME), moment.at, moment.calendar
    )
    return replace(
        matter,
        state=MatterState.IN_PROGRESS,
        hold=None,
        clocks=running,
        held_s=matter.held_s + moment.seconds_since(matter.hold.held_at if matter.hold else None),
    )


def withdraw(matter: Matter, reason: str | None, moment: Moment) -> Decision:
    """Withdraw the matter for the requester, at any time before its end; a merged one alone."""
    if matter.final and matter.state is not MatterState.MERGED:
        return Unmoved("it has ended already")
    ended = replace(
        with_offer_ended(matter, OfferState.RESCINDED),
        state=MatterState.WITHDRAWN,
        clocks=(),
        pending=None,
        hold=None,
        shelf=None,
        aside=(),
        merging=None,
    )
    return emit(ended, Withdrawn(reason), moment)


def withdrawn_from(
    matter: Matter, reason: str | None, moment: Moment, request_id: str | None = None
) -> Changed:
    """Record a withdrawal as a message: it came too late, or concerns a request merged into this matter."""
    return emit(matter, Amended(reason or "", Amendment.WITHDRAWAL, request_id), moment)


def wait(matter: Matter, news: Wait, moment: Moment) -> Decision:
    """Set the matter to wait without an offer; the review time becomes a clock."""
    if news.round != matter.round or matter.state not in DISPATCHING:
        return Unmoved("the round has gone on")
    pending = Pending(news.reason, news.review_at)
    if matter.pending == pending:
        return Unmoved("it waits for this already")
    matter = with_offer_ended(matter, OfferState.RESCINDED)
    dispatched = _dispatched(matter, news.dispatch, moment) if news.dispatch else {}
    running = dispatched.pop("clocks", matter.clocks)
    review = clocks.start(ClockKind.REVIEW, news.review_at, moment.at, moment.calendar)
    waiting = replace(
        matter,
        state=MatterState.AWAITING_DISPATCH,
        pending=pending,
        clocks=clocks.with_clock(running, review),
        **dispatched,
    )
    return emit(waiting, DispatchAwaited(news.reason, news.review_at, news.dispatch), moment)


def offer(matter: Matter, news: Offering, moment: Moment) -> Decision:
    """Record an offer; an existing owner stays until the offer is accepted."""
    dispatching = matter.state in DISPATCHING
    if news.round != matter.round or not (dispatching or matter.state in WORKING):
        return Unmoved("the round has gone on")
    made = news.offer
    dispatched = _dispatched(matter, news.dispatch, moment)
    running = dispatched.pop("clocks", matter.clocks)
    if dispatching:
        # While nobody had it, the review was routing's; on the long-term list it is the owner's own.
        running = clocks.without(running, ClockKind.REVIEW)
    limit = clocks.start(
        ClockKind.ACCEPT, made.expires_at, made.offered_at, moment.calendar, news.calendar_version
    )
    dispatched["parties"] = _joined(dispatched.get("parties", matter.parties), made.party.id)
    offered = replace(
        matter,
        version=matter.version + 1,
        changed_at=moment.at,
        state=MatterState.OFFERED if dispatching else matter.state,
        offer=made,
        pending=None,
        clocks=clocks.with_clock(running, limit),
        **dispatched,
    )
    return emit_on(offered, _offered(offered, made, news.dispatch), moment)


def _offered(matter: Matter, made: Offer, dispatch: DispatchDecision) -> Offered:
    return Offered(
        made.offer_id,
        made.party,
        made.candidacy,
        made.why,
        made.expires_at,
        dispatch,
        deadlines(matter),
    )


def end_offer(matter: Matter, news: OfferEnd, moment: Moment) -> Decision:
    """Record that an offer ended without an owner; routing's next event says how the matter goes on."""
    if matter.open_offer is None or matter.open_offer.offer_id != news.offer_id:
        return Unmoved("the offer is not the one that is open")
    returned = replace(
        with_offer_ended(matter, OfferState(news.ended)),
        state=MatterState.AWAITING_DISPATCH
        if matter.state is MatterState.OFFERED
        else matter.state,
    )
    fact = Returned(news.offer_id, news.party, news.ended, news.reason)
    return emit(returned, fact, moment)


def accept(matter: Matter, news: Acceptance, moment: Moment) -> Decision:
    """Make the party the matter's owner and start the clock of the first contact."""
    if matter.open_offer is None or matter.open_offer.offer_id != news.offer_id:
        return Unmoved("the offer is not the one that is open")
    matter = with_offer_ended(matter, OfferState.ACCEPTED)
    taken_at = min(news.at, moment.at)
    running = matter.clocks
    if matter.contacted_at is None and matter.state is MatterState.OFFERED:
        limit = moment.limits_of(matter.category).first_contact
        first = clocks.begin(ClockKind.FIRST_CONTACT, limit, taken_at, moment.calendar)
        running = clocks.with_clock(running, first)
    taken = replace(
        matter,
        state=MatterState.IN_PROGRESS if matter.state is MatterState.OFFERED else matter.state,
        owner=news.party,
        last_owner=news.party,
        taken_at=matter.taken_at or taken_at,
        parties=_joined(matter.parties, news.party.id),
        clocks=running,
    )
    return emit(taken, Taken(news.offer_id, news.party, deadlines(taken)), moment)


def _dispatched(matter: Matter, dispatch: DispatchDecision, moment: Moment) -> dict[str, Any]:
    """Return the matter with the catalogue's decision applied: departments, and the round's handling limit."""
    held = clocks.find(matter.clocks, ClockKind.HANDLE)
    if held is not None and matter.dispatch == dispatch:
        return {}
    departments = (dispatch.lead_department, *dispatch.co_departments)
    changes: dict[str, Any] = {
        "dispatch": dispatch,
        "category": dispatch.category or matter.category,
        "urgency": dispatch.urgency,
        "parties": _joined(matter.parties, *(each for each in departments if each)),
    }
    if matter.state in DISPATCHING and not (held and held.extensions):
        limit = Limit.days(dispatch.handle_days)
        handle = clocks.begin(ClockKind.HANDLE, limit, matter.began_at, moment.calendar)
        replanned = clocks.replan(held, handle) if held else handle
        changes["clocks"] = clocks.with_clock(matter.clocks, replanned)
    return changes


def _joined(parties: tuple[str, ...], *more: str) -> tuple[str, ...]:
    return parties + tuple(each for each in dict.fromkeys(more) if each not in parties)
