"""A matter under anything that anybody may do, in any order, with time going on: the promises of the domain hold."""

import dataclasses
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from services.followup.domain import arrivals
from services.followup.domain.access import Step, open_steps
from services.followup.domain.arrivals import Acceptance, OfferEnd, Wait
from services.followup.domain.clocks import Stage
from services.followup.domain.decision import Changed, Decision
from services.followup.domain.facts import Closed, Escalated, Supervised, Visited
from services.followup.domain.ladder import climb
from services.followup.domain.matter import DISPATCHING, FINAL, Matter
from services.followup.domain.moment import ActingParty
from services.followup.domain.steps import resolution
from services.followup.domain.steps.answering import OwnAnswer, answered_by_requester
from shared.contracts.vocabulary import MatterState, PartyKind, PendingReason, Role, VisitState
from tests.unit.followup.steps import TAKE
from tests.unit.followup.town import (
    CO,
    COORDINATOR,
    DISPATCH,
    LEAD,
    LIAISON,
    MONDAY,
    OPERATOR,
    OWNER,
    REQUESTER,
    STRANGER,
    SYSTEM,
    Party,
    moment,
    offering,
    registration,
)

NOT_HERE = (Step.MILESTONE, Step.TASK_DONE)
"""Their bodies bring a milestone or a task of their own along."""

CALLERS = (
    LIAISON,
    LEAD,
    CO,
    COORDINATOR,
    ActingParty(Role.COORDINATOR, "C002"),
    STRANGER,
    OPERATOR,
)
OTHER = Party("L002", PartyKind.LIAISON, "李店小二")
WORKED = {
    MatterState.IN_PROGRESS,
    MatterState.ON_HOLD,
    MatterState.SHELVED,
    MatterState.HANDLED,
    MatterState.CLOSED,
}


class MatterMachine(RuleBasedStateMachine):
    """One matter, its history, and a clock that only goes forward."""

    matter: Matter

    def __init__(self) -> None:
        super().__init__()
        self.now = MONDAY
        self.offers = 0
        self.facts: list[tuple[object, ActingParty]] = []
        self.visitor: ActingParty | None = None

    @initialize()
    def open(self) -> None:
        opened = arrivals.open_matter(registration(), moment(SYSTEM, self.now))
        self.matter = opened.matter
        self.facts = [(emitted.fact, emitted.by) for emitted in opened.emitted]

    def keep(self, decision: Decision) -> None:
        """What every handler does: rungs that are due are climbed in the same step."""
        if not isinstance(decision, Changed):
            return
        before = self.matter
        settled = climb(decision.matter, moment(at=self.now), decision.emitted)
        versions = [emitted.matter.version for emitted in settled.emitted]
        assert versions == list(range(before.version + 1, settled.matter.version + 1))
        assert versions, "a change without a fact"
        for emitted in settled.emitted:
            assert (emitted.matter.next_due_at is None) == (emitted.matter.state in FINAL)
        self.facts += [(emitted.fact, emitted.by) for emitted in settled.emitted]
        self.matter = settled.matter

    @rule(hours=st.integers(1, 30), days=st.sampled_from([0, 0, 0, 1, 3, 9, 40]))
    def time_passes(self, hours: int, days: int) -> None:
        """The sweep looks every moment that something is due, as it does within a second."""
        until = self.now + timedelta(days=days, hours=hours)
        for _ in range(200):
            at = self.matter.act_at
            if at is None or at > until:
                break
            self.now = max(at, self.now)
            self.keep(climb(self.matter, moment(at=self.now)))
            assert self.matter.act_at is None or self.matter.act_at > self.now
        self.now = until

    @rule(data=st.data(), caller=st.sampled_from(CALLERS), freely=st.integers(0, 5))
    def somebody_acts(self, data: st.DataObject, caller: ActingParty, freely: int) -> None:
        """Mostly what the state allows to a coordinator, now and then anything at all, by anybody."""
        fitting = [step for step in open_steps(self.matter, COORDINATOR) if step not in NOT_HERE]
        steps = fitting if freely and fitting else [each for each in Step if each not in NOT_HERE]
        step = data.draw(st.sampled_from(steps))
        decision = TAKE[step](self.matter, moment(caller, self.now))
        if step is Step.RETURN_VISIT and isinstance(decision, Changed):
            handling, owner = self.matter.handling, self.matter.owner
            assert handling is not None
            assert owner is not None
            assert caller.party not in (handling.handler.party, owner.id, DISPATCH.lead_department)
        self.keep(decision)

    @precondition(lambda self: self.matter.state in DISPATCHING)
    @rule(party=st.sampled_from([OWNER, OTHER]))
    def somebody_takes_it(self, party: Party) -> None:
        self.routing_offers(party, late=False)
        self.the_party_accepts(stale=False)

    @precondition(lambda self: self.matter.state is MatterState.IN_PROGRESS)
    @rule(caller=st.sampled_from([LIAISON, LEAD, COORDINATOR]))
    def the_work_is_done(self, caller: ActingParty) -> None:
        self.keep(TAKE[Step.HANDLE](self.matter, moment(caller, self.now)))

    @precondition(lambda self: self.matter.state is MatterState.HANDLED)
    @rule(
        reached=st.booleans(),
        solved=st.booleans(),
        satisfaction=st.integers(1, 5),
        caller=st.sampled_from(CALLERS),
    )
    def somebody_visits(
        self, reached: bool, solved: bool, satisfaction: int, caller: ActingParty
    ) -> None:
        said = resolution.ReturnVisit(True, None, solved, satisfaction)
        step = said if reached else resolution.ReturnVisit(False)
        self.keep(resolution.return_visit(self.matter, step, moment(caller, self.now)))

    @rule(solved=st.booleans(), satisfaction=st.integers(1, 5))
    def the_requester_answers(self, solved: bool, satisfaction: int) -> None:
        before, at = self.matter.version, moment(REQUESTER, self.now)
        self.keep(answered_by_requester(self.matter, OwnAnswer(solved, satisfaction), at))
        assert self.matter.version > before, "an acknowledged answer is never dropped"

    @rule(party=st.sampled_from([OWNER, OTHER]), late=st.booleans())
    def routing_offers(self, party: Party, late: bool) -> None:
        self.offers += 1
        news = offering(self.matter.round - late, party, f"offer-{self.offers}")
        timed = dataclasses.replace(
            news.offer, offered_at=self.now, expires_at=self.now + timedelta(hours=2)
        )
        news = dataclasses.replace(news, offer=timed)
        self.keep(arrivals.offer(self.matter, news, moment(SYSTEM, self.now)))

    @rule(stale=st.booleans())
    def the_party_accepts(self, stale: bool) -> None:
        offer = self.matter.offer
        offer_id = offer.offer_id if offer and not stale else "offer-0"
        party = offer.party if offer else OWNER
        news = Acceptance(self.matter.round, offer_id, party, self.now)
        self.keep(arrivals.accept(self.matter, news, moment(LIAISON, self.now)))

    @rule(ended=st.sampled_from(["declined", "timed_out", "rescinded"]))
    def the_offer_ends(self, ended: str) -> None:
        offer = self.matter.offer
        news = OfferEnd(self.matter.round, offer.offer_id if offer else "none", OWNER, ended)
        self.keep(arrivals.end_offer(self.matter, news, moment(SYSTEM, self.now)))

    @precondition(lambda self: self.matter.state in DISPATCHING)
    @rule(hours=st.integers(-2, 30))
    def routing_waits(self, hours: int) -> None:
        review_at = self.now + timedelta(hours=hours)
        news = Wait(self.matter.round, PendingReason.NO_RULE, review_at, DISPATCH)
        self.keep(arrivals.wait(self.matter, news, moment(SYSTEM, self.now)))

    @precondition(lambda self: self.matter.state is MatterState.ON_HOLD)
    @rule()
    def the_requester_adds(self) -> None:
        self.keep(arrivals.amend(self.matter, "又下雨了", moment(REQUESTER, self.now)))

    @rule(sure=st.integers(0, 19))
    def the_requester_withdraws(self, sure: int) -> None:
        if sure == 0:
            self.keep(arrivals.withdraw(self.matter, None, moment(REQUESTER, self.now)))

    @invariant()
    def an_open_matter_has_a_promise_ahead_or_a_breach_that_was_said(self) -> None:
        if self.matter.final:
            assert self.matter.clocks == ()
            return
        due_at = self.matter.next_due_at
        assert due_at is not None
        assert due_at > self.now or self.matter.breached

    @invariant()
    def nothing_is_due_that_nobody_looks_at(self) -> None:
        for clock in self.matter.clocks:
            if not clock.broken and clock.paused_at is None:
                assert clock.act_at is not None
                assert clock.act_at <= clock.due_at

    @invariant()
    def nothing_closes_without_an_answer_or_a_named_exemption(self) -> None:
        if self.matter.state is MatterState.CLOSED:
            visit, closing = self.matter.visit, self.matter.closing
            assert closing is not None
            answered = visit is not None and visit.state is VisitState.DONE
            assert answered or closing.exemption
            granted_by = next(by for fact, by in reversed(self.facts) if isinstance(fact, Closed))
            if closing.exemption:
                assert granted_by.role is Role.COORDINATOR

    @invariant()
    def work_has_an_owner(self) -> None:
        assert self.matter.state not in WORKED or self.matter.owner is not None

    @invariant()
    def clocks_pause_on_hold_alone(self) -> None:
        paused = [clock for clock in self.matter.clocks if clock.paused_at is not None]
        assert not paused or self.matter.state is MatterState.ON_HOLD
        kinds = [clock.kind for clock in self.matter.clocks]
        assert len(kinds) == len(set(kinds))

    @invariant()
    def a_broken_limit_was_said_before_it_rose(self) -> None:
        said: set[tuple[object, object]] = set()
        for fact, by in self.facts:
            if isinstance(fact, Supervised):
                said.add((fact.clock, fact.due_at))
            if isinstance(fact, Escalated):
                assert (fact.clock, fact.due_at) in said
            if isinstance(fact, Supervised | Escalated):
                assert by.role is Role.CLOCK
        for clock in self.matter.clocks:
            assert clock.stage in (Stage.ON_TRACK, Stage.REMINDED) or (
                (clock.kind, clock.due_at) in said
            )

    @invariant()
    def one_answer_a_round(self) -> None:
        """One that staff recorded, and the requester's own, which may be contradicted once by another round."""
        by = [by for fact, by in self.facts if isinstance(fact, Visited) and fact.reached]
        own = [each for each in by if each.role is Role.REQUESTER]
        assert len(by) - len(own) <= self.matter.round
        assert len(own) <= 2 * self.matter.round


TestMatter = pytest.mark.thorough(MatterMachine.TestCase)
TestMatter.settings = settings(max_examples=80, stateful_step_count=40)
