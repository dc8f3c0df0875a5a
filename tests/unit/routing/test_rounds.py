"""Where a matter begins and ends with routing: registrations, new rounds, ends, unmergings and corrections."""

from dataclasses import replace

import pytest

from services.routing.domain import rounds
from services.routing.domain.correcting import correct
from services.routing.domain.decision import Changed, Decision, Placing, Unmoved
from services.routing.domain.matter import Case, Cause, ObjectionState, RoutingState
from services.routing.domain.moment import ROUTING
from services.routing.domain.parties import Party
from services.routing.domain.rounds import RESCINDED_BY, Reopening
from shared.contracts.vocabulary import MatterState, OfferState, PartyKind, RescindReason
from tests.unit.routing.town import (
    COORDINATOR,
    FIRM,
    SYSTEM,
    accepted,
    again,
    alone,
    completed,
    done,
    moment,
    moot,
    offered,
    placed,
    request,
    reviewed,
    taken_back,
    town,
)


def placing(decision: Decision) -> Placing | None:
    assert isinstance(decision, Changed), decision
    return decision.placing


def test_a_registration_asks_the_catalogue_and_finds_the_primary():
    decision = rounds.register("m", request(), moment(SYSTEM))
    assert decision.placing == Placing(Cause.REGISTERED, decide_anew=True)
    case = placed(decision, "o1")
    assert (case.matter.version, case.matter.attempt, case.offers[0].party.id) == (1, 1, "L1")
    assert (case.matter.dispatched.rule_id, case.matter.park) == ("R01", FIRM.park)


class TestGivenAnotherRound:
    def test_then_who_had_it_is_free_and_looked_at_first(self):
        decision = rounds.reopen(accepted(), Reopening(2), moment())
        assert placing(decision) == Placing(Cause.REOPENED, decide_anew=True, returning="L1")
        case = placed(decision, "o2")
        assert [(each.party.id, each.holding) for each in case.offers] == [
            ("L1", False),
            ("L1", True),
        ]
        assert case.offers[-1].candidacy == "returning"
        assert (case.matter.round, case.matter.attempt) == (2, 1)

    def test_then_whom_followup_names_counts_and_a_desk_does_not(self):
        for party, returning in (
            (Party("L2", PartyKind.LIAISON, "乙"), "L2"),
            (Party("D-ROAD", PartyKind.DEPARTMENT, "道路科"), None),
        ):
            decision = rounds.reopen(accepted(), Reopening(2, party), moment())
            found = placing(decision)
            assert found is not None
            assert found.returning == returning

    def test_then_an_open_offer_is_taken_back_by_whoever_reopened(self):
        decision = rounds.reopen(offered(), Reopening(2), moment())
        assert isinstance(decision, Changed)
        assert decision.case.offer("o1").reason is RescindReason.REDIRECTED
        assert decision.emitted[0].by == COORDINATOR

    def test_then_an_objection_loses_its_matter(self):
        decision = rounds.reopen(reviewed(), Reopening(2), moment())
        assert isinstance(decision, Changed)
        assert decision.case.objection("x1").state is ObjectionState.MOOT

    def test_then_a_round_that_has_begun_does_not_begin_again(self):
        for round_ in (1, 2):
            assert isinstance(rounds.reopen(again(), Reopening(round_), moment()), Unmoved)


class TestGivenAnEnd:
    def test_then_who_accepted_is_free_and_nothing_is_said(self):
        case = completed()
        assert (case.matter.standing, case.matter.offer_id) == (RoutingState.ENDED, None)
        assert (case.offer("o1").state, case.offer("o1").holding) == (OfferState.ACCEPTED, False)
        assert case.matter.version == accepted().matter.version

    def test_then_an_open_offer_is_taken_back_for_that_reason(self):
        case = taken_back()
        assert case.offer("o1").reason is RescindReason.WITHDRAWN
        assert case.matter.version == offered().matter.version + 1

    def test_then_an_objection_loses_its_matter(self):
        assert moot().objection("x1").state is ObjectionState.MOOT


class TestGivenAnUnmerging:
    def test_then_who_had_it_has_it_again(self):
        case = done(rounds.restore(completed(), MatterState.IN_PROGRESS))
        assert case == replace(accepted(), matter=case.matter)
        assert (case.matter.standing, case.matter.owner_id) == (RoutingState.TAKEN, "L1")

    def test_then_an_acceptance_that_followup_had_not_heard_of_counts_for_nothing(self):
        decision = rounds.restore(completed(), MatterState.AWAITING_DISPATCH)
        assert placing(decision) == Placing(Cause.UNMERGED)
        assert placed(decision, "o2").offers[0].holding is False

    def test_then_what_nobody_had_is_offered_anew(self):
        for case in (taken_back(), moot()):
            decision = rounds.restore(case, MatterState.AWAITING_DISPATCH)
            assert placed(decision, "o2").offers[-1].party.id == "L1"

    @pytest.mark.parametrize("state", RESCINDED_BY)
    def test_then_what_has_ended_all_the_same_stays_so(self, state: MatterState):
        assert isinstance(rounds.restore(completed(), state), Unmoved)


class TestGivenACorrection:
    @pytest.mark.parametrize("state", RESCINDED_BY)
    def test_of_what_has_ended_then_nobody_has_it(self, state: MatterState):
        for case in (offered(), accepted(), reviewed(), completed()):
            corrected = done(correct(case, state, moment(ROUTING)))
            assert corrected.matter.standing is RoutingState.ENDED
            assert (corrected.holding, corrected.open_objection) == (None, None)

    @pytest.mark.parametrize("standing", RoutingState)
    def test_of_a_wrong_row_then_who_has_the_latest_offer_has_it(self, standing: RoutingState):
        for right in (offered(), accepted(), reviewed()):
            wrong = replace(right, matter=replace(right.matter, standing=standing, offer_id=None))
            assert done(correct(wrong, MatterState.IN_PROGRESS, moment(ROUTING))) == right

    def test_of_a_round_without_offers_then_it_begins(self):
        case = Case(replace(again().matter, attempt=0))
        decision = correct(case, MatterState.AWAITING_DISPATCH, moment(ROUTING))
        assert placing(decision) == Placing(
            Cause.REOPENED, decide_anew=True, returning="L1", answered={}
        )

    def test_of_an_acceptance_without_effect_then_it_counts_no_longer(self):
        decision = correct(alone(accepted()), MatterState.AWAITING_DISPATCH, moment(ROUTING))
        case = placed(decision, "o2", town())
        assert [each.holding for each in case.offers] == [False, True]
