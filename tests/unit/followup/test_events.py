"""Every fact of the rules is a published event, field by field."""

from dataclasses import fields
from typing import get_args

import pytest

from services.followup.domain import arrivals
from services.followup.domain.decision import Changed
from services.followup.domain.facts import Fact
from services.followup.domain.steps import resolution
from services.followup.handlers.events import EVENTS, event_of
from shared.contracts.events.matters import MatterChanged, MatterOffered
from shared.contracts.events.published import EVENTS as PUBLISHED
from shared.contracts.vocabulary import Outcome
from tests.unit.followup.town import (
    COORDINATOR,
    LIAISON,
    SYSTEM,
    handled,
    in_progress,
    moment,
    offering,
    received,
    town_time,
)

EVERY_EVENT = {"actor", "matter_id", "state", "round", "next_due_at"}


def test_every_fact_is_told_and_every_event_of_a_matter_comes_from_one() -> None:
    assert set(EVENTS) == set(get_args(Fact))
    said = {event for event in PUBLISHED.values() if issubclass(event, MatterChanged)}
    assert set(EVENTS.values()) == said


@pytest.mark.parametrize("fact", EVENTS, ids=lambda fact: fact.__name__)
def test_a_fact_says_what_its_event_says(fact: type[Fact]) -> None:
    event = EVENTS[fact]
    emitted = {field.name for field in fields(fact)}
    needed = {name for name, field in event.model_fields.items() if field.is_required()}
    assert emitted <= set(event.model_fields)
    assert needed <= emitted | EVERY_EVENT


def test_an_event_has_the_state_that_its_fact_left() -> None:
    decision = arrivals.offer(received(), offering(), moment(SYSTEM))
    assert isinstance(decision, Changed)
    event = event_of(decision.emitted[0])
    assert isinstance(event, MatterOffered)
    assert (event.state, event.party.id, event.dispatch.park) == ("offered", "L001", "久禾科技园")
    assert {each.clock for each in event.deadlines} == {"accept", "interim", "handle"}
    assert MatterOffered.model_validate_json(event.model_dump_json()) == event


def test_of_two_facts_each_has_its_own_state_and_version() -> None:
    said = resolution.ReturnVisit(True, solved=True, satisfaction=5)
    decision = resolution.return_visit(handled(), said, moment(COORDINATOR))
    assert isinstance(decision, Changed)
    visited, closed = (event_of(emitted) for emitted in decision.emitted)
    assert (visited.state, closed.state, closed.next_due_at) == ("handled", "closed", None)
    versions = [emitted.matter.version for emitted in decision.emitted]
    assert versions == [handled().version + 1, handled().version + 2]


def test_the_actor_is_whoever_acted() -> None:
    step = resolution.Handle(Outcome.RESOLVED, "已通")
    decision = resolution.handle(in_progress(), step, moment(LIAISON, town_time(3, 10)))
    assert isinstance(decision, Changed)
    actor = event_of(decision.emitted[0]).actor
    assert (actor.role, actor.party) == ("liaison", "L001")
