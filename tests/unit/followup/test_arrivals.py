"""News from intake and routing: what it opens and moves, and what it leaves alone because it has passed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.followup.domain import arrivals, clocks
from services.followup.domain.arrivals import Acceptance, OfferEnd, Wait
from services.followup.domain.decision import Changed, Unmoved
from services.followup.domain.facts import Offered, Opened, Returned, Taken
from services.followup.domain.matter import FINAL
from shared.contracts.vocabulary import ClockKind, MatterState, OfferState, PartyKind, PendingReason
from tests.unit.followup.town import (
    CALENDAR,
    DISPATCH,
    IN_STATE,
    LIAISON,
    MONDAY,
    OWNER,
    REQUESTER,
    SYSTEM,
    Party,
    awaiting,
    done,
    in_progress,
    moment,
    offered,
    offering,
    on_hold,
    received,
    registration,
    shelved,
    town_time,
)

OTHER = Party("L002", PartyKind.LIAISON, "李店小二")


def test_registered_on_a_sunday_it_is_promised_from_the_monday_on() -> None:
    sunday = town_time(1, 15)
    opened = arrivals.open_matter(registration(at=sunday), moment(SYSTEM, sunday))
    assert isinstance(opened.emitted[0].fact, Opened)
    assert opened.matter.next_due_at == town_time(4, 17, 30)
    assert (opened.matter.state, opened.matter.version) == (MatterState.RECEIVED, 1)


def test_an_offer_brings_its_dispatch_departments_and_limits() -> None:
    decision = arrivals.offer(received(), offering(), moment(SYSTEM))
    assert isinstance(decision, Changed)
    matter, fact = decision.matter, decision.emitted[0].fact
    assert isinstance(fact, Offered)
    assert {each.clock for each in fact.deadlines} == {
        ClockKind.ACCEPT, ClockKind.INTERIM, ClockKind.HANDLE,
    }  # fmt: skip
    assert (matter.category, matter.lead_department, matter.park) == (
        "基础设施/道路交通", "D-ROAD", "久禾科技园",
    )  # fmt: skip
    assert matter.parties == ("D-ROAD", "D-FIRE", "L001")
    assert matter.responsible == OWNER


def test_the_next_offer_keeps_the_age() -> None:
    first = clocks.find(offered().clocks, ClockKind.HANDLE)
    passed_on = done(
        arrivals.end_offer(offered(), OfferEnd(1, "offer-1", OWNER, "declined"), moment(LIAISON))
    )
    again = done(
        arrivals.offer(
            passed_on, offering(party=OTHER, offer_id="offer-2"), moment(SYSTEM, town_time(3, 9))
        )
    )
    assert clocks.find(again.clocks, ClockKind.HANDLE) == first
    assert again.parties[-2:] == ("L001", "L002")


def test_a_catalogue_that_decides_otherwise_moves_the_handling_limit() -> None:
    news = replace(offering(offer_id="offer-2"), dispatch=replace(DISPATCH, handle_days=15))
    again = done(arrivals.offer(offered(), news, moment(SYSTEM)))
    handle = clocks.find(again.clocks, ClockKind.HANDLE)
    assert handle is not None
    assert handle.due_at == town_time(23, 17, 30)


def test_taken_it_owes_the_first_contact() -> None:
    decision = arrivals.accept(offered(), Acceptance(1, "offer-1", OWNER, MONDAY), moment(LIAISON))
    assert isinstance(decision, Changed)
    assert isinstance(decision.emitted[0].fact, Taken)
    matter = decision.matter
    first = clocks.find(matter.clocks, ClockKind.FIRST_CONTACT)
    assert first is not None
    assert first.due_at == town_time(3, 17, 30)
    assert clocks.find(matter.clocks, ClockKind.ACCEPT) is None
    assert (matter.owner, matter.taken_at) == (OWNER, MONDAY)
    assert matter.offer is not None
    assert matter.offer.state is OfferState.ACCEPTED


def test_an_acceptance_from_the_future_counts_from_now() -> None:
    news = Acceptance(1, "offer-1", OWNER, MONDAY + timedelta(hours=5))
    assert done(arrivals.accept(offered(), news, moment(LIAISON))).taken_at == MONDAY


@pytest.mark.parametrize("make", [received, awaiting, in_progress, shelved])
def test_an_answer_to_no_open_offer_moves_nothing(make) -> None:
    news = Acceptance(1, "offer-1", OTHER, MONDAY)
    assert isinstance(arrivals.accept(make(), news, moment(LIAISON)), Unmoved)
    ended = OfferEnd(1, "offer-1", OTHER, "timed_out")
    assert isinstance(arrivals.end_offer(make(), ended, moment(SYSTEM)), Unmoved)


def test_an_answer_to_another_offer_than_the_open_one_moves_nothing() -> None:
    news = Acceptance(1, "offer-0", OTHER, MONDAY)
    assert isinstance(arrivals.accept(offered(), news, moment(LIAISON)), Unmoved)
    ended = OfferEnd(1, "offer-0", OTHER, "declined")
    assert isinstance(arrivals.end_offer(offered(), ended, moment(SYSTEM)), Unmoved)


@pytest.mark.parametrize("ended", ["declined", "timed_out", "rescinded"])
def test_an_offer_that_ended_leaves_the_matter_waiting(ended: str) -> None:
    news = OfferEnd(1, "offer-1", OWNER, ended, "not_ours")
    decision = arrivals.end_offer(offered(), news, moment(SYSTEM))
    assert isinstance(decision, Changed)
    assert decision.emitted[0].fact == Returned("offer-1", OWNER, ended, "not_ours")
    assert decision.matter.state is MatterState.AWAITING_DISPATCH
    assert decision.matter.responsible is None


def test_an_offer_of_a_round_that_has_passed_moves_nothing() -> None:
    assert isinstance(arrivals.offer(received(), offering(round_=2), moment(SYSTEM)), Unmoved)


@pytest.mark.parametrize("state", sorted(FINAL | {MatterState.HANDLED}))
def test_after_the_work_no_offer_counts(state: MatterState) -> None:
    matter = IN_STATE[state]()
    news = offering(offer_id="offer-9")
    assert isinstance(arrivals.offer(matter, news, moment(SYSTEM)), Unmoved)


def test_an_offer_to_another_while_at_work_changes_the_owner_when_it_is_accepted() -> None:
    asked = done(
        arrivals.offer(shelved(), offering(party=OTHER, offer_id="offer-2"), moment(SYSTEM))
    )
    assert (asked.state, asked.owner) == (MatterState.SHELVED, OWNER)
    news = Acceptance(1, "offer-2", OTHER, MONDAY)
    taken = done(arrivals.accept(asked, news, moment(LIAISON)))
    assert (taken.state, taken.owner) == (MatterState.SHELVED, OTHER)
    assert [clock.kind for clock in taken.clocks] == [ClockKind.REVIEW]


def test_waiting_promises_its_review_and_says_the_same_once() -> None:
    matter = awaiting()
    review = clocks.find(matter.clocks, ClockKind.REVIEW)
    assert review is not None
    assert matter.next_due_at == review.due_at == MONDAY + timedelta(hours=3)
    news = Wait(1, PendingReason.NO_RULE, MONDAY + timedelta(hours=3), DISPATCH)
    assert isinstance(arrivals.wait(matter, news, moment(SYSTEM)), Unmoved)
    offered_after = done(arrivals.offer(matter, offering(), moment(SYSTEM)))
    assert clocks.find(offered_after.clocks, ClockKind.REVIEW) is None
    assert offered_after.pending is None


def test_the_requesters_words_end_a_hold() -> None:
    decision = arrivals.amend(on_hold(), "图纸已发", moment(REQUESTER, town_time(3, 10)))
    assert [type(emitted.fact).__name__ for emitted in decision.emitted] == ["Amended", "Resumed"]
    assert decision.matter.state is MatterState.IN_PROGRESS
    handle = clocks.find(decision.matter.clocks, ClockKind.HANDLE)
    assert handle is not None
    assert handle.due_at == CALENDAR.resume(town_time(9, 17, 30), MONDAY, town_time(3, 10))


@pytest.mark.parametrize("state", MatterState)
def test_the_requesters_words_are_kept_in_every_state(state: MatterState) -> None:
    decision = arrivals.amend(IN_STATE[state](), "补充", moment(REQUESTER))
    assert type(decision.emitted[0].fact).__name__ == "Amended"


@pytest.mark.parametrize("state", MatterState)
def test_a_requester_withdraws_until_the_end(state: MatterState) -> None:
    decision = arrivals.withdraw(IN_STATE[state](), "不需要了", moment(REQUESTER))
    if state in FINAL - {MatterState.MERGED}:
        assert isinstance(decision, Unmoved)
    else:
        matter = done(decision)
        assert (matter.state, matter.clocks) == (MatterState.WITHDRAWN, ())
        assert matter.open_offer is None
