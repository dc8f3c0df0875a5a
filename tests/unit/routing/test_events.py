"""Every fact of the rules is a published event, and every change of a case is rows."""

from typing import get_args

import pytest

from services.routing.domain import answers, expiry, facts, rounds
from services.routing.domain.answers import Accept, Decline, RuleObjection
from services.routing.domain.decision import Changed, Decision, Emitted
from services.routing.domain.facts import Fact
from services.routing.domain.matter import Case, Cause
from services.routing.domain.moment import CLOCK
from services.routing.handlers.changes.change import (
    Change,
    new_objections,
    new_offers,
    offer_ends,
    queue_entries,
    settlements,
)
from services.routing.handlers.events import event_of, outgoing
from services.routing.store.feed import QueueEntry
from services.routing.store.offers import OfferEnd, Settlement
from shared.contracts.events.assignments import DispatchWaiting, ObjectionRaised, OfferDeclined
from shared.contracts.events.event import MatterEvent
from shared.contracts.vocabulary import (
    DeclineReason,
    MatterState,
    OfferState,
    RescheduleCause,
    RescindReason,
    Ruling,
)
from tests.unit.routing.town import (
    BETTER,
    CALENDAR,
    L1,
    MONDAY,
    accepted,
    completed,
    moment,
    offered,
    placed,
    reviewed,
)

OFFER, OBJECTION = offered().offers[0], reviewed().objections[0]
FACTS: dict[type[Fact], tuple[Fact, str]] = {
    facts.Offered: (
        facts.Offered(OFFER, Cause.REGISTERED, (), MONDAY, CALENDAR.version),
        "offer.made",
    ),
    facts.Accepted: (facts.Accepted(OFFER), "offer.accepted"),
    facts.Declined: (facts.Declined(OFFER, DeclineReason.OTHER, None, None), "offer.declined"),
    facts.TimedOut: (facts.TimedOut(OFFER), "offer.timed_out"),
    facts.Rescinded: (facts.Rescinded(OFFER, RescindReason.CLOSED), "offer.rescinded"),
    facts.Objected: (facts.Objected(OBJECTION), "objection.raised"),
    facts.ReviewAwaited: (facts.ReviewAwaited(OBJECTION), "dispatch.waiting"),
    facts.Ruled: (facts.Ruled(OBJECTION, Ruling.UPHELD, None), "objection.ruled"),
    facts.OfferMoved: (
        facts.OfferMoved(OFFER, MONDAY, CALENDAR.version, RescheduleCause.CALENDAR),
        "offer.rescheduled",
    ),
    facts.ReviewMoved: (
        facts.ReviewMoved(OBJECTION, MONDAY, CALENDAR.version, RescheduleCause.CALENDAR),
        "objection.rescheduled",
    ),
}


def test_every_fact_is_published_and_every_event_of_a_matter_comes_from_one() -> None:
    assert FACTS.keys() == set(get_args(Fact))
    published = {
        event.TYPE
        for event in MatterEvent.__subclasses__()
        if event.__module__ == "shared.contracts.events.assignments"
    }
    assert {name for _, name in FACTS.values()} == published


@pytest.mark.parametrize("kind", FACTS, ids=lambda kind: kind.__name__)
def test_a_fact_is_the_event_of_its_name_and_is_read_again(kind: type[Fact]) -> None:
    fact, name = FACTS[kind]
    event = event_of(Emitted(fact, L1, offered().matter))
    assert (event.TYPE, event.matter_id, event.actor.party) == (name, "m", "L1")
    assert type(event).model_validate_json(event.model_dump_json()) == event


def decided(decision: Decision) -> Changed:
    assert isinstance(decision, Changed), decision
    return decision


def test_an_objection_is_three_events_at_the_versions_of_its_facts() -> None:
    decision = decided(answers.decline(offered(), Decline("o1", BETTER, "x1"), moment(L1)))
    recorded = [outgoing(each, MONDAY, None, None) for each in decision.emitted]
    assert [each.version for each in recorded] == [2, 3, 4]
    assert [type(each.event) for each in recorded] == [
        OfferDeclined,
        ObjectionRaised,
        DispatchWaiting,
    ]
    waiting = recorded[-1].event
    assert isinstance(waiting, DispatchWaiting)
    assert (waiting.dispatch.accept_hours, waiting.dispatch.park) == (2.0, "九科园")


def test_what_is_declined_ends_in_its_queue_and_an_objection_is_written() -> None:
    case = offered()
    change = Change(case, decided(answers.decline(case, Decline("o1", BETTER, "x1"), moment(L1))))
    assert offer_ends(change) == [
        OfferEnd(
            "o1", OfferState.OFFERED, OfferState.DECLINED, holding=False,
            reason=BETTER.reason_code, suggested_owner="L3", note="归丙管",
        )
    ]  # fmt: skip
    assert list(queue_entries(change)) == [QueueEntry("L1", "o1", "ended", -1, OfferState.DECLINED)]
    assert [each.id for each in new_objections(change)] == ["x1"]
    assert (settlements(change), new_offers(change)) == ([], [])


def test_who_accepts_goes_on_counting() -> None:
    case = offered()
    change = Change(case, decided(answers.accept(case, Accept("o1"), moment(L1))))
    assert list(queue_entries(change)) == [QueueEntry("L1", "o1", "ended", 0, OfferState.ACCEPTED)]
    assert [end.holding for end in offer_ends(change)] == [True]


@pytest.mark.parametrize(
    ("case", "decision", "load"),
    [
        (accepted(), rounds.end(accepted(), RescindReason.CLOSED, moment()), -1),
        (completed(), rounds.restore(completed(), MatterState.IN_PROGRESS), 1),
    ],
)
def test_an_acceptance_that_counts_no_longer_or_again_is_in_no_feed(
    case: Case, decision: Decision, load: int
) -> None:
    change = Change(case, decided(decision))
    assert list(queue_entries(change)) == [QueueEntry("L1", "o1", None, load)]
    assert offer_ends(change) == [
        OfferEnd("o1", OfferState.ACCEPTED, OfferState.ACCEPTED, holding=load == 1)
    ]
    assert decided(decision).emitted == ()


def test_a_ruling_settles_the_objection_by_whom_and_with_what_note() -> None:
    case = reviewed()
    step = RuleObjection("x1", Ruling.OVERRULED, "已核")
    change = Change(case, decided(answers.rule(case, step, moment())))
    assert settlements(change) == [
        Settlement("x1", case.objections[0].state.OVERRULED, "C001", "已核")
    ]


def test_a_new_matter_has_its_first_offer_alone() -> None:
    change = Change(None, decided(rounds.register("m", offered().matter.asked, moment())))
    assert (list(queue_entries(change)), new_offers(change)) == ([], [])
    case = placed(change.decision, "o1")
    assert (offer_ends(change), settlements(change), new_objections(change)) == ([], [], ())
    assert case.matter.offer_id == "o1"


def test_a_lapsed_review_names_nobody() -> None:
    case = reviewed()
    change = Change(case, expiry.run_out(case, moment(CLOCK)))
    assert settlements(change) == [Settlement("x1", case.objections[0].state.LAPSED)]
