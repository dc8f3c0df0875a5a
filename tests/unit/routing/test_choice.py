"""Whom a matter is offered to: given a town and a matter, when somebody is chosen, then it is this one, and why."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.choice import Choice, Need, Verdict, choose, choose_each
from services.routing.domain.parties import Away, Liaison, Party, Ties, Town
from shared.contracts.vocabulary import Candidacy, PartyKind

UNTIL = datetime(2026, 3, 6, tzinfo=UTC)
DESK = Party("DESK", PartyKind.DESK, "镇级兜底受理台")
ROADS = Party("D-ROAD", PartyKind.DEPARTMENT, "道路科")
FIRE = Party("D-FIRE", PartyKind.DEPARTMENT, "消防站")
IDS = ("L1", "L2", "L3", "L4", "L5")


def town(*, away: dict[str, str | None] | None = None, capacity: int = 10) -> Town:
    """Five liaisons and two departments; `away` names who is absent and whom they left in their place."""
    liaisons = {
        name: Liaison(Party(name, PartyKind.LIAISON, name), ROADS.id, capacity) for name in IDS
    }
    absences = {name: Away(UNTIL, deputy) for name, deputy in (away or {}).items()}
    return Town(liaisons, absences, {ROADS.id: ROADS, FIRE.id: FIRE}, DESK)


TIED = Need(ties=Ties("L1", ("L2",)), lead_department="D-ROAD")


def steps(choice: Choice) -> list[tuple[str, str, str]]:
    return [(one.party.id, one.candidacy, one.verdict) for one in choice.considered]


class TestGivenATie:
    def test_when_all_are_there_then_the_primary_and_the_others_are_not_reached(self):
        choice = choose(TIED, town(), {})
        assert (choice.party.id, choice.candidacy) == ("L1", Candidacy.PRIMARY)
        assert steps(choice) == [
            ("L1", "primary", "taken"),
            ("L2", "deputy", "not_reached"),
            ("D-ROAD", "department_desk", "not_reached"),
            ("DESK", "fallback_desk", "not_reached"),
        ]

    def test_when_the_primary_is_away_then_the_deputy_and_it_is_said_until_when(self):
        choice = choose(TIED, town(away={"L1": None}), {})
        assert choice.party.id == "L2"
        assert (choice.considered[0].verdict, choice.considered[0].until) == (Verdict.ABSENT, UNTIL)

    def test_when_the_absence_names_somebody_then_they_come_before_the_tie_s_deputy(self):
        choice = choose(TIED, town(away={"L1": "L3"}), {})
        assert (choice.party.id, choice.candidacy) == ("L3", Candidacy.DEPUTY)

    def test_when_the_stand_in_is_away_too_then_whom_that_one_named(self):
        assert choose(TIED, town(away={"L1": "L3", "L3": "L4"}), {}).party.id == "L4"

    def test_when_stand_ins_name_one_another_then_the_tie_s_deputy(self):
        choice = choose(TIED, town(away={"L1": "L3", "L3": "L1"}), {})
        assert choice.party.id == "L2"

    def test_when_all_persons_are_away_then_the_lead_department(self):
        choice = choose(TIED, town(away={"L1": "L2", "L2": None}), {})
        assert (choice.party.id, choice.candidacy) == ("D-ROAD", Candidacy.DEPARTMENT_DESK)

    def test_when_the_primary_is_full_then_the_deputy(self):
        choice = choose(TIED, town(capacity=3), {"L1": 3, "L2": 2})
        assert choice.party.id == "L2"
        assert choice.considered[0].verdict is Verdict.AT_CAPACITY

    def test_when_somebody_answered_in_this_round_then_not_again(self):
        need = Need(
            ties=Ties("L1", ("L2",)),
            lead_department="D-ROAD",
            answered={"L1": Verdict.DECLINED, "L2": Verdict.TIMED_OUT, "D-ROAD": Verdict.DECLINED},
        )
        choice = choose(need, town(), {})
        assert choice.party is DESK
        assert [one.verdict for one in choice.considered] == [
            Verdict.DECLINED, Verdict.TIMED_OUT, Verdict.DECLINED, Verdict.TAKEN,
        ]  # fmt: skip


class TestGivenAnEarlierOwnerOrARuling:
    def test_when_reopened_then_the_same_liaison_comes_first(self):
        need = Need(ties=Ties("L1"), lead_department="D-ROAD", returning="L4")
        assert choose(need, town(), {}).candidacy is Candidacy.RETURNING
        assert choose(need, town(away={"L4": None}), {}).party.id == "L1"
        assert choose(need, town(capacity=1), {"L4": 1}).party.id == "L1"

    def test_when_ruled_then_capacity_and_an_earlier_answer_do_not_count_but_absence_does(self):
        need = Need(ties=Ties("L1"), ruled="L3", answered={"L3": Verdict.DECLINED})
        assert choose(need, town(capacity=1), {"L3": 1}).candidacy is Candidacy.RULED
        assert choose(need, town(away={"L3": None}), {}).party.id == "L1"

    def test_when_ruled_to_a_department_then_its_desk(self):
        choice = choose(Need(ties=Ties("L1"), ruled="D-FIRE"), town(), {})
        assert (choice.party.id, choice.candidacy) == ("D-FIRE", Candidacy.RULED)

    def test_when_ruled_to_the_fallback_desk_then_there(self):
        need = Need(ruled="DESK", answered={"DESK": Verdict.TIMED_OUT})
        assert choose(need, town(), {}).party is DESK

    def test_when_the_primary_returns_then_it_is_looked_at_once(self):
        choice = choose(Need(ties=Ties("L1"), returning="L1"), town(), {})
        assert [one.party.id for one in choice.considered] == ["L1", "DESK"]


class TestGivenNobody:
    def test_when_there_is_no_tie_then_the_department(self):
        assert choose(Need(lead_department="D-FIRE"), town(), {}).party is FIRE

    def test_when_there_is_no_rule_either_then_the_fallback_desk(self):
        assert choose(Need(), town(), {}).candidacy is Candidacy.FALLBACK_DESK

    def test_when_the_fallback_desk_let_it_lie_then_it_is_asked_again(self):
        need = Need(answered={"DESK": Verdict.TIMED_OUT})
        assert choose(need, town(), {}).party is DESK

    def test_when_a_tie_names_somebody_who_is_not_there_then_the_next(self):
        choice = choose(Need(ties=Ties("L-GONE"), lead_department="D-ROAD"), town(), {})
        assert steps(choice)[0] == ("L-GONE", "primary", "unknown")
        assert choice.party is ROADS


def test_a_batch_fills_a_liaison_up_and_goes_on():
    choices = choose_each([TIED] * 5, town(capacity=2), {"L1": 1})
    assert [choice.party.id for choice in choices] == ["L1", "L2", "L2", "D-ROAD", "D-ROAD"]


names = st.sampled_from(IDS)
maybe = st.none() | names
needs = st.builds(
    Need,
    ties=st.builds(Ties, maybe, st.lists(names, max_size=3, unique=True).map(tuple)),
    lead_department=st.none() | st.sampled_from(["D-ROAD", "D-FIRE"]),
    ruled=st.none() | st.sampled_from([*IDS, "D-ROAD", "DESK", "L-GONE"]),
    returning=maybe,
    answered=st.dictionaries(
        st.sampled_from([*IDS, "D-ROAD", "D-FIRE", "DESK"]),
        st.sampled_from([Verdict.DECLINED, Verdict.TIMED_OUT]),
    ),
)
absences = st.dictionaries(names, maybe)
loads = st.dictionaries(names, st.integers(0, 4))


@given(need=needs, away=absences, load=loads)
def test_never_an_absent_person_and_never_nobody(need: Need, away, load):
    place = town(away=away, capacity=3)
    choice = choose(need, place, load)
    assert choice.party.id not in away
    assert choice.party.id in {*IDS, "D-ROAD", "D-FIRE", "DESK"}
    if choice.party.kind is PartyKind.LIAISON and choice.candidacy is not Candidacy.RULED:
        assert load.get(choice.party.id, 0) < 3
        assert choice.party.id not in (need.answered or {})


@given(need=needs, away=absences, load=loads)
def test_every_candidate_is_looked_at_once_in_the_order_of_choice(need: Need, away, load):
    choice = choose(need, town(away=away, capacity=3), load)
    ids = [one.party.id for one in choice.considered]
    assert len(ids) == len(set(ids))
    assert ids[-1] == "DESK"
    taken = [one for one in choice.considered if one.verdict is Verdict.TAKEN]
    assert [(one.party, one.candidacy) for one in taken] == [(choice.party, choice.candidacy)]
    at = choice.considered.index(taken[0])
    assert all(one.verdict is Verdict.NOT_REACHED for one in choice.considered[at + 1 :])
    assert not any(one.verdict is Verdict.NOT_REACHED for one in choice.considered[:at])
    order = list(Candidacy)
    named = [one for one in choice.considered if one.candidacy is not Candidacy.DEPUTY]
    assert [order.index(one.candidacy) for one in named] == sorted(
        order.index(one.candidacy) for one in named
    )


@given(needs=st.lists(needs, max_size=12), away=absences, load=loads)
def test_a_batch_never_gives_more_than_the_capacity_but_by_a_ruling(needs, away, load):
    choices = choose_each(needs, town(away=away, capacity=3), load)
    given_away = dict(load)
    for choice in choices:
        if choice.party.kind is PartyKind.LIAISON:
            if choice.candidacy is not Candidacy.RULED:
                assert given_away.get(choice.party.id, 0) < 3
            given_away[choice.party.id] = given_away.get(choice.party.id, 0) + 1
