"""Answers and rulings: given an offer, when it is answered, then this is what it does."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.answers import (
    Accept,
    Declination,
    Decline,
    RuleObjection,
    accept,
    decline,
    may_answer,
    rule,
)
from services.routing.domain.choice import Verdict
from services.routing.domain.decision import (
    AlreadySettled,
    Changed,
    Decision,
    NoSuchOwner,
    NotOpen,
    NotYours,
    Placing,
    Refused,
    SuggestsItself,
)
from services.routing.domain.facts import Declined, Ruled
from services.routing.domain.holding import answered
from services.routing.domain.matter import Case, Cause, ObjectionState, Offer, RoutingState
from services.routing.domain.moment import Acting
from services.routing.domain.parties import Party
from shared.contracts.vocabulary import (
    Candidacy,
    DeclineReason,
    OfferState,
    PartyKind,
    Role,
    Ruling,
    Urgency,
)
from tests.unit.routing.town import (
    BETTER,
    DESK,
    L1,
    MONDAY,
    NOT_OURS,
    ROADS,
    done,
    moment,
    offered,
    outcome,
    placed,
    reviewed,
    town,
)

A = Party("L1", PartyKind.LIAISON, "L1")
ENDS_AT = MONDAY + timedelta(hours=2)


def made_to(party: Party, state: OfferState = OfferState.OFFERED, number: int = 1) -> Offer:
    return Offer(
        f"o{number}", "m", 1, number, party, Candidacy.PRIMARY, state, holding=False,
        expires_at=ENDS_AT,
    )  # fmt: skip


def changed(decision: Decision) -> Changed:
    assert isinstance(decision, Changed), decision
    return decision


def why(decision: Decision) -> object:
    assert isinstance(decision, Refused), decision
    return decision.why


class TestGivenAnOpenOffer:
    def test_when_its_party_accepts_in_time_then_it_owns_the_matter(self):
        for at in (MONDAY, ENDS_AT - timedelta(seconds=1)):
            case = done(accept(offered(), Accept("o1"), moment(L1, at)))
            assert (case.matter.standing, case.matter.owner_id) == (RoutingState.TAKEN, "L1")
            assert case.offer("o1").state is OfferState.ACCEPTED

    def test_when_time_has_run_out_then_it_is_not_open(self):
        decision = accept(offered(), Accept("o1"), moment(L1, ENDS_AT))
        assert why(decision) == NotOpen(OfferState.TIMED_OUT)

    def test_when_its_limit_is_on_a_day_off_then_it_is_open_until_the_next_opening(self):
        saturday = MONDAY + timedelta(days=5)
        late = with_limit(offered(), saturday)
        assert outcome(accept(late, Accept("o1"), moment(L1, saturday))) == "Accepted"
        opening = MONDAY + timedelta(days=7, minutes=-30)
        assert outcome(accept(late, Accept("o1"), moment(L1, opening))) == "! NotOpen timed_out"
        urgent = with_limit(offered(Urgency.EMERGENCY), saturday)
        assert outcome(accept(urgent, Accept("o1"), moment(L1, saturday))) == "! NotOpen timed_out"

    def test_when_it_is_declined_then_the_party_is_out_of_the_round(self):
        decision = changed(decline(offered(), Decline("o1", NOT_OURS, "x1"), moment(L1)))
        assert decision.placing == Placing(Cause.DECLINED, answered={"L1": Verdict.DECLINED})
        assert placed(decision, "o2").offers[-1].party.id == "L2"

    def test_when_a_better_owner_is_named_then_a_coordinator_decides_within_a_working_day(self):
        case = done(decline(offered(), Decline("o1", BETTER, "x1"), moment(L1)))
        objection = case.objection("x1")
        assert (objection.suggested_owner, objection.note) == ("L3", "归丙管")
        assert case.due_at == objection.review_at == MONDAY + timedelta(days=1, hours=8)

    def test_what_was_given_as_the_reason_is_on_the_offer_and_in_the_fact(self):
        decision = changed(decline(offered(), Decline("o1", BETTER, "x1"), moment(L1)))
        offer, fact = decision.case.offer("o1"), decision.emitted[0].fact
        assert (offer.reason, offer.suggested_owner) == (DeclineReason.NOT_MY_ENTERPRISE, "L3")
        assert fact == Declined(offer, DeclineReason.NOT_MY_ENTERPRISE, "L3", "归丙管")

    def test_when_the_better_owner_is_oneself_or_nobody_then_refused(self):
        itself = Declination(DeclineReason.OTHER, suggested_owner="L1")
        for known in (True, False):
            step = Decline("o1", itself, "x1", owner_known=known)
            assert why(decline(offered(), step, moment(L1))) == SuggestsItself()
        unknown = Decline("o1", BETTER, "x1", owner_known=False)
        assert why(decline(offered(), unknown, moment(L1))) == NoSuchOwner()

    def test_when_another_has_objected_in_this_round_then_one_may_too(self):
        upheld = rule(reviewed(), RuleObjection("x1", Ruling.UPHELD), moment())
        case = placed(upheld, "o2")
        back = Declination(DeclineReason.NOT_OURS, suggested_owner="L2")
        decision = decline(case, Decline("o2", back, "x2"), moment(Acting(Role.LIAISON, "L3")))
        assert outcome(decision) == "Declined Objected ReviewAwaited"


def with_limit(case: Case, expires_at) -> Case:
    return replace(case, offers=(replace(case.offers[0], expires_at=expires_at),))


class TestWhoMayAnswer:
    @pytest.mark.parametrize("party", [A, ROADS, DESK])
    def test_a_coordinator_answers_for_anybody(self, party: Party):
        assert may_answer(made_to(party), Acting(Role.COORDINATOR, "C1"))

    @given(role=st.sampled_from(Role), party=st.sampled_from(["L1", "L2", "D-ROAD", "DESK"]))
    def test_nobody_else_answers_but_for_themselves(self, role: Role, party: str):
        acting = Acting(role, party)
        own = {(Role.LIAISON, "L1"), (Role.DEPARTMENT, "D-ROAD")}
        for made in (A, ROADS, DESK):
            expected = role is Role.COORDINATOR or ((role, party) in own and party == made.id)
            assert may_answer(made_to(made), acting) is expected
            if not expected:
                case = replace(offered(), offers=(made_to(made),))
                decision = accept(case, Accept("o1"), moment(acting))
                assert why(decision) == NotYours()

    def test_a_refusal_names_who_has_the_matter(self):
        decision = accept(offered(), Accept("o1"), moment(Acting(Role.LIAISON, "L2")))
        assert isinstance(decision, Refused)
        assert decision.holder == offered().holding == decision.offer


class TestGivenAnObjection:
    @pytest.mark.parametrize(
        ("ruling", "state", "party"),
        [
            (Ruling.UPHELD, ObjectionState.UPHELD, "L3"),
            (Ruling.OVERRULED, ObjectionState.OVERRULED, "L1"),
        ],
    )
    def test_when_upheld_then_to_whom_it_named_and_when_overruled_back(self, ruling, state, party):
        decision = changed(rule(reviewed(), RuleObjection("x1", ruling, "已核"), moment()))
        ruled = decision.case.objection("x1")
        assert (ruled.state, ruled.ruled_by, ruled.ruling_note) == (state, "C001", "已核")
        assert decision.emitted[0].fact == Ruled(ruled, ruling, "已核")
        offer = placed(decision, "o2").offers[-1]
        assert (offer.party.id, offer.candidacy) == (party, Candidacy.RULED)

    def test_when_whom_it_named_is_away_then_to_the_next_who_has_not_answered(self):
        decision = rule(reviewed(), RuleObjection("x1", Ruling.UPHELD), moment())
        assert placed(decision, "o2", town(away={"L3": None})).offers[-1].party.id == "L2"

    def test_when_its_review_has_run_out_then_not_any_more(self):
        late = MONDAY + timedelta(days=1, hours=8)
        decision = rule(reviewed(), RuleObjection("x1", Ruling.UPHELD), moment(at=late))
        assert why(decision) == AlreadySettled(ObjectionState.LAPSED)

    def test_an_objection_of_another_matter_is_a_mistake_of_the_caller(self):
        with pytest.raises(LookupError):
            rule(offered(), RuleObjection("x1", Ruling.UPHELD), moment())


def test_out_of_a_round_are_those_who_declined_or_let_time_run_out_in_it():
    offers = [
        made_to(A, OfferState.DECLINED),
        made_to(ROADS, OfferState.TIMED_OUT, 2),
        made_to(Party("L2", PartyKind.LIAISON, "乙"), OfferState.RESCINDED, 3),
        replace(made_to(Party("L3", PartyKind.LIAISON, "丙"), OfferState.DECLINED, 4), round=2),
    ]
    assert answered(offers, 1) == {"L1": Verdict.DECLINED, "D-ROAD": Verdict.TIMED_OUT}
