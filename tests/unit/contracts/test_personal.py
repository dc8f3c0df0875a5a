"""Of every event it is known which of its words may be about a person, also of those that will be written later."""

import json
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from shared.contracts.events.personal import PERSONAL, erase_person
from shared.contracts.events.published import EVENTS

EXAMPLES = Path(__file__).parents[2] / "contracts" / "examples"
MARK = "gone"

# Ids, codes, names of parties of the town, and words of the catalogue.
OF_NOBODY = {
    "actor.party", "approver", "actor.role", "calendar_version", "code", "command_id", "command_type", "department",
    "ended", "fate", "follows", "into", "issued_to", "joint_id", "lead_department", "letter_id", "liaison_id",
    "matter_id",
    "objection_id", "offer_id", "out_of", "park", "party.id", "party.name", "owner.id", "owner.name", "last_owner.id",
    "last_owner.name", "raised_by.id", "raised_by.name", "request_id", "rule_id", "service", "source", "source_ref",
    "subject", "suggested_owner", "task_id", "tie_id", "to", "topic", "uscc", "state", "category", "why", "title",
    "detail", "allowed_states", "owner_department", "milestones.id", "milestone.id", "milestone.owner_department",
    "milestones.owner_department", "deadlines.calendar_version", "faults.pointer", "faults.code", "faults.message",
    "dispatch.rule_id", "dispatch.category", "dispatch.lead_department", "dispatch.co_departments", "dispatch.park",
    "absence_id", "department_id", "deputy_id", "industry", "name", "reason",
}  # fmt: skip
# Words that are of nobody in these events only.
ONLY_THERE = {
    # Of departments, firms, and of staff as `party.name` is.
    "name": {
        "liaison.department.changed.v1",
        "liaison.enterprise.changed.v1",
        "liaison.liaison.changed.v1",
    },
    "title": {"liaison.command.refused.v1"},
    "detail": {"liaison.command.refused.v1"},
    "reason": {
        "liaison.matter.returned.v1",
        "liaison.request.rejected.v1",
        "liaison.tie.changed.v1",
    },
}


def texts_of(model: type[BaseModel], before: str = "") -> set[str]:
    """The paths of all fields that hold free text, through parts and lists."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        found |= texts_in(field.annotation, f"{before}{name}")
    return found


def texts_in(annotation: Any, path: str) -> set[str]:
    if isinstance(annotation, type) and not get_args(annotation):
        if issubclass(annotation, BaseModel):
            return texts_of(annotation, f"{path}.")
        return {path} if issubclass(annotation, str) and not issubclass(annotation, Enum) else set()
    return {found for inner in get_args(annotation) for found in texts_in(inner, path)}


@pytest.mark.parametrize("wire_type", sorted(EVENTS))
def test_every_text_is_one_or_the_other(wire_type: str):
    texts = texts_of(EVENTS[wire_type])
    personal = set(PERSONAL.get(wire_type, ()))
    assert personal <= texts, "a field that is not there"
    for path in texts - personal:
        assert path in OF_NOBODY, (
            f"say of {path} in shared/contracts/events/personal.py whether it may be about a person"
        )
        assert wire_type in ONLY_THERE.get(path, {wire_type}), path


@pytest.mark.parametrize("wire_type", sorted(EVENTS))
def test_what_is_left_is_valid_and_twice_is_once(wire_type: str):
    for data in json.loads((EXAMPLES / f"{wire_type}.json").read_text("utf-8")):
        changed = erase_person(wire_type, data, MARK)
        assert EVENTS[wire_type].model_validate(data)
        assert not erase_person(wire_type, data, MARK)
        assert changed == (MARK in json.dumps(data))
        assert not changed or wire_type in PERSONAL


def test_the_code_of_an_enterprise_stays_and_a_residents_id_goes():
    for kind, left in (("enterprise", "91310117MA2000001X"), ("resident", MARK)):
        requester = {"kind": kind, "id": "91310117MA2000001X", "name": "沈某"}
        data: dict[str, Any] = {"requester": requester, "summary": "s", "attachments": ["u"]}
        assert erase_person("liaison.request.registered.v1", data, MARK)
        assert data["requester"] == {"kind": kind, "id": left, "name": MARK}
        assert data["attachments"] == []
