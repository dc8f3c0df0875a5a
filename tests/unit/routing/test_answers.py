"""Answers and rulings: given an offer, when it is answered, then this is what it does."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.answers import (
    Accepted,
    Acting,
    AlreadySettled,
    Declination,
    NotOpen,
    NotYours,
    Objected,
    ObjectionSpent,
    OfferedTo,
    PassedOn,
    SuggestsItself,
    accept,
    answered,
    decline,
    may_answer,
    rule,
)
from services.routing.domain.choice import Verdict
from services.routing.domain.matter import Objection, ObjectionState, Offer
from services.routing.domain.parties import Party
from shared.contracts.vocabulary import (
    Candidacy,
    DeclineReason,
    OfferState,
    PartyKind,
    Role,
    Ruling,
)

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
A = Party("L1", PartyKind.LIAISON, "甲")
ROADS = Party("D-ROAD", PartyKind.DEPARTMENT, "道路科")
HIMSELF = Acting(Role.LIAISON, "L1")


def offer(
    party: Party = A, state: OfferState = OfferState.OFFERED, round_: int = 1, number: int = 1
) -> Offer:
    holding = state in (OfferState.OFFERED, OfferState.ACCEPTED)
    expires_at = NOW + timedelta(hours=2)
    return Offer(
        f"o{number}", "m", round_, number, party, Candidacy.PRIMARY, state, holding, expires_at
    )


def objection(state: ObjectionState = ObjectionState.OPEN, round_: int = 1) -> Objection:
    return Objection(
        "x",
        "m",
        "o1",
        round_,
        A,
        "L2",
        DeclineReason.NOT_OURS,
        None,
        NOW + timedelta(days=1),
        state,
    )


BETTER = Declination(DeclineReason.NOT_OURS, suggested_owner="L2")


class TestGivenAnOpenOffer:
    def test_when_its_party_accepts_in_time_then_it_is_taken(self):
        assert accept(offer(), HIMSELF, NOW) == Accepted()
        assert accept(offer(), HIMSELF, NOW + timedelta(hours=2, seconds=-1)) == Accepted()

    def test_when_time_has_run_out_then_it_is_not_open(self):
        assert accept(offer(), HIMSELF, NOW + timedelta(hours=2)) == NotOpen(OfferState.TIMED_OUT)

    def test_when_it_is_declined_then_it_is_passed_on(self):
        assert decline(offer(), HIMSELF, Declination(DeclineReason.OTHER), (), NOW) == PassedOn()

    def test_when_a_better_owner_is_named_then_a_coordinator_decides(self):
        assert decline(offer(), HIMSELF, BETTER, (), NOW) == Objected("L2")

    def test_when_the_better_owner_is_oneself_then_refused(self):
        itself = Declination(DeclineReason.OTHER, suggested_owner="L1")
        assert decline(offer(), HIMSELF, itself, (), NOW) == SuggestsItself()

    def test_when_one_has_objected_in_this_round_then_not_again_but_in_the_next_round(self):
        before = [objection(ObjectionState.OVERRULED)]
        assert decline(offer(), HIMSELF, BETTER, before, NOW) == ObjectionSpent()
        assert decline(offer(round_=2), HIMSELF, BETTER, before, NOW) == Objected("L2")

    def test_when_another_has_objected_in_this_round_then_one_may_too(self):
        before = [objection(ObjectionState.UPHELD)]
        answering = Acting(Role.DEPARTMENT, "D-ROAD")
        assert decline(offer(ROADS), answering, BETTER, before, NOW) == Objected("L2")


@pytest.mark.parametrize("state", [s for s in OfferState if s is not OfferState.OFFERED])
def test_given_an_offer_that_has_ended_then_nothing_can_be_answered(state: OfferState):
    assert accept(offer(state=state), HIMSELF, NOW) == NotOpen(state)
    assert decline(offer(state=state), HIMSELF, BETTER, (), NOW) == NotOpen(state)


class TestWhoMayAnswer:
    @pytest.mark.parametrize("party", [A, ROADS, Party("DESK", PartyKind.DESK, "台")])
    def test_a_coordinator_answers_for_anybody(self, party: Party):
        assert may_answer(offer(party), Acting(Role.COORDINATOR, "C1"))

    @given(role=st.sampled_from(Role), party=st.sampled_from(["L1", "L2", "D-ROAD", "DESK"]))
    def test_nobody_else_answers_but_for_themselves(self, role: Role, party: str):
        acting = Acting(role, party)
        own = {(Role.LIAISON, "L1"), (Role.DEPARTMENT, "D-ROAD")}
        for made_to in (A, ROADS, Party("DESK", PartyKind.DESK, "台")):
            expected = role is Role.COORDINATOR or ((role, party) in own and party == made_to.id)
            assert may_answer(offer(made_to), acting) is expected
            if not expected:
                assert accept(offer(made_to), acting, NOW) == NotYours()


class TestGivenAnObjection:
    def test_when_upheld_then_to_the_suggested_owner(self):
        assert rule(objection(), Ruling.UPHELD, NOW) == OfferedTo("L2")

    def test_when_overruled_then_back_to_who_objected(self):
        assert rule(objection(), Ruling.OVERRULED, NOW) == OfferedTo("L1")

    @pytest.mark.parametrize("state", [s for s in ObjectionState if s is not ObjectionState.OPEN])
    def test_when_it_is_settled_then_not_again(self, state: ObjectionState):
        assert rule(objection(state), Ruling.UPHELD, NOW) == AlreadySettled(state)

    def test_when_its_review_has_run_out_then_not_any_more(self):
        late = NOW + timedelta(days=1)
        assert rule(objection(), Ruling.UPHELD, late) == AlreadySettled(ObjectionState.LAPSED)


def test_out_of_a_round_are_those_who_declined_or_let_time_run_out_in_it():
    offers = [
        offer(A, OfferState.DECLINED),
        offer(ROADS, OfferState.TIMED_OUT, number=2),
        offer(Party("L2", PartyKind.LIAISON, "乙"), OfferState.RESCINDED, number=3),
        offer(Party("L3", PartyKind.LIAISON, "丙"), OfferState.DECLINED, round_=2, number=4),
    ]
    assert answered(offers, 1) == {"L1": Verdict.DECLINED, "D-ROAD": Verdict.TIMED_OUT}
