"""Several matters of one firm under every step in any order: no step takes a breach, a count or a promise away."""

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.followup.domain import arrivals
from services.followup.domain.access import Step
from services.followup.domain.arrivals import Acceptance
from services.followup.domain.decision import Changed, Decision
from services.followup.domain.facts import Extended, Handled
from services.followup.domain.ladder import climb, overtaken
from services.followup.domain.matter import DISPATCHING, WORKING, Matter
from services.followup.domain.moment import ActingParty, Moment
from services.followup.domain.steps import links, resolution, work
from shared.contracts.vocabulary import ClockKind, MatterState, Role
from tests.unit.followup.steps import TAKE
from tests.unit.followup.town import (
    CO,
    COORDINATOR,
    LEAD,
    LIAISON,
    MONDAY,
    OWNER,
    REQUESTER,
    STRANGER,
    SYSTEM,
    moment,
    offering,
    registration,
)

IDS = ("request-1", "request-2", "request-3")
CALLERS = (LIAISON, LIAISON, LEAD, CO, COORDINATOR, COORDINATOR, STRANGER)
PLAIN = tuple(
    each
    for each in Step
    if each
    not in (
        Step.MERGE, Step.UNMERGE, Step.REJECT, Step.EXTEND, Step.HOLD, Step.SHELVE, Step.MILESTONE,
        Step.TASK_DONE,
    )
)  # fmt: skip
DAYS = st.sampled_from([0.01, 1, 3, 9, 29, 31, 100, 179, 181, 300, 366, 700])


class TruthMachine(RuleBasedStateMachine):
    """What the handlers do, with the firm's matters in memory and a clock that only goes forward."""

    def __init__(self) -> None:
        super().__init__()
        self.now = MONDAY
        self.matters: dict[str, Matter] = {}
        self.offers = 0
        self.on_hold: dict[str, timedelta] = defaultdict(timedelta)
        self.on_shelf: dict[str, timedelta] = defaultdict(timedelta)
        self.own: dict[tuple[str, int, ClockKind], int] = defaultdict(int)

    @initialize()
    def open(self) -> None:
        for each in IDS:
            self.matters[each] = arrivals.open_matter(
                registration(each), moment(SYSTEM, self.now)
            ).matter

    def at(self, by: ActingParty) -> Moment:
        return moment(by, self.now)

    def keep(self, matter_id: str, by: ActingParty, decide) -> bool:
        """One step as a handler takes it: what ran out first, then the step, then what is due; whether it was taken."""
        before = self.matters[matter_id]
        late = {
            (clock.kind, before.round, clock.due_at)
            for clock in before.clocks
            if not clock.paused_at and clock.due_at < self.now
            if clock.kind is not ClockKind.RESUME
        }
        first = overtaken(before, self.at(by))
        decision: Decision = decide(first.matter, self.at(by))
        if not isinstance(decision, Changed):
            return False
        settled = climb(decision.matter, self.at(by), first.emitted + decision.emitted)
        self.compare(before, settled, late)
        self.matters[matter_id] = settled.matter
        return True

    def compare(self, before: Matter, settled: Changed, late: set) -> None:
        after = settled.matter
        versions = [emitted.matter.version for emitted in settled.emitted]
        assert versions == list(range(before.version + 1, after.version + 1))
        assert after.breaches[: len(before.breaches)] == before.breaches
        assert after.extensions[: len(before.extensions)] == before.extensions
        assert after.round >= before.round
        assert after.held_s >= before.held_s
        assert after.shelved_s >= before.shelved_s
        on_record = {(each.clock, each.round, each.due_at) for each in after.breaches}
        assert late <= on_record, "a step took a breach away"
        for emitted in settled.emitted:
            if isinstance(emitted.fact, Handled):
                missed = any(
                    kind is ClockKind.HANDLE and round_ == before.round
                    for kind, round_, _ in on_record
                )
                assert emitted.fact.on_time == (not missed)
            if isinstance(emitted.fact, Extended) and emitted.by.role is not Role.COORDINATOR:
                key = (after.id, before.round, emitted.fact.clock)
                self.own[key] += 1
                assert self.own[key] == 1, "a second extension without leave"
                if emitted.fact.clock not in (ClockKind.RESUME, ClockKind.REVIEW):
                    moved = emitted.fact.new_due_at - emitted.fact.old_due_at
                    assert moved <= timedelta(days=30)

    @rule(days=st.sampled_from([0, 0, 0, 1, 3, 9, 40, 200]), minutes=st.integers(0, 600))
    def time_passes(self, days: int, minutes: int) -> None:
        """With a sweep that looks at each matter when something is due, or that was away all the time."""
        until = self.now + timedelta(days=days, minutes=minutes)
        while self.now < until:
            due = [each.act_at for each in self.matters.values() if each.act_at]
            self.move(max(self.now, min([*due, until])))
            for each in IDS:
                self.sweep(each)

    @rule(hours=st.integers(1, 100))
    def time_passes_unseen(self, hours: int) -> None:
        self.move(self.now + timedelta(hours=hours))

    def move(self, until) -> None:
        for each in self.matters.values():
            if each.state is MatterState.ON_HOLD:
                # A hold ends by itself, whenever the sweep comes to say so.
                end = max(self.now, min(until, each.hold.resume_at))
                self.on_hold[each.id] += end - self.now
            if each.state is MatterState.SHELVED:
                self.on_shelf[each.id] += until - self.now
        self.now = until

    def sweep(self, matter_id: str) -> None:
        before = self.matters[matter_id]
        self.matters[matter_id] = climb(before, moment(at=self.now)).matter

    @rule(
        matter_id=st.sampled_from(IDS), caller=st.sampled_from(CALLERS), step=st.sampled_from(PLAIN)
    )
    def somebody_acts(self, matter_id: str, caller: ActingParty, step: Step) -> None:
        self.keep(matter_id, caller, TAKE[step])

    @rule(matter_id=st.sampled_from(IDS), caller=st.sampled_from(CALLERS), days=DAYS)
    def somebody_holds(self, matter_id: str, caller: ActingParty, days: float) -> None:
        step = work.HoldOn("等材料", self.now + timedelta(days=days))
        self.keep(matter_id, caller, lambda m, at: work.hold(m, step, at))

    @rule(matter_id=st.sampled_from(IDS), caller=st.sampled_from(CALLERS), days=DAYS)
    def somebody_shelves(self, matter_id: str, caller: ActingParty, days: float) -> None:
        step = work.PutOnShelf("列入明年", self.now + timedelta(days=days))
        was = self.matters[matter_id]
        if self.keep(matter_id, caller, lambda m, at: work.shelve(m, step, at)):
            promised = {each.kind for each in (*was.clocks, *was.aside)}
            aside = {each.kind for each in self.matters[matter_id].aside}
            assert aside == promised - {ClockKind.ACCEPT, ClockKind.REVIEW, ClockKind.RESUME}

    @rule(matter_id=st.sampled_from(IDS), caller=st.sampled_from([LIAISON, COORDINATOR]))
    def somebody_resumes(self, matter_id: str, caller: ActingParty) -> None:
        before = self.matters[matter_id]
        if self.keep(matter_id, caller, TAKE[Step.RESUME]):
            after = self.matters[matter_id]
            kinds = {clock.kind for clock in after.clocks}
            assert {clock.kind for clock in before.aside} <= kinds, (
                "a promise was lost on the shelf"
            )

    @rule(
        matter_id=st.sampled_from(IDS),
        caller=st.sampled_from(CALLERS),
        kind=st.sampled_from(ClockKind),
        days=DAYS,
    )
    def somebody_extends(
        self, matter_id: str, caller: ActingParty, kind: ClockKind, days: float
    ) -> None:
        running = [each for each in self.matters[matter_id].clocks if each.kind is kind]
        start = running[0].due_at if running else self.now
        step = work.Extend(kind, start + timedelta(days=days), "雨天")
        self.keep(matter_id, caller, lambda m, at: work.extend(m, step, at))

    @rule(matter_id=st.sampled_from(IDS))
    def somebody_takes_it(self, matter_id: str) -> None:
        self.offers += 1
        matter = self.matters[matter_id]
        if matter.state not in DISPATCHING:
            return
        news = offering(matter.round, OWNER, f"offer-{self.offers}")
        made = replace(news.offer, offered_at=self.now, expires_at=self.now + timedelta(hours=2))
        news = replace(news, offer=made)
        self.keep(matter_id, SYSTEM, lambda m, at: arrivals.offer(m, news, at))
        accepted = Acceptance(matter.round, made.offer_id, OWNER, self.now)
        self.keep(matter_id, LIAISON, lambda m, at: arrivals.accept(m, accepted, at))

    @rule(matter_id=st.sampled_from(IDS), days=st.integers(1, 15))
    def routing_decides_anew(self, matter_id: str, days: int) -> None:
        self.offers += 1
        matter = self.matters[matter_id]
        news = offering(matter.round, OWNER, f"offer-{self.offers}")
        news = replace(
            news,
            offer=replace(news.offer, expires_at=self.now + timedelta(hours=2)),
            dispatch=replace(news.dispatch, handle_days=days),
        )
        self.keep(matter_id, SYSTEM, lambda m, at: arrivals.offer(m, news, at))

    @rule(
        matter_id=st.sampled_from(IDS),
        into_id=st.sampled_from(IDS),
        caller=st.sampled_from(CALLERS),
    )
    def somebody_merges(self, matter_id: str, into_id: str, caller: ActingParty) -> None:
        others = self.merged_into(matter_id)
        step = links.Merge(self.matters[into_id], "同一问题", bool(others))
        self.keep(matter_id, caller, lambda m, at: links.merge(m, step, at))

    @rule(matter_id=st.sampled_from(IDS), caller=st.sampled_from(CALLERS))
    def somebody_unmerges(self, matter_id: str, caller: ActingParty) -> None:
        self.keep(matter_id, caller, TAKE[Step.UNMERGE])

    def merged_into(self, matter_id: str) -> list[str]:
        return [
            each.id
            for each in self.matters.values()
            if each.merging and each.merging.into == matter_id
        ]

    @rule(matter_id=st.sampled_from(IDS), sure=st.integers(0, 3))
    def the_requester_withdraws(self, matter_id: str, sure: int) -> None:
        if sure == 0:
            self.end(matter_id, REQUESTER, lambda m, at: arrivals.withdraw(m, None, at))

    @rule(matter_id=st.sampled_from(IDS), caller=st.sampled_from([LIAISON, COORDINATOR]))
    def somebody_rejects(self, matter_id: str, caller: ActingParty) -> None:
        self.end(matter_id, caller, TAKE[Step.REJECT])

    def end(self, matter_id: str, by: ActingParty, decide) -> None:
        merged = self.merged_into(matter_id)
        if not self.keep(matter_id, by, decide):
            return
        for each in merged:
            ended = self.matters[matter_id]
            before = self.matters[each]
            freed = links.released(before, ended, "所并入的事项已结束", self.at(by))
            assert freed is not None, "who was merged into it has nobody"
            settled = climb(freed.matter, self.at(by), freed.emitted)
            self.compare(before, settled, set())
            self.matters[each] = settled.matter

    @rule(matter_id=st.sampled_from(IDS), solved=st.booleans(), caller=st.sampled_from(CALLERS))
    def somebody_visits(self, matter_id: str, solved: bool, caller: ActingParty) -> None:
        step = resolution.ReturnVisit(True, True, solved, 4)
        handled_by = self.matters[matter_id].handling
        if self.keep(matter_id, caller, lambda m, at: resolution.return_visit(m, step, at)):
            assert handled_by is not None
            assert caller.party not in (handled_by.handler.party, OWNER.id, LEAD.party, CO.party)

    @invariant()
    def each_is_followed_by_itself_or_in_one_that_goes_on_or_was_answered(self) -> None:
        for matter in self.matters.values():
            assert (matter.state is MatterState.MERGED) == (matter.merging is not None)
            if matter.merging is not None:
                into = self.matters[matter.merging.into]
                assert into.merging is None, "a chain"
                assert not into.final or into.state is MatterState.CLOSED

    @invariant()
    def what_is_open_has_a_promise_ahead_or_a_breach_on_its_way(self) -> None:
        for matter in self.matters.values():
            assert (matter.next_due_at is None) == matter.final
            if not matter.final:
                # Unseen so far, it is looked at as soon as somebody looks.
                assert matter.next_due_at > self.now or matter.breached or matter.act_at <= self.now
            if matter.state in WORKING or matter.state is MatterState.HANDLED:
                assert matter.owner is not None

    @invariant()
    def nothing_closes_without_an_answer_or_an_exemption(self) -> None:
        for each in self.matters.values():
            answered = each.visit is not None and each.visit.answered is not None
            assert each.state is not MatterState.CLOSED or answered or each.closing.exemption

    @invariant()
    def holds_and_shelvings_end_in_sum(self) -> None:
        for each in IDS:
            assert self.on_hold[each] <= timedelta(days=180, minutes=1)


TestTruth = pytest.mark.thorough(TruthMachine.TestCase)
TestTruth.settings = settings(max_examples=60, stateful_step_count=50)
