"""The departments that steps name: those of the directory, of their kind, or the step is refused by its field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.followup.domain.decision import Changed, Refusal, Refused
from services.followup.domain.naming import Misnamed, misnamed
from services.followup.domain.steps import chart
from services.followup.domain.steps.chart import AddTask, Plan, PlannedStep
from services.followup.handlers.steps import may_yet_come
from shared.contracts.topics import DIRECTORY, MATTERS, key_of
from shared.contracts.vocabulary import PartyKind
from tests.unit.followup.town import LIAISON, MONDAY, STRANGER, in_progress, moment, town_time

KNOWN = {"D-TAX": PartyKind.DEPARTMENT, "L002": PartyKind.LIAISON}


def plan_of(*departments: str) -> Plan:
    steps = [
        PlannedStep(f"m-{number}", "核税", department, town_time(20, 17), required=True)
        for number, department in enumerate(departments)
    ]
    return Plan(tuple(steps), KNOWN)


def test_case_92_a_milestone_is_of_a_department_of_the_directory() -> None:
    matter = in_progress()
    decision = chart.plan(matter, plan_of("D-TAX", "D-NOPE", "L002"), moment(LIAISON))
    assert isinstance(decision, Refused)
    assert decision.code is Refusal.DEPARTMENT_UNKNOWN
    assert decision.misnamed == (
        Misnamed("milestones/1/owner_department", "D-NOPE", None),
        Misnamed("milestones/2/owner_department", "L002", PartyKind.LIAISON),
    )
    assert isinstance(chart.plan(matter, plan_of("D-TAX"), moment(LIAISON)), Changed)


@pytest.mark.parametrize(("party", "kind"), [("D-NOPE", None), ("L002", PartyKind.LIAISON)])
def test_case_92_a_task_is_for_a_department_of_the_directory(
    party: str, kind: PartyKind | None
) -> None:
    step = AddTask("t-1", party, "核对", None, KNOWN)
    decision = chart.add_task(in_progress(), step, moment(LIAISON))
    assert isinstance(decision, Refused)
    assert decision.misnamed == (Misnamed("department", party, kind),)
    # Somebody who may not take the step hears that and nothing of the directory.
    stranger = chart.add_task(in_progress(), step, moment(STRANGER))
    assert isinstance(stranger, Refused)
    assert (stranger.code, stranger.misnamed) == (Refusal.NOT_YOURS, ())


def test_case_92_until_a_directory_has_been_heard_steps_pass() -> None:
    step = AddTask("t-1", "D-NOPE", "核对")
    assert isinstance(chart.add_task(in_progress(), step, moment(LIAISON)), Changed)


@given(
    st.dictionaries(st.text(min_size=1, max_size=4), st.sampled_from(PartyKind), max_size=6),
    st.lists(st.text(min_size=1, max_size=4), max_size=6),
)
def test_case_92_whatever_is_named_is_a_department_or_a_fault(
    known: dict[str, PartyKind], parties: list[str]
) -> None:
    named = [(f"field/{number}", party) for number, party in enumerate(parties)]
    faults = misnamed(named, known)
    departments = {party for party, kind in known.items() if kind is PartyKind.DEPARTMENT}
    assert [fault.pointer for fault in faults] == [
        pointer for pointer, party in named if party not in departments
    ]
    assert {fault.kind for fault in faults if fault.party in known} <= {
        PartyKind.LIAISON,
        PartyKind.DESK,
    }


def test_case_92_only_a_party_that_is_not_there_may_yet_come() -> None:
    unknown = Misnamed("department", "D-NOPE", None)
    liaison = Misnamed("department", "L002", PartyKind.LIAISON)
    state = in_progress().state
    for wrong, comes in (((unknown,), True), ((liaison,), False), ((unknown, liaison), False)):
        refused = Refused(Refusal.DEPARTMENT_UNKNOWN, state, misnamed=wrong)
        assert may_yet_come(refused, MONDAY) is comes


def test_case_92_a_key_of_the_directory_is_the_entrys_id() -> None:
    assert key_of(DIRECTORY, "department/D-TAX") == "D-TAX"
    assert key_of(DIRECTORY, "absence/L002/A1") == "L002/A1"
    assert key_of(MATTERS, "a/b") == "a/b"
