"""Whose a submission may be, when it is the same, and what a receipt's holder may still do."""

from datetime import UTC, datetime, timedelta

import pytest

from services.intake.domain import (
    Allowed,
    Conflicting,
    HolderStep,
    Known,
    NotNow,
    NotTheirs,
    Registered,
    decide_repeat,
    holder_steps,
    may_add,
    may_answer_visit,
    may_see_contact,
    not_theirs,
    own_source,
)
from shared.contracts.vocabulary import MatterState, Role

KNOWN = Known("request-1", "AAAAAA", b"content")
ENDED = {MatterState.CLOSED, MatterState.MERGED, MatterState.REJECTED, MatterState.WITHDRAWN}


PORTAL = "https://one-stop.example"


@pytest.mark.parametrize("role", Role)
def test_a_requester_alone_is_kept_to_its_own_requests(role: Role) -> None:
    assert not_theirs((role, "R001"), (), "R001", PORTAL) is None
    another = NotTheirs.REQUESTER if role is Role.REQUESTER else None
    assert not_theirs((role, "R001"), (), "R002", PORTAL) is another


def test_whoever_is_given_sources_is_kept_to_them() -> None:
    system = (Role.SYSTEM, PORTAL)
    assert not_theirs(system, (PORTAL, "urn:park"), "R001", "urn:park") is None
    for source in ("urn:parks", "URN:PARK", f"{PORTAL}/", "urn:par"):
        assert not_theirs(system, (PORTAL, "urn:park"), "R001", source) is NotTheirs.SOURCE


def test_a_requesters_source_is_nobody_elses_and_tells_nobodys_id() -> None:
    senders = [("R001", "urn:a"), ("R001", "urn:b"), ("R002", "urn:a"), ("R001u", "rn:a")]
    assert len({own_source(*sender) for sender in senders}) == len(senders)
    assert own_source(*senders[0]) == own_source(*senders[0])
    assert "R001" not in own_source(*senders[0])


def test_the_same_content_again_gets_the_first_answer() -> None:
    assert decide_repeat(KNOWN, b"content") == Registered("request-1", "AAAAAA", fresh=False)


def test_another_content_conflicts_with_the_first() -> None:
    assert decide_repeat(KNOWN, b"other") == Conflicting("request-1")


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


def test_the_steps_that_are_offered_are_those_that_would_be_taken() -> None:
    until = datetime(2026, 3, 17, tzinfo=UTC)
    late = until + timedelta(seconds=1)
    offered = {state: holder_steps(state, None, until) for state in MatterState}
    assert offered[MatterState.IN_PROGRESS] == (HolderStep.MESSAGES, HolderStep.WITHDRAW)
    assert offered[MatterState.HANDLED] == tuple(HolderStep)
    assert offered[MatterState.WITHDRAWN] == offered[MatterState.CLOSED] == ()
    assert holder_steps(MatterState.CLOSED, until, until) == (HolderStep.ANSWER,)
    assert holder_steps(MatterState.CLOSED, until, late) == ()
