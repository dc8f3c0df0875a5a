"""Matters under anything that anybody may do, in any order, with time going on: routing's promises hold."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.routing.domain import answers, correcting, expiry, rounds
from services.routing.domain.answers import Accept, Declination, Decline, RuleObjection
from services.routing.domain.decision import Changed, Decision, Emitted
from services.routing.domain.facts import Offered
from services.routing.domain.matter import Case, ObjectionState, RoutingState
from services.routing.domain.moment import CLOCK, ROUTING, Acting
from services.routing.domain.placing import place_each
from services.routing.domain.rounds import RESCINDED_BY, Reopening
from services.routing.handlers.changes.change import Change, queue_entries
from services.routing.handlers.events import event_of
from shared.contracts.vocabulary import (
    Candidacy,
    DeclineReason,
    MatterState,
    OfferState,
    PartyKind,
    Role,
    Ruling,
    Urgency,
)
from tests.unit.routing.town import (
    COORDINATOR,
    IDS,
    MONDAY,
    SYSTEM,
    agrees,
    moment,
    request,
    town,
    wanted,
)

CAPACITY = 2
CALLERS = (
    *(Acting(Role.LIAISON, party) for party in IDS),
    Acting(Role.DEPARTMENT, "D-ROAD"),
    Acting(Role.OPERATOR, "L1"),
    *[COORDINATOR] * 10,
)
"""Mostly who may."""

OWNERS = (None, None, "L1", "L2", "L3", "L3", "D-ROAD", "L9")
MATTERS = st.integers(0, 2)
OPEN_STATES = tuple(state for state in MatterState if state not in RESCINDED_BY)


class RoutingMachine(RuleBasedStateMachine):
    """A few matters of one firm in a small town, and a clock that only goes forward."""

    def __init__(self) -> None:
        super().__init__()
        self.now = MONDAY
        self.cases: dict[int, Case] = {}
        self.away: dict[str, str | None] = {}
        self.load: Counter[str] = Counter()
        self.ids = 0

    def new_id(self, kind: str) -> str:
        self.ids += 1
        return f"{kind}{self.ids}"

    @initialize(urgencies=st.lists(st.sampled_from(Urgency), min_size=3, max_size=3))
    def register(self, urgencies: list[Urgency]) -> None:
        """All in one batch, as routing meets them."""
        opened = [
            rounds.register(f"m{number}", request(urgency), moment(SYSTEM))
            for number, urgency in enumerate(urgencies)
        ]
        self.keep(dict(enumerate(opened)))

    def keep(self, decisions: dict[int, Decision]) -> None:
        """What every handler does with the decisions of a batch: place, then write what changed."""
        steps = {n: step for n, step in decisions.items() if isinstance(step, Changed)}
        there = town(self.away, CAPACITY)
        placing = {n: step for n, step in steps.items() if step.placing is not None}
        for number, step in placing.items():
            self.count(Change(self.cases.get(number), step))
        held = Counter(self.load)
        each = [wanted(step, self.new_id("o"), there) for step in placing.values()]
        made = place_each(each, there, held, moment(ROUTING, self.now))
        for number, step in zip(placing, made, strict=True):
            emitted = step.emitted[-1]
            assert isinstance(emitted.fact, Offered)
            self.is_fair(self.cases.get(number), emitted, held)
            self.load[emitted.fact.offer.party.id] += 1
            held[emitted.fact.offer.party.id] += 1
            steps[number] = step
        for number, step in steps.items():
            if number not in placing:
                self.count(Change(self.cases[number], step))
            self.write(number, step)

    def count(self, change: Change) -> None:
        for entry in queue_entries(change):
            self.load[entry.party] += entry.load

    def is_fair(self, before: Case | None, emitted: Emitted, held: Counter[str]) -> None:
        """Nobody absent, nobody beyond their capacity or who answered in the round, but by a ruling or as the desk."""
        assert isinstance(emitted.fact, Offered)
        offer = emitted.fact.offer
        assert offer.party.id not in self.away
        if offer.candidacy in (Candidacy.RULED, Candidacy.FALLBACK_DESK):
            return
        if offer.party.kind is PartyKind.LIAISON:
            assert held[offer.party.id] < CAPACITY
        if before is None or emitted.matter.round > before.matter.round:
            return
        assert before.matter.standing is not RoutingState.ENDED or emitted.fact.cause == "unmerged"
        if emitted.fact.cause != "unmerged":
            assert offer.party.id not in answers_of(before)

    def write(self, number: int, step: Changed) -> None:
        before = self.cases.get(number)
        start = 0 if before is None else before.matter.version
        versions = [each.matter.version for each in step.emitted]
        assert versions == list(range(start + 1, step.matter.version + 1))
        for each in step.emitted:
            event_of(each)
        if before is not None:
            assert [each.id for each in step.case.offers][: len(before.offers)] == [
                each.id for each in before.offers
            ]
        self.cases[number] = step.case

    @rule(hours=st.integers(1, 4), days=st.sampled_from([0, 0, 0, 0, 1, 2]))
    def time_passes(self, hours: int, days: int) -> None:
        """The sweep looks whenever something is due; on a day off what rests waits for the next opening."""
        until = self.now + timedelta(days=days, hours=hours)
        while True:
            due = {
                number: expiry.acts_at(case, moment(CLOCK, max(self.now, case.due_at)))
                for number, case in self.cases.items()
                if case.due_at is not None and case.due_at < until
            }
            at = min(due.values(), default=until)
            if at >= until:
                break
            self.now = at
            self.keep(
                {
                    number: expiry.run_out(self.cases[number], moment(CLOCK, at))
                    for number, its in due.items()
                    if its == at
                }
            )
        self.now = until

    @rule(number=MATTERS, caller=st.sampled_from(CALLERS), back=st.sampled_from([0, 0, 0, 1]))
    def somebody_accepts(self, number: int, caller: Acting, back: int) -> None:
        """Mostly the latest offer, now and then one before it."""
        case = self.cases[number]
        step = Accept(case.offers[max(0, len(case.offers) - 1 - back)].id)
        self.keep({number: answers.accept(case, step, moment(caller, self.now))})

    @rule(number=MATTERS, caller=st.sampled_from(CALLERS), owner=st.sampled_from(OWNERS))
    def somebody_declines(self, number: int, caller: Acting, owner: str | None) -> None:
        case = self.cases[number]
        declination = Declination(DeclineReason.NOT_OURS, owner)
        step = Decline(case.offers[-1].id, declination, self.new_id("x"), owner != "L9")
        decision = answers.decline(case, step, moment(caller, self.now))
        if isinstance(decision, Changed):
            assert answers.may_answer(case.offers[-1], caller)
            assert owner != "L9"
        self.keep({number: decision})

    @precondition(lambda self: any(case.objections for case in self.cases.values()))
    @rule(data=st.data(), ruling=st.sampled_from(Ruling))
    def a_coordinator_rules(self, data: st.DataObject, ruling: Ruling) -> None:
        """Any objection, also one that is ruled already."""
        raised = [(n, each) for n, case in self.cases.items() for each in case.objections]
        number, objection = data.draw(st.sampled_from(raised))
        step = RuleObjection(objection.id, ruling)
        decision = answers.rule(self.cases[number], step, moment(COORDINATOR, self.now))
        assert not isinstance(decision, Changed) or objection.state is ObjectionState.OPEN
        self.keep({number: decision})

    @rule(party=st.sampled_from(IDS), deputy=st.sampled_from([None, *IDS]))
    def an_absence_begins(self, party: str, deputy: str | None) -> None:
        self.away[party] = None if deputy == party else deputy
        at = moment(CLOCK, self.now)
        self.keep({n: expiry.pass_on(case, self.away, at) for n, case in self.cases.items()})

    @rule(party=st.sampled_from(IDS))
    def an_absence_ends(self, party: str) -> None:
        self.away.pop(party, None)

    @rule(number=MATTERS, later=st.sampled_from([0, 1, 1]))
    def another_round_begins(self, number: int, later: int) -> None:
        case = self.cases[number]
        step = Reopening(case.matter.round + later)
        self.keep({number: rounds.reopen(case, step, moment(COORDINATOR, self.now))})

    @rule(number=MATTERS, state=st.sampled_from([*RESCINDED_BY]), sure=st.booleans())
    def the_matter_ends(self, number: int, state: MatterState, sure: bool) -> None:
        if sure:
            at = moment(COORDINATOR, self.now)
            self.keep({number: rounds.end(self.cases[number], RESCINDED_BY[state], at)})

    @precondition(lambda self: any(ended(case) for case in self.cases.values()))
    @rule(state=st.sampled_from(MatterState))
    def it_is_unmerged(self, state: MatterState) -> None:
        number = next(number for number, case in self.cases.items() if ended(case))
        self.keep({number: rounds.restore(self.cases[number], state)})

    @rule(number=MATTERS)
    def it_is_merged_by_mistake(self, number: int) -> None:
        before, at = self.cases[number], moment(COORDINATOR, self.now)
        self.keep({number: rounds.end(before, RESCINDED_BY[MatterState.MERGED], at)})
        self.keep({number: rounds.restore(self.cases[number], MatterState.IN_PROGRESS)})
        if before.matter.standing is RoutingState.TAKEN:
            assert self.cases[number] == before, "who had it has it again"

    @rule(number=MATTERS, state=st.sampled_from(OPEN_STATES))
    def its_row_is_corrected(self, number: int, state: MatterState) -> None:
        at = moment(ROUTING, self.now)
        case = self.cases[number]
        decision = correcting.correct(case, state, at)
        if not ended(case) and state is not MatterState.AWAITING_DISPATCH:
            assert decision == Changed(case), "a right row stays as it is"
        self.keep({number: decision})

    @invariant()
    def never_two_offers_and_never_nobody(self) -> None:
        for case in self.cases.values():
            holding = [each for each in case.offers if each.holding]
            reviews = [each for each in case.objections if each.state is ObjectionState.OPEN]
            # Offered, accepted or under review: exactly one of them while the matter is open, and none afterwards.
            assert len(holding) + len(reviews) == (0 if ended(case) else 1)
            open_offers = [each for each in case.offers if each.state is OfferState.OFFERED]
            assert len(open_offers) <= 1
            agrees(case, wanted=False)

    @invariant()
    def what_waits_has_a_moment_ahead_or_rests_until_one(self) -> None:
        for case in self.cases.values():
            waits = case.matter.standing in (RoutingState.OFFERED, RoutingState.WAITING)
            assert waits is (case.due_at is not None)
            if case.due_at is not None:
                at = max(self.now, case.due_at)
                assert expiry.acts_at(case, moment(CLOCK, at)) >= self.now

    @invariant()
    def nobody_absent_is_offered_anything(self) -> None:
        for case in self.cases.values():
            holding = case.holding
            if holding is not None and holding.state is OfferState.OFFERED:
                assert holding.party.id not in self.away

    @invariant()
    def one_objection_of_a_party_a_round(self) -> None:
        for case in self.cases.values():
            raised = [(each.round, each.raised_by.id) for each in case.objections]
            assert len(raised) == len(set(raised))

    @invariant()
    def the_offers_of_a_round_are_counted_from_one(self) -> None:
        for case in self.cases.values():
            counted = Counter(each.round for each in case.offers)
            for round_, count in counted.items():
                attempts = [each.attempt for each in case.offers if each.round == round_]
                assert attempts == list(range(1, count + 1))
            assert case.matter.attempt == counted[case.matter.round]

    @invariant()
    def loads_are_what_is_held(self) -> None:
        held = Counter(
            each.party.id for case in self.cases.values() for each in case.offers if each.holding
        )
        assert held == +self.load
        assert min(self.load.values(), default=0) >= 0


def ended(case: Case) -> bool:
    return case.matter.standing is RoutingState.ENDED


def answers_of(case: Case) -> set[str]:
    """Who declined or let time run out in the case's round."""
    out = (OfferState.DECLINED, OfferState.TIMED_OUT)
    return {
        each.party.id
        for each in case.offers
        if each.round == case.matter.round and each.state in out
    }


TestRouting = pytest.mark.thorough(RoutingMachine.TestCase)
TestRouting.settings = settings(max_examples=100, stateful_step_count=40)
