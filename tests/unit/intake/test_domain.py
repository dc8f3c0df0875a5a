"""When a submission is the same, and what a receipt's holder may still do."""

import pytest

from services.intake.domain import (
    Allowed,
    Conflicting,
    Known,
    NotNow,
    Registered,
    may_add,
    may_answer_visit,
    may_see_contact,
    settle_repeat,
)
from shared.contracts.vocabulary import MatterState, Role

KNOWN = Known("request-1", "AAAAAA", b"content")
ENDED = {MatterState.CLOSED, MatterState.MERGED, MatterState.REJECTED, MatterState.WITHDRAWN}


def test_the_same_content_again_gets_the_first_answer() -> None:
    assert settle_repeat(KNOWN, b"content") == Registered("request-1", "AAAAAA", fresh=False)


def test_another_content_conflicts_with_the_first() -> None:
    assert settle_repeat(KNOWN, b"other") == Conflicting("request-1")


@pytest.mark.parametrize("state", MatterState)
def test_facts_may_be_added_until_the_end(state: MatterState) -> None:
    assert isinstance(may_add(state), NotNow if state in ENDED else Allowed)


@pytest.mark.parametrize("state", MatterState)
def test_the_return_visit_is_answered_when_the_work_is_said_to_be_done(state: MatterState) -> None:
    expected = Allowed() if state is MatterState.HANDLED else NotNow(state, (MatterState.HANDLED,))
    assert may_answer_visit(state) == expected


@pytest.mark.parametrize(
    ("role", "party", "may"),
    [
        (Role.COORDINATOR, "C001", True),
        (Role.OPERATOR, "O001", True),
        (Role.LIAISON, "L001", True),
        (Role.LIAISON, "L002", False),
        (Role.DEPARTMENT, "D-CON", False),
        (Role.SYSTEM, "https://one-stop.example", False),
    ],
)
def test_the_contact_is_for_those_who_have_it_in_hand(role: Role, party: str, may: bool) -> None:
    assert may_see_contact(role, party, frozenset({"L001"})) is may
