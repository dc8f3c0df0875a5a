"""What the clock does: time that runs out, reviews that lapse, absences that begin, limits computed anew."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from services.routing.domain import expiry
from services.routing.domain.choice import Verdict
from services.routing.domain.decision import Changed, Placing, Unmoved
from services.routing.domain.facts import OfferMoved, ReviewMoved, TimedOut
from services.routing.domain.matter import Case, Cause, ObjectionState, RoutingState
from services.routing.domain.moment import CLOCK
from services.routing.domain.rescheduling import reschedule
from shared.contracts.vocabulary import OfferState, RescheduleCause, RescindReason, Urgency
from tests.support.dayoff import calendar_with_days_off
from tests.unit.routing.town import (
    MONDAY,
    accepted,
    lapsed,
    moment,
    offered,
    placed,
    reviewed,
    town,
)

ENDS_AT = MONDAY + timedelta(hours=2)
SATURDAY = MONDAY + timedelta(days=5)
OPENING = MONDAY + timedelta(days=7, minutes=-30)


def ends_on(case: Case, at) -> Case:
    return replace(case, offers=(replace(case.offers[0], expires_at=at),))


def test_an_offer_that_is_not_answered_goes_to_the_next_and_its_party_is_out_of_the_round():
    decision = expiry.run_out(offered(), moment(CLOCK, ENDS_AT))
    ended = decision.case.offer("o1")
    assert (ended.state, ended.holding) == (OfferState.TIMED_OUT, False)
    assert decision.emitted[0].fact == TimedOut(ended)
    assert decision.placing == Placing(Cause.TIMED_OUT, answered={"L1": Verdict.TIMED_OUT})
    assert placed(decision, "o2", at=ENDS_AT).offers[-1].party.id == "L2"


def test_the_fallback_desk_is_offered_again_what_it_let_lie():
    case, parties = offered(), []
    for number in range(2, 8):
        case = placed(expiry.run_out(case, moment(CLOCK, ENDS_AT)), f"o{number}", at=ENDS_AT)
        parties.append(case.offers[-1].party.id)
    assert parties == ["L2", "D-ROAD", "DESK", "DESK", "DESK", "DESK"]
    assert [offer.attempt for offer in case.offers] == [1, 2, 3, 4, 5, 6, 7]


def test_a_review_without_a_ruling_lapses_and_the_matter_goes_on():
    case = lapsed()
    assert case.objection("x1").state is ObjectionState.LAPSED
    assert (case.matter.standing, case.offers[-1].party.id) == (RoutingState.OFFERED, "L2")


def test_what_is_offered_to_nobody_is_a_mistake():
    with pytest.raises(LookupError):
        expiry.run_out(replace(offered(), offers=()), moment(CLOCK))


@pytest.mark.parametrize(
    ("urgency", "limit", "now", "at"),
    [
        (Urgency.NORMAL, ENDS_AT, ENDS_AT, ENDS_AT),
        (Urgency.NORMAL, SATURDAY, SATURDAY, OPENING),
        (Urgency.NORMAL, ENDS_AT, SATURDAY, OPENING),
        (Urgency.EMERGENCY, SATURDAY, SATURDAY, SATURDAY),
    ],
)
def test_what_ends_on_a_day_off_is_acted_on_at_the_next_opening(urgency, limit, now, at):
    assert expiry.acts_at(ends_on(offered(urgency), limit), moment(CLOCK, now)) == at


def test_a_review_rests_on_a_day_off_whatever_the_urgency():
    assert expiry.acts_at(reviewed(), moment(CLOCK, SATURDAY)) == OPENING


class TestGivenAnAbsenceThatBegins:
    def test_then_what_is_offered_to_the_absent_goes_to_the_next(self):
        decision = expiry.pass_on(offered(), ["L1"], moment())
        assert isinstance(decision, Changed)
        ended = decision.case.offer("o1")
        assert (ended.state, ended.reason) == (OfferState.RESCINDED, RescindReason.LIAISON_ABSENT)
        away = town(away={"L1": "L3"})
        assert placed(decision, "o2", away).offers[-1].party.id == "L3"

    def test_then_nobody_is_out_of_the_round(self):
        decision = expiry.pass_on(offered(), ["L1"], moment())
        assert isinstance(decision, Changed)
        assert decision.placing == Placing(Cause.LIAISON_ABSENT, answered={})

    def test_then_what_was_accepted_stays_and_so_do_the_offers_of_others(self):
        for case, away in ((accepted(), ["L1"]), (offered(), ["L2"]), (reviewed(), ["L1"])):
            assert isinstance(expiry.pass_on(case, away, moment()), Unmoved)


class TestGivenAnotherCalendar:
    CAUSE = RescheduleCause.CALENDAR

    def later(self, tmp_path: Path):
        calendar = calendar_with_days_off(tmp_path, date(2026, 3, 2), date(2026, 3, 3))
        return replace(moment(CLOCK), calendar=calendar)

    def test_then_the_limit_of_an_open_offer_moves(self, tmp_path: Path):
        case = offered()
        case = replace(case, offers=(replace(case.offers[0], offered_at=MONDAY),))
        decision = reschedule(case, self.CAUSE, self.later(tmp_path))
        assert isinstance(decision, Changed)
        fact = decision.emitted[0].fact
        assert isinstance(fact, OfferMoved)
        assert (fact.old_expires_at, fact.cause) == (ENDS_AT, self.CAUSE)
        assert (
            decision.case.due_at == fact.offer.expires_at == MONDAY + timedelta(days=2, hours=1.5)
        )

    def test_then_the_limit_of_an_open_review_moves(self, tmp_path: Path):
        case = reviewed()
        case = replace(case, objections=(replace(case.objections[0], raised_at=MONDAY),))
        decision = reschedule(case, self.CAUSE, self.later(tmp_path))
        assert isinstance(decision, Changed)
        fact = decision.emitted[0].fact
        assert isinstance(fact, ReviewMoved)
        assert decision.case.due_at == fact.objection.review_at > fact.old_review_at

    def test_then_nothing_moves_into_the_past_or_where_nothing_runs(self, tmp_path: Path):
        case = offered()
        case = replace(case, offers=(replace(case.offers[0], offered_at=MONDAY),))
        later = replace(self.later(tmp_path), at=MONDAY + timedelta(days=9))
        for unmoved in (case, offered(), accepted(), reviewed()):
            assert isinstance(reschedule(unmoved, self.CAUSE, later), Unmoved)
