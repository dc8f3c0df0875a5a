"""No step undoes the truth: what was missed stays missed, what was put off is bounded, who worked does not rate it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.followup.domain import arrivals, clocks
from services.followup.domain.access import Step, open_steps
from services.followup.domain.arrivals import Acceptance
from services.followup.domain.clocks import Stage
from services.followup.domain.decision import Changed, Refusal, Refused
from services.followup.domain.ladder import climb, overtaken
from services.followup.domain.matter import Matter
from services.followup.domain.moment import ActingParty
from services.followup.domain.steps import chart, links, resolution, work
from services.followup.domain.steps.links import Merge, released
from shared.calendar import Limit
from shared.contracts.vocabulary import (
    ClockKind,
    MatterState,
    Outcome,
    PartyKind,
    ReopenCause,
    Role,
)
from tests.unit.followup.town import (
    CALENDAR,
    CO,
    COORDINATOR,
    DISPATCH,
    LEAD,
    LIAISON,
    MONDAY,
    OUTSIDER,
    REQUESTER,
    SYSTEM,
    Party,
    closed,
    dissatisfied,
    done,
    handled,
    in_progress,
    merged,
    moment,
    offered,
    offering,
    received,
    shelved,
    town_time,
)

MINUTE = timedelta(minutes=1)
TUESDAY = town_time(10, 10)
"""The day after the handling limit."""
SECOND = ActingParty(Role.COORDINATOR, "C002")
OTHER = Party("L002", PartyKind.LIAISON, "李店小二")


def late() -> Matter:
    """In progress, with its handling limit missed and that said."""
    return climb(in_progress(), moment(at=TUESDAY)).matter


def code_of(decision) -> Refusal:
    assert isinstance(decision, Refused), decision
    return decision.code


def there_and_back(matter: Matter, away: str) -> Matter:
    """The matter after a minute on hold, on the long-term list, or merged."""
    then, soon = moment(LIAISON, TUESDAY), moment(LIAISON, TUESDAY + MINUTE)
    if away == "hold":
        held = done(work.hold(matter, work.HoldOn("等", TUESDAY + timedelta(days=3)), then))
        return done(work.resume(held, work.Resume(), soon))
    if away == "shelve":
        step = work.PutOnShelf("列入明年", TUESDAY + timedelta(days=30))
        return done(work.resume(done(work.shelve(matter, step, then)), work.Resume(), soon))
    other = replace(in_progress(), id="request-2")
    gone = done(links.merge(matter, Merge(other, "同一问题"), then))
    return done(links.unmerge(gone, links.Unmerge("不是"), soon))


@pytest.mark.parametrize("away", ["hold", "shelve", "merge"])
def test_case_86_a_minute_away_restores_clocks_breaches_and_counts(away: str) -> None:
    step = work.Extend(ClockKind.INTERIM, town_time(16, 17), "雨天")
    matter = done(work.extend(late(), step, moment(COORDINATOR, TUESDAY)))
    back = there_and_back(matter, away)
    by_kind = {each.kind: each for each in back.clocks}
    for before in matter.clocks:
        after = by_kind[before.kind]
        assert (after.due_at - before.due_at) <= MINUTE
        assert (after.stage, after.original_due_at) == (before.stage, before.original_due_at)
        assert (after.missed, after.extensions) == (before.missed, before.extensions)
    assert (back.breaches, back.extensions) == (matter.breaches, matter.extensions)
    assert back.breached
    handled = resolution.handle(
        back, resolution.Handle(Outcome.RESOLVED, "已通"), moment(LIAISON, TUESDAY + 2 * MINUTE)
    )
    assert done(handled).handling is not None
    assert not done(handled).handling.on_time


def test_case_86_a_limit_allowed_later_leaves_the_first_one_missed() -> None:
    step = work.Extend(ClockKind.HANDLE, town_time(20, 17), "雨天")
    matter = done(work.extend(late(), step, moment(COORDINATOR, TUESDAY)))
    handle = clocks.find(matter.clocks, ClockKind.HANDLE)
    assert handle is not None
    assert (handle.stage, handle.missed) == (Stage.ON_TRACK, True)
    assert matter.breached
    step = resolution.Handle(Outcome.RESOLVED, "已通")
    assert not done(resolution.handle(matter, step, moment(LIAISON, TUESDAY))).handling.on_time


def test_case_86_what_ran_out_before_anybody_looked_is_on_record_before_the_step() -> None:
    at = moment(LIAISON, town_time(6, 10))
    before = overtaken(in_progress(), at)
    assert {each.clock for each in before.matter.breaches} == {
        ClockKind.FIRST_CONTACT, ClockKind.INTERIM,
    }  # fmt: skip
    after = done(work.feedback(before.matter, work.Feedback("正在办"), at))
    assert after.breaches == before.matter.breaches
    facts = [type(emitted.fact).__name__ for emitted in before.emitted]
    assert facts.count("Supervised") == len(before.matter.breaches)


def test_case_86_a_promise_that_ran_out_on_a_day_off_is_on_record_too() -> None:
    saturday = moment(LIAISON, town_time(7, 10))
    matter = overtaken(in_progress(), saturday).matter
    kept = done(work.feedback(matter, work.Feedback("正在办"), saturday))
    assert ClockKind.INTERIM in {each.clock for each in kept.breaches}


def test_case_86_an_acceptance_in_time_that_came_late_breaks_no_promise() -> None:
    at = moment(LIAISON, MONDAY + timedelta(hours=6))
    before = overtaken(offered(), at, MONDAY + timedelta(hours=1))
    taken = done(arrivals.accept(before.matter, Acceptance(1, "offer-1", OTHER, MONDAY), at))
    assert taken.breaches == ()


def test_case_86_the_next_round_forgets_nothing() -> None:
    matter = done(
        resolution.handle(
            late(), resolution.Handle(Outcome.RESOLVED, "已通"), moment(LIAISON, TUESDAY)
        )
    )
    said = resolution.ReturnVisit(True, solved=False, satisfaction=2)
    unhappy = done(resolution.return_visit(matter, said, moment(SECOND, TUESDAY)))
    step = resolution.Reopen(ReopenCause.NOT_SOLVED, "仍不通")
    again = done(resolution.reopen(unhappy, step, moment(COORDINATOR, TUESDAY)))
    assert (again.round, again.breaches) == (2, late().breaches)
    assert not again.breached


def test_case_86_another_dispatch_takes_no_breach_away() -> None:
    at = town_time(20, 10)
    waiting = climb(offered(), moment(at=at)).matter
    news = replace(offering(offer_id="offer-2"), dispatch=replace(DISPATCH, handle_days=15))
    matter = done(arrivals.offer(waiting, news, moment(SYSTEM, at)))
    handle = clocks.find(matter.clocks, ClockKind.HANDLE)
    assert handle is not None
    assert handle.missed
    assert handle.original_due_at == town_time(9, 17, 30)
    assert matter.breaches == waiting.breaches != ()


@given(days=st.integers(1, 170), before=st.integers(0, 8 * 60))
def test_case_86_a_clock_has_as_much_time_left_off_the_list_as_on_it(
    days: int, before: int
) -> None:
    put_at = MONDAY + timedelta(minutes=before)
    step = work.PutOnShelf("列入明年", put_at + timedelta(days=175))
    matter = done(work.shelve(in_progress(), step, moment(LIAISON, put_at)))
    back_at = put_at + timedelta(days=days)
    back = done(work.resume(matter, work.Resume(), moment(LIAISON, back_at)))
    left = {
        each.kind: CALENDAR.resume(each.due_at, put_at, back_at) for each in in_progress().clocks
    }
    assert {each.kind: each.due_at for each in back.clocks} == left


def test_a_matter_shelved_by_an_earlier_version_goes_on() -> None:
    old = replace(shelved(), aside=(), shelf=replace(shelved().shelf, shelved_at=None))
    back = done(work.resume(old, work.Resume(), moment(LIAISON, town_time(16, 10))))
    handle = clocks.find(back.clocks, ClockKind.HANDLE)
    assert handle is not None
    assert handle.due_at == town_time(23, 17, 30)


@pytest.mark.parametrize("visitor", [CO, OUTSIDER, LEAD, LIAISON])
def test_case_85_nobody_who_has_a_part_of_the_work_visits(visitor: ActingParty) -> None:
    task = chart.AddTask("t-1", OUTSIDER.party, "核税")
    matter = done(chart.add_task(in_progress(), task, moment(LIAISON)))
    matter = done(
        resolution.handle(matter, resolution.Handle(Outcome.RESOLVED, "已通"), moment(LIAISON))
    )
    said = resolution.ReturnVisit(True, solved=True, satisfaction=5)
    assert (
        code_of(resolution.return_visit(matter, said, moment(visitor))) is Refusal.NOT_INDEPENDENT
    )
    assert Step.RETURN_VISIT not in open_steps(matter, visitor)
    done(resolution.return_visit(matter, said, moment(COORDINATOR)))


def test_case_85_the_owner_of_an_earlier_round_does_not_visit() -> None:
    again = done(
        resolution.reopen(dissatisfied(), resolution.Reopen(ReopenCause.NOT_SOLVED, "仍"), moment())
    )
    asked = done(arrivals.offer(again, offering(2, OTHER, "offer-2"), moment(SYSTEM)))
    taken = done(arrivals.accept(asked, Acceptance(2, "offer-2", OTHER, MONDAY), moment(SYSTEM)))
    step = resolution.Handle(Outcome.RESOLVED, "已通")
    matter = done(resolution.handle(taken, step, moment(ActingParty(Role.LIAISON, "L002"))))
    workers = frozenset({"L001"})
    said = resolution.ReturnVisit(True, solved=True, satisfaction=5, workers=workers)
    assert (
        code_of(resolution.return_visit(matter, said, moment(LIAISON))) is Refusal.NOT_INDEPENDENT
    )


def test_case_85_nobody_exempts_their_own_work_from_its_visit() -> None:
    close = resolution.Close("联系不上", frozenset({"C001"}))
    assert (
        code_of(resolution.close(handled(), close, moment(COORDINATOR))) is Refusal.EXEMPTS_ITSELF
    )
    done(resolution.close(handled(), close, moment(SECOND)))
    done(resolution.close(dissatisfied(), close, moment(COORDINATOR)))


@pytest.mark.parametrize("before", [received, offered, in_progress, shelved])
@pytest.mark.parametrize("end", [MatterState.WITHDRAWN, MatterState.REJECTED])
def test_case_81_who_was_merged_into_what_ends_unanswered_goes_on_alone(before, end) -> None:
    into = replace(received(), id="request-2")
    matter = before()
    gone = done(links.merge(matter, Merge(into, "同一问题"), moment(COORDINATOR)))
    if end is MatterState.WITHDRAWN:
        ended = done(arrivals.withdraw(into, None, moment(REQUESTER)))
    else:
        ended = done(
            resolution.reject(into, resolution.Reject("司法事项", "12368"), moment(COORDINATOR))
        )
    freed = released(gone, ended, "所并入的事项已撤回", moment(REQUESTER))
    assert isinstance(freed, Changed)
    assert (freed.matter.owner, freed.matter.final) == (matter.owner, False)
    assert freed.matter.next_due_at is not None
    assert [type(emitted.fact).__name__ for emitted in freed.emitted] == ["Unmerged"]


def test_case_81_who_was_answered_with_another_stays_merged() -> None:
    into = replace(closed(), id="request-2")
    assert released(merged(), into, "", moment(COORDINATOR)) is None
    assert released(merged(), replace(handled(), id="request-9"), "", moment(COORDINATOR)) is None


def test_case_81_nothing_is_merged_into_what_was_handled_or_has_enough() -> None:
    into = replace(handled(), id="request-2")
    step = Merge(into, "同一问题")
    refused = links.merge(in_progress(), step, moment(COORDINATOR))
    assert code_of(refused) is Refusal.TARGET_HANDLED
    step = Merge(replace(in_progress(), id="request-2"), "同一问题", merged_there=200)
    assert code_of(links.merge(in_progress(), step, moment(COORDINATOR))) is Refusal.TARGET_FULL


def test_case_81_taken_back_while_merged_it_leaves_the_other_alone() -> None:
    matter = done(arrivals.withdraw(merged(), "不需要了", moment(REQUESTER)))
    assert (matter.state, matter.merging, matter.clocks) == (MatterState.WITHDRAWN, None, ())


def test_a_later_limit_counts_from_the_first_of_its_kind() -> None:
    fresh = clocks.start(ClockKind.HANDLE, CALENDAR.add(MONDAY, Limit.days(3)), MONDAY, CALENDAR)
    broken = clocks.advance(fresh, TUESDAY, CALENDAR)
    assert broken is not None
    sooner = clocks.start(ClockKind.HANDLE, fresh.due_at, MONDAY, CALENDAR)
    assert clocks.replan(broken, sooner) == broken
