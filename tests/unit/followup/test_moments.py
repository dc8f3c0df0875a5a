"""Steps whose clocks disagree: a matter's moments never go back, and no order of clocks meets a fault."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.followup.domain.access import Step
from services.followup.domain.decision import Changed
from services.followup.domain.ladder import climb, overtaken
from services.followup.domain.limits import LimitTable
from services.followup.handlers.office import Office
from tests.unit.followup.steps import TAKE
from tests.unit.followup.town import CALENDAR, COORDINATOR, LIAISON, MONDAY, done, in_progress

OFFICE = Office(CALENDAR, LimitTable(), "DESK")
STEPS = sorted(set(TAKE) - {Step.MILESTONE, Step.TASK_DONE})
"""Two steps bring a milestone and a task of their own along."""


def test_a_resume_by_a_clock_that_is_behind_is_at_the_hold():
    matter = in_progress()
    held = done(TAKE[Step.HOLD](matter, OFFICE.moment(MONDAY, matter, LIAISON)))
    earlier = MONDAY - timedelta(seconds=3)
    resumed = TAKE[Step.RESUME](held, OFFICE.moment(earlier, held, LIAISON))
    assert isinstance(resumed, Changed)
    assert (resumed.emitted[-1].at, resumed.matter.hold) == (MONDAY, None)


def test_a_matter_of_an_earlier_version_has_no_last_moment():
    assert OFFICE.moment(MONDAY).at == MONDAY
    assert OFFICE.moment(MONDAY, in_progress()).at == MONDAY


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(-200_000, 200_000)), max_size=12))
def test_no_order_of_clocks_meets_a_fault(taken: list[tuple[Step, int]]):
    matter, at, seen = in_progress(), MONDAY, []
    for step, seconds in taken:
        at += timedelta(seconds=seconds)
        moment = OFFICE.moment(at, matter, COORDINATOR)
        before = overtaken(matter, moment)
        decision = TAKE[step](before.matter, moment)
        if isinstance(decision, Changed):
            settled = climb(
                decision.matter, moment, before.emitted + decision.emitted, on_days_off=False
            )
            matter = settled.matter
            seen += [emitted.at for emitted in settled.emitted]
    assert seen == sorted(seen)
