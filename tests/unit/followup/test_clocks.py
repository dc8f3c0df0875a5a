"""The clocks of a matter: reminders before, rungs after, pauses that move limits by working time, extensions."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.followup.domain import clocks
from services.followup.domain.clocks import Clock, Stage
from services.followup.domain.ladder import climb
from services.followup.domain.limits import Limits, LimitTable
from shared.calendar import Limit
from shared.contracts.vocabulary import ClockKind, MatterState
from tests.unit.followup.town import (
    CALENDAR,
    MONDAY,
    handled,
    in_progress,
    moment,
    offered,
    on_hold,
    town_time,
)


def clock(days: int = 3) -> Clock:
    due_at = CALENDAR.add(MONDAY, Limit.days(days))
    return clocks.start(ClockKind.INTERIM, due_at, MONDAY, CALENDAR)


def test_a_clock_reminds_a_working_day_before_and_knows_its_calendar() -> None:
    started = clock()
    assert started.due_at == town_time(5, 17, 30)
    assert started.remind_at == started.act_at == town_time(4, 9)
    assert started.calendar_version == CALENDAR.version


def test_a_limit_too_near_for_a_reminder_has_none() -> None:
    started = clock(days=1)
    assert started.remind_at is None
    assert started.act_at == started.due_at


def test_before_its_time_a_clock_stays_where_it_is() -> None:
    assert clocks.advance(clock(), town_time(4, 8, 59), CALENDAR) is None


def test_a_reminder_and_then_each_working_day_a_level() -> None:
    running, stages = clock(), []
    for day in (4, 5, 6, 9, 10, 11):
        moved = clocks.advance(running, town_time(day, 17, 30), CALENDAR)
        assert moved is not None, day
        assert clocks.advance(moved, town_time(day, 17, 30), CALENDAR) is None
        running = moved
        stages.append(running.stage)
    assert stages == [
        Stage.REMINDED, Stage.SUPERVISED, Stage.LIAISON, Stage.DEPARTMENT_HEAD,
        Stage.LEADER_IN_CHARGE, Stage.JOINT_MEETING,
    ]  # fmt: skip
    assert running.act_at is None


def test_found_late_it_is_supervised_without_a_reminder_and_rises_from_then_on() -> None:
    moved = clocks.advance(clock(), town_time(20, 10), CALENDAR)
    assert moved is not None
    assert (moved.stage, moved.act_at) == (Stage.SUPERVISED, town_time(23, 17, 30))


def test_an_offers_limit_does_not_rise() -> None:
    started = clocks.start(ClockKind.ACCEPT, town_time(2, 13, 30), MONDAY, CALENDAR)
    moved = clocks.advance(started, town_time(2, 13, 30), CALENDAR)
    assert moved is not None
    assert (moved.stage, moved.act_at) == (Stage.SUPERVISED, None)


def test_a_pause_moves_the_limit_by_the_working_time_it_took() -> None:
    paused = clocks.pause((clock(),), town_time(3, 9))
    assert clocks.next_due(paused) is None
    assert clocks.next_act(paused) is None
    (resumed,) = clocks.unpause(paused, town_time(5, 9), CALENDAR)
    assert resumed.due_at == town_time(9, 17, 30)
    assert resumed.original_due_at == town_time(5, 17, 30)
    assert resumed.act_at == resumed.remind_at == town_time(6, 9)


def test_a_pause_undoes_no_breach() -> None:
    broken = clocks.advance(clock(), town_time(6, 10), CALENDAR)
    assert broken is not None
    (resumed,) = clocks.unpause(
        clocks.pause((broken,), town_time(9, 9)), town_time(11, 9), CALENDAR
    )
    assert (resumed.due_at, resumed.stage) == (town_time(5, 17, 30), Stage.SUPERVISED)
    assert resumed.act_at == town_time(12, 17, 30)


def test_a_pause_that_paused_already_is_not_moved() -> None:
    first = clocks.pause((clock(),), town_time(3, 9))
    assert clocks.pause(first, town_time(4, 9)) == first


def test_an_extension_keeps_the_first_limit_and_begins_on_track() -> None:
    broken = clocks.advance(clock(), town_time(6, 10), CALENDAR)
    assert broken is not None
    extended = clocks.extend(broken, town_time(12, 17, 30), town_time(6, 11), CALENDAR)
    assert (extended.stage, extended.extensions) == (Stage.ON_TRACK, 1)
    assert extended.original_due_at == town_time(5, 17, 30)
    assert extended.act_at == town_time(11, 9)


def test_the_sweep_moves_every_clock_that_is_due_one_rung() -> None:
    matter = in_progress()
    late = climb(matter, moment(at=town_time(20, 10)))
    assert [type(emitted.fact).__name__ for emitted in late.emitted] == ["Supervised"] * 3
    assert late.matter.breached
    assert late.matter.act_at is not None
    assert late.matter.act_at > town_time(20, 10)
    assert climb(late.matter, moment(at=town_time(20, 10))).emitted == ()


def test_what_is_due_goes_to_whoever_owes_it() -> None:
    reminded = climb(offered(), moment(at=town_time(2, 11, 30))).emitted
    assert [emitted.fact.to for emitted in reminded] == ["L001"]
    visit = climb(handled(), moment(at=town_time(3, 17, 30))).emitted
    assert [emitted.fact.to for emitted in visit] == ["DESK"]


def test_a_hold_ends_by_itself_and_not_before() -> None:
    matter = on_hold()
    assert climb(matter, moment(at=town_time(6, 16, 59))).emitted == ()
    resumed = climb(matter, moment(at=town_time(6, 17))).matter
    assert resumed.state is MatterState.IN_PROGRESS
    assert not any(each.paused_at for each in resumed.clocks)


def test_on_hold_only_its_end_is_promised() -> None:
    matter = on_hold()
    assert matter.next_due_at == matter.act_at == town_time(6, 17)
    broken = replace(matter.clocks[0], stage=Stage.SUPERVISED)
    assert not replace(matter, clocks=(broken, *matter.clocks[1:])).breached


@pytest.mark.parametrize(
    ("category", "days"),
    [
        (None, 3),
        ("人才服务", 3),
        ("安全生产", 1),
        ("安全生产/消防", 1),
        ("安全生产/消防/通道", 2),
        ("安全生产部", 3),
    ],
)
def test_the_longest_category_that_fits_sets_the_limits(category: str | None, days: int) -> None:
    table = LimitTable(
        Limits(),
        {
            "安全生产": Limits(interim=Limit.days(1)),
            "安全生产/消防/通道": Limits(interim=Limit.days(2)),
        },
    )
    assert table.of(category).interim == Limit.days(days)


def test_next_due_is_the_earliest_running() -> None:
    later = replace(clock(5), kind=ClockKind.HANDLE)
    assert clocks.next_due((later, clock(3))) == clock(3).due_at
    assert clocks.next_due(()) is None
    assert timedelta(0) < later.due_at - clock(3).due_at
