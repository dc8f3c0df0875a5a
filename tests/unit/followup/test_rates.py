"""What counts for the rates, and the arithmetic: nothing is divided by nothing, nothing is left out unsaid."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.followup.domain import arrivals
from services.followup.domain.arrivals import Acceptance, OfferEnd
from services.followup.domain.decision import Changed
from services.followup.domain.rates import Counted, Counts, Rate, Tally, rates_of, tallies
from services.followup.domain.steps import resolution, work
from services.followup.domain.steps.resolution import Close, Handle, Reopen, ReturnVisit
from shared.contracts.vocabulary import Outcome, ReopenCause
from tests.unit.followup.town import (
    LIAISON,
    MONDAY,
    OWNER,
    SYSTEM,
    dissatisfied,
    handled,
    in_progress,
    moment,
    offered,
    town_time,
)


def counted(before, decision) -> list[Tally]:
    assert isinstance(decision, Changed), decision
    return tallies(before, decision.emitted)


def test_an_acceptance_counts_with_the_time_it_took() -> None:
    news = Acceptance(1, "offer-1", OWNER, town_time(2, 11))
    found = counted(offered(), arrivals.accept(offered(), news, moment(LIAISON, town_time(2, 12))))
    assert [(each.what, each.seconds, each.liaison) for each in found] == [
        (Counted.TAKEN, 3600, "L001")
    ]


def test_declined_and_timed_out_count_and_an_offer_taken_back_does_not() -> None:
    for ended, expected in (
        ("declined", [Counted.DECLINED]),
        ("timed_out", [Counted.TIMED_OUT]),
        ("rescinded", []),
    ):
        news = OfferEnd(1, "offer-1", OWNER, ended)
        found = counted(offered(), arrivals.end_offer(offered(), news, moment(SYSTEM)))
        assert [each.what for each in found] == expected


def test_the_first_contact_counts_once_however_it_was_made() -> None:
    at = moment(LIAISON, town_time(2, 11))
    matter = in_progress()
    first = work.feedback(matter, work.Feedback("已勘察"), at)
    assert [(each.what, each.seconds) for each in counted(matter, first)] == [
        (Counted.CONTACTED, 3600)
    ]
    assert isinstance(first, Changed)
    assert counted(first.matter, work.feedback(first.matter, work.Feedback("又"), at)) == []
    straight = resolution.handle(matter, Handle(Outcome.RESOLVED, "已通"), at)
    assert [each.what for each in counted(matter, straight)] == [
        Counted.CONTACTED, Counted.HANDLED,
    ]  # fmt: skip


def test_a_content_requester_counts_as_visited_and_closed() -> None:
    said = ReturnVisit(True, True, True, 5)
    at = moment(at=town_time(3, 10))
    visited, closed = counted(handled(), resolution.return_visit(handled(), said, at))
    assert visited.visited is not None
    assert (visited.visited.reached, visited.visited.satisfaction) == (True, 5)
    assert (closed.what, closed.exempted, closed.seconds) == (Counted.CLOSED, False, 86_400)


def test_exemptions_and_new_rounds_count() -> None:
    (closed,) = counted(handled(), resolution.close(handled(), Close("搬离"), moment()))
    assert closed.exempted
    step = Reopen(ReopenCause.NOT_SOLVED, "未解决")
    (reopened,) = counted(dissatisfied(), resolution.reopen(dissatisfied(), step, moment()))
    assert (reopened.what, reopened.liaison) == (Counted.REOPENED, "L001")


def test_a_rate_of_nothing_is_none() -> None:
    rates = rates_of(Counts())
    assert {rate.value for rate in rates.values()} == {None}


def test_the_three_rates_come_from_answers_alone() -> None:
    counts = Counts(
        visited=10, reached=8, answered=7, solved=6, rated=5, satisfied=4, exempted=2, handled=20
    )
    rates = rates_of(counts)
    assert rates["response"] == Rate(7, 8, {"unreached": 2, "exempted": 2})
    assert rates["resolution"] == Rate(6, 8, {"unreached": 2, "exempted": 2})
    assert rates["satisfaction"] == Rate(4, 5, {"unreached": 2, "exempted": 2, "unrated": 3})
    assert rates["reached"].value == 0.8


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_offers_that_ended_are_all_in_the_denominator(taken: int, declined: int, late: int) -> None:
    rate = rates_of(Counts(taken=taken, declined=declined, timed_out=late))["declined"]
    assert rate.denominator == taken + declined + late
    assert rate.value is None or 0 <= rate.value <= 1


def test_what_belongs_to_a_desk_counts_for_no_liaison() -> None:
    tally = Tally(
        Counted.REOPENED, MONDAY, replace(in_progress(), owner=None, last_owner=None), None
    )
    assert tally.liaison is None
